#pragma once
// The folder a sink writes into, claimed for one process at a time by a lock on `results.lock`.
// Lifetime: the claim ends with the object or the process, however that ends.
// Errors: a folder that cannot be created or written is exit code 73, one in use by another
// sink 69.

#include "sink/stores/file.hpp"

#include <filesystem>

namespace framefleet::sink {

class OutputFolder {
 public:
  /// Creates the folder and those above it where they are missing, and claims it.
  static Result<OutputFolder, Error> claim(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }

 private:
  OutputFolder(std::filesystem::path path, File lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  File lock_;
};

}  // namespace framefleet::sink
