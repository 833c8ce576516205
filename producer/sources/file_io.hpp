#pragma once
// Reading a file that may be anything, and writing one so that a crash leaves the old or the new.
// Threads: any. Errors: text for people with the path and the system's reason.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace framefleet::producer {

struct FileContents {
  std::string bytes;
  std::int64_t mtime_ms{0};  ///< Modification time, Unix.
};

/// The whole of a regular file of at most `bytes_max`. Never blocks on a pipe. The error is the
/// reason alone ("Permission denied", "is larger than …"), for a sentence that names the path.
Result<FileContents, std::string> read_file(const std::string& path, std::uint64_t bytes_max);

/// Replaces `path` by `text`: temporary file beside it, fsync, rename, fsync of the folder.
Result<void, Error> replace_file(const std::filesystem::path& path, std::string_view text);

/// Adds `text` to a file that exists, and syncs it. After an error the file is as it was, if the
/// disk lets it.
Result<void, Error> append_to_file(const std::filesystem::path& path, std::string_view text);

/// What errno says, for people.
std::string system_reason(int error_number);

}  // namespace framefleet::producer
