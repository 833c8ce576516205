#include "worker/picture_files.hpp"

#include "shared/base/file_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kAnnotated = "annotated";

tl::unexpected<Error> unreadable(const fs::path& path, std::string_view why) {
  return fail(Error{fmt::format("cannot read {}: {}", path.string(), why), exit_code::kNoInput});
}

Error unwritable(const fs::path& path, std::string_view why) {
  return {fmt::format("cannot write {}: {}", path.string(), why), exit_code::kCannotCreate};
}

/// Never waits for a pipe to be opened.
Result<FileDescriptor, Error> open_picture(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return unreadable(path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) {
    return unreadable(path, "it is a folder; framefleet run takes folders");
  }
  if (!S_ISREG(status.st_mode)) return unreadable(path, "it is not a regular file");
  return file;
}

}  // namespace

Result<void, Error> check_readable(const fs::path& path) {
  const auto file = open_picture(path);
  if (!file) return fail(file.error());
  return {};
}

Result<std::string, Error> read_picture(const fs::path& path, std::uint64_t bytes_max) {
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  const auto file = open_picture(path);
  if (!file) return fail(file.error());
  std::string bytes;
  while (bytes.size() <= bytes_max) {
    const std::size_t had = bytes.size();
    bytes.resize(std::min<std::uint64_t>(had + kStep, bytes_max + 1));
    const ssize_t got = ::read(file->get(), bytes.data() + had, bytes.size() - had);
    if (got < 0 && errno != EINTR) return unreadable(path, std::strerror(errno));
    bytes.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return bytes;
}

MadeFiles::MadeFiles(fs::path annotated, fs::path made, std::vector<fs::path> sources)
    : annotated_(std::move(annotated)), made_(std::move(made)), sources_(std::move(sources)) {}

fs::path MadeFiles::free_name(const fs::path& folder, const std::string& stem,
                              std::string_view extension) {
  fs::path path = folder / fmt::format("{}.{}", stem, extension);
  for (std::size_t number = 1; !taken_.insert(path).second; ++number) {
    path = folder / fmt::format("{}-{}.{}", stem, number, extension);
  }
  return path;
}

Result<std::string, Error> MadeFiles::write(std::size_t source, const Made& picture) {
  const bool is_annotated = picture.kind == kAnnotated;
  const fs::path& wanted = is_annotated ? annotated_ : made_;
  if (wanted.empty()) return std::string();
  std::error_code error;
  const bool is_folder = !is_annotated || sources_.size() > 1 || !wanted.has_filename() ||
                         fs::is_directory(wanted, error);
  fs::path path = wanted;
  if (is_folder) {
    const fs::path folder = is_annotated ? wanted : wanted / picture.kind;
    path = free_name(folder, sources_[source].stem().string(), picture.extension);
  }
  if (const auto written = write_file(path, picture.bytes); !written) {
    return fail(written.error());
  }
  return path.string();
}

Result<void, Error> MadeFiles::write_file(const fs::path& path, std::string_view bytes) const {
  std::error_code error;
  const bool is_source = std::any_of(sources_.begin(), sources_.end(), [&](const fs::path& source) {
    return fs::equivalent(source, path, error);
  });
  if (is_source) {
    return fail(Error{fmt::format("{} is a picture that is looked at: it is not written over; name "
                                  "another file or folder",
                                  path.string()),
                      exit_code::kUsage});
  }
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (path.has_parent_path() && error) return fail(unwritable(path, error.message()));
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fail(unwritable(path, errno == 0 ? "unknown reason" : std::strerror(errno)));
  return {};
}

}  // namespace framefleet::worker
