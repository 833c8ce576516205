#pragma once
// The detections of a job, picture by picture, as results.sqlite has them: what exports are made
// of. However large the job, one picture is in memory. Opens the file with mode=ro and holds up
// nobody; all that one reader says is of the moment at which it was opened. Threads: one at a time.
// Errors: a missing file is exit code 66, one that cannot be read 74.

#include "shared/base/result.hpp"
#include "shared/base/task.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::sink {

struct StoredDetection {
  std::int64_t id{0};  ///< Of its row: never given to another one of the store.
  std::string label;
  double score{0};
  double x{0};  ///< The box, in pixels of the upright picture.
  double y{0};
  double width{0};
  double height{0};
};

struct StoredPicture {
  std::int64_t id{0};  ///< Of its row: never given to another one of the store.
  std::string task;
  std::uint64_t sequence{0};
  std::string origin;
  std::string stem;  ///< A file name without extension, harmless, made of the origin.
  std::string status;
  std::string reason;
  std::string text;
  std::uint64_t width{0};  ///< 0 unless it is ok.
  std::uint64_t height{0};
  bool damaged{false};
  bool pruned{false};   ///< Retention has removed what was found.
  bool revived{false};  ///< Failed, and tried again since: another picture of the job says how.
  bool looked{false};   ///< The detectors that are asked for have looked at it.
  std::vector<StoredDetection> detections;
};

/// What is read of a store; "" means all of them.
struct JobFilter {
  std::string job;
  std::string detector;
};

class JobReader {
 public:
  static Result<std::unique_ptr<JobReader>, Error> open(const std::filesystem::path& database,
                                                        JobFilter filter);
  ~JobReader();
  JobReader(const JobReader&) = delete;
  JobReader& operator=(const JobReader&) = delete;

  /// Every label that was found, once, in the order of their bytes.
  Result<std::vector<std::string>, Error> labels();

  /// An error of the visitor ends the reading and is its answer.
  using Visitor = std::function<Result<void, Error>(const StoredPicture& picture)>;
  /// Every outcome, in the order in which they were stored.
  Result<void, Error> each(const Visitor& visit);

  /// Frames of live sources that ended without a row of their own (docs/STORE.md, `gaps`).
  Result<std::uint64_t, Error> frames_in_gaps();

 private:
  struct Parts;
  explicit JobReader(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::sink
