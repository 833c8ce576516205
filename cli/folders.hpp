#pragma once
// The two folders of a run: the output folder with its logs, locked against a second run, and the
// private one that the fleet's socket lies in.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace framefleet::cli {

/// OUT with OUT/.framefleet (what continues a run) and OUT/.framefleet/logs. Locked while this
/// object lives; the lock ends with this process, however that ends.
class RunFolder {
 public:
  enum class OldLogs : std::uint8_t { keep, remove };

  /// Makes what is missing. Errors: 73 where that cannot be done, `path` is no folder, or another
  /// run is writing to it.
  static Result<RunFolder, Error> open(const std::filesystem::path& path, OldLogs old_logs);

  /// Notes where the fleet's private folder is: if this run is killed, the next one removes it.
  void remember(const std::filesystem::path& private_folder);
  /// Notes where the fleet's broker obeys operators, until this object ends.
  void publish_endpoint(const std::string& endpoint);
  /// What the run that is under way in that folder has published; "" if there is none.
  static std::string endpoint_in(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path state() const { return path_ / ".framefleet"; }
  std::filesystem::path logs() const { return state() / "logs"; }
  std::filesystem::path log_of(const std::string& child) const { return logs() / (child + ".log"); }

 private:
  RunFolder(std::filesystem::path path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  FileDescriptor lock_;
};

/// The one file that a private folder holds.
inline constexpr const char* kSocketName = "broker";

/// A new folder that only this user may enter (0700), removed with its content at the end. Its path
/// is short: the name of an ipc socket in it must fit into 107 bytes.
class PrivateFolder {
 public:
  static Result<PrivateFolder, Error> create();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// Bytes of a file; 0 if there is none.
std::uint64_t size_of(const std::filesystem::path& file);
/// The end of a file from `offset` on, at most 16 KiB; "" if there is none.
std::string tail(const std::filesystem::path& file, std::uint64_t offset);

}  // namespace framefleet::cli
