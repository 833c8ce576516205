#pragma once
// The files that detections are written to for other programs (docs/STORE.md, "Exports"). A writer
// is given pictures one by one and keeps none of them. Threads: one. Errors: 73 a file exists or
// cannot be created, 74 it cannot be written.

#include "cli/categories.hpp"
#include "sink/stores/job_reader.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace framefleet::cli {

/// A new file, or stdout.
class OutFile {
 public:
  /// "-" is stdout. A file that is there is left as it is, and an error.
  static Result<OutFile, Error> create(const std::filesystem::path& path);
  /// For names that may be taken: nothing where this one is.
  static Result<std::unique_ptr<OutFile>, Error> create_unless_there(
      const std::filesystem::path& path);

  /// What cannot be written is told by close().
  void write(const std::string& text);
  Result<void, Error> close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const;
  };
  OutFile(std::filesystem::path path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

/// COCO's data set: {images, annotations, categories}. Goes over the pictures twice.
Result<void, Error> write_coco(OutFile& out, sink::JobReader& reader, const Categories& categories,
                               const sink::JobReader::Visitor& unlisted);
/// COCO's results: [{image_id, category_id, bbox, score}].
Result<void, Error> write_coco_results(OutFile& out, sink::JobReader& reader,
                                       const Categories& categories,
                                       const sink::JobReader::Visitor& unlisted);

struct YoloOptions {
  std::filesystem::path folder;  ///< Made; if it is there, it is empty.
  bool scores{false};            ///< A sixth number in each line.
};
/// classes.txt, pictures.txt and labels/NAME.txt for each picture. The answer: how many boxes lie
/// outside of their pictures, and are in no file.
Result<std::uint64_t, Error> write_yolo(const YoloOptions& options, sink::JobReader& reader,
                                        const Categories& categories,
                                        const sink::JobReader::Visitor& unlisted);

/// Whether a picture says what was found in it. One that does not is given to `unlisted` above, and
/// to no file: that nothing is known is not that nothing was found.
bool is_listed(const sink::StoredPicture& picture);

}  // namespace framefleet::cli
