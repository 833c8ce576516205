#pragma once
// Writing files so that a crash leaves the whole of them or nothing. Threads: any. Errors: 73, with
// the path and the system's reason.

#include "shared/base/result.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace framefleet {

/// All of `bytes`, however the kernel takes them. Answers an errno; 0: done.
int write_all(int fd, std::string_view bytes);

/// A new file with this content and mode (whatever the umask), on the disk with its name when this
/// returns. Errors: it is there already, or cannot be written, and then it is gone again.
Result<void, Error> make_file(const std::filesystem::path& file, std::string_view content,
                              mode_t mode);

/// Puts `from` in the place of `to`, in one file system; on the disk when this returns.
Result<void, Error> move_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace framefleet
