#pragma once
// Files as this folder writes them: an owned descriptor, whole writes, and errors that name the
// file. Threads: an object belongs to one thread at a time.

#include "sink/stores/result_store.hpp"

#include <filesystem>
#include <string_view>
#include <utility>

namespace framefleet::sink {

/// "cannot <what> <path>: <the system's words>"; `full` for a lack of space or quota.
StoreError file_error(std::string_view what, const std::filesystem::path& path, int system_errno);

class File {
 public:
  /// Opens with open(2)'s flags (O_CLOEXEC is added); new files get mode 0666 less the umask.
  static Result<File, StoreError> open(const std::filesystem::path& path, int flags);
  ~File();
  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Writes all of `bytes` at `offset`; on an error an unknown part of them was written.
  Result<void, StoreError> write_at(std::uint64_t offset, std::string_view bytes);
  Result<void, StoreError> truncate(std::uint64_t bytes);
  /// Returns when everything written is on disk.
  Result<void, StoreError> sync();
  /// The same for everything written to the file system that this file is on.
  Result<void, StoreError> sync_file_system();
  Result<std::uint64_t, StoreError> size() const;
  /// False where there is no byte at `offset`.
  bool holds_at(std::uint64_t offset, char expected) const;
  /// An exclusive lock that ends with this object or the process; false when another one has it.
  bool try_lock();

 private:
  File(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;
  std::filesystem::path path_;
};

/// Makes new names in a folder survive a power cut.
Result<void, StoreError> sync_folder(const std::filesystem::path& folder);

}  // namespace framefleet::sink
