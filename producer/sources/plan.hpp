#pragma once
// From command-line arguments to sources: the one place that knows what an argument may be.
//
//   photos/                a folder, with its sub-folders (hidden ones left out)   one source each
//   'photos/*.jpg'         a pattern: * ? [a-z] {jpg,png}                          one source each
//   walk.avi               a video                                                 one source each
//   synthetic:?count=3000  the synthetic camera (synthetic_options.hpp)            one source each
//   a.jpg b.png            picture files                                           together one
//   source
//   -                      a list of picture files on standard input               the same one
//   source
//
// Watched (`watch`), a folder goes on to be looked at for what comes into it (watched_source.hpp),
// and the list on standard input is a source of its own that is read as it comes
// (growing_list.hpp).
//
// With a manifest folder the numbering is remembered (manifest.hpp), and is on disk when
// plan_sources returns: the same arguments for the same job give the same sequences to files that
// did not change. Threads: one. Errors: text says what to do; exit codes 64 (an argument is wrong),
// 66 (nothing there), 69 (the job is being worked on), 73 and 74 (the manifest cannot be written).

#include "producer/sources/image_source.hpp"
#include "producer/sources/manifest.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::producer {

/// More pictures than this in one plan are refused: each costs memory for its path.
inline constexpr std::uint64_t kPicturesMax = 10'000'000;

struct PlanOptions {
  /// First part of every source's name; 1 to 64 of [A-Za-z0-9._-], or empty for none.
  std::string job;
  /// Where the job's manifest is kept; empty: none, everything is numbered from 0. Needs a job.
  std::filesystem::path manifest_folder;
  /// Epoch of a source that no manifest remembers. Two runs that number differently must not share
  /// one, so a program gives the wall clock in seconds.
  std::uint32_t fresh_epoch{0};
  /// A larger file becomes an unreadable picture. 64 MiB is twice the largest camera JPEG.
  std::uint64_t picture_bytes_max{64ULL << 20U};
  std::istream* list{nullptr};  ///< What "-" reads; null: "-" is refused.
  /// Folders, and "-" (a descriptor then, list_fd), go on while the sources are read.
  bool watch{false};
  int list_fd{-1};
  Time now{};  ///< Of watching; the clock of Growing::grow().
  /// In what order files that have no number yet are numbered: by name, or shuffled by this seed.
  std::optional<std::uint64_t> shuffle;
  bool realtime{false};         ///< Videos are read at their own pace.
  std::string capture_program;  ///< VideoOptions::capture_program.
};

/// What was seen and left out.
struct Skipped {
  std::uint64_t hidden{0};           ///< Files and folders whose name starts with a dot.
  std::uint64_t other_extension{0};  ///< Files in folders that are not named like pictures.
  std::uint64_t videos{0};           ///< Videos in folders: each wants to be an argument.
  std::uint64_t special{0};          ///< Pipes, sockets, devices.
  std::uint64_t repeated{0};         ///< Arguments and listed files that were there already.
  std::uint64_t unreadable_folders{0};
  std::vector<std::string>
      unreadable_folder_texts;  ///< "photos/x: Permission denied"; the first 16.
};

struct Plan {
  /// Holds the job's lock, and numbers what comes into watched folders.
  std::unique_ptr<Manifest> manifest;
  std::vector<std::unique_ptr<ImageSource>> sources;
  Skipped skipped;
};

/// `arguments` in the order given; sources come in that order, the files' source where its first
/// file stands.
Result<Plan, Error> plan_sources(const std::vector<std::string>& arguments,
                                 const PlanOptions& options);

}  // namespace framefleet::producer
