#pragma once
// Writes the pictures that come with results to `<folder>/<kind>/<readable name>.<extension>`.
//
// A batch is written under temporary names in `<folder>/.incoming/`, synced, and only then renamed,
// so that a picture under its name is always whole and on disk. Nothing that comes from outside can
// make a path leave the folder. A name that exists in the folder but belongs to no outcome is
// replaced. Threads: one at a time. Errors: StoreError; after one the batch is not under its names,
// except for pictures already renamed, which the next try replaces.

#include "sink/stores/result_store.hpp"

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::sink {

/// Sub-folder of the output folder where things are written before they get their names.
inline constexpr const char* kIncomingFolder = ".incoming";

struct PictureFile {
  std::string path;  ///< Relative to the folder: "annotated/dog.jpg".
  std::string_view bytes;
};

/// A path relative to the output folder for which `taken` is false: "<kind>/<stem>.<ext>", else
/// with the sequence, else with the whole id in the name, else numbered too.
std::string choose_picture_path(const Artefact& artefact, std::string_view origin,
                                const TaskId& task,
                                const std::function<bool(const std::string&)>& taken);

class PictureWriter {
 public:
  /// Removes what an earlier process left in `.incoming`.
  explicit PictureWriter(std::filesystem::path folder);

  Result<void, StoreError> write(std::span<const PictureFile> pictures);
  /// Removes a picture; one that is gone already is no error.
  Result<void, StoreError> remove(const std::string& path);

 private:
  Result<void, StoreError> write_incoming(std::span<const PictureFile> pictures);
  Result<void, StoreError> put_in_place(std::span<const PictureFile> pictures);
  void clear_incoming();
  std::filesystem::path incoming(std::size_t number) const;

  std::filesystem::path folder_;
};

}  // namespace framefleet::sink
