#pragma once
// The folder of a journal: made with mode 0700, on a local disk, and for one process at a time.
// Threads: one. Errors: for people, with the exit code they end a program with.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <utility>

namespace framefleet::broker {

class JournalFolder {
 public:
  enum class Absent : std::uint8_t { create, refuse };

  /// Locks the folder until this object or the process ends. Error: 73 it cannot be made or is on a
  /// network file system, 66 it is not there and may not be made, 69 another process has it.
  static Result<JournalFolder, Error> claim(const std::filesystem::path& folder,
                                            Absent absent = Absent::create);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file() const { return file_in(path_); }
  /// Where LMDB keeps its data.
  static std::filesystem::path file_in(const std::filesystem::path& folder) {
    return folder / "data.mdb";
  }

  /// Gives `file` in the folder its size on the disk, so that no commit finds the disk full later.
  /// Makes it smaller, too. Error: 73.
  Result<void, Error> reserve(const std::filesystem::path& file, std::uint64_t bytes) const;
  /// A file that is complete gets its name, and both survive a power cut. Error: 73.
  Result<void, Error> complete(const std::filesystem::path& from,
                               const std::filesystem::path& to) const;

 private:
  JournalFolder(std::filesystem::path path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  FileDescriptor lock_;  ///< The folder itself.
};

}  // namespace framefleet::broker
