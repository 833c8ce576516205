#include "cli/folders.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPrivatePrefix = "framefleet-";
constexpr const char* kLockName = "run.lock";
constexpr const char* kEndpointName = "broker";

Error cannot_create(const fs::path& path, const std::string& why) {
  return {.text = "cannot write results to " + path.string() + ": " + why +
                  "; choose another folder with --out",
          .exit_code = exit_code::kCannotCreate};
}

/// Removes what a killed run left: exactly a socket and its folder, whatever the note says.
void remove_private_folder_of(int lock) {
  constexpr std::size_t kNoteBytesMax = 4096;
  std::string note(kNoteBytesMax, '\0');
  const ssize_t got = ::pread(lock, note.data(), note.size(), 0);
  if (got <= 0) return;
  note.resize(static_cast<std::size_t>(got));
  const fs::path folder = note;
  if (!folder.is_absolute() || folder.filename().string().rfind(kPrivatePrefix, 0) != 0) return;
  ::unlink((folder / kSocketName).c_str());
  ::rmdir(folder.c_str());
}

}  // namespace

Result<RunFolder, Error> RunFolder::open(const fs::path& path, OldLogs old_logs) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    return fail(cannot_create(path, "it is a file, not a folder"));
  }
  const fs::path logs = path / ".framefleet" / "logs";
  fs::create_directories(logs, error);
  if (error) return fail(cannot_create(path, error.message()));

  const fs::path lock_path = path / ".framefleet" / kLockName;
  FileDescriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return fail(cannot_create(path, std::strerror(errno)));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(cannot_create(
        path, errno == EWOULDBLOCK ? "another run is writing there" : std::strerror(errno)));
  }
  remove_private_folder_of(lock.get());
  fs::remove(path / ".framefleet" / kEndpointName, error);
  if (old_logs == OldLogs::remove) {
    for (const auto& entry : fs::directory_iterator(logs, error)) {
      std::error_code ignored;
      if (entry.path().extension() == ".log") fs::remove(entry.path(), ignored);
    }
  }
  return RunFolder(path, std::move(lock));
}

void RunFolder::remember(const fs::path& private_folder) {
  const std::string note = private_folder.string();
  // Best effort: without the note, a killed run leaves an empty folder in the temporary one.
  if (::ftruncate(lock_.get(), 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(lock_.get(), note.data(), note.size(), 0);
}

void RunFolder::publish_endpoint(const std::string& endpoint) {
  std::ofstream(state() / kEndpointName) << endpoint << '\n';
}

std::string RunFolder::endpoint_in(const fs::path& path) {
  const fs::path state = path / ".framefleet";
  const FileDescriptor lock(::open((state / kLockName).c_str(), O_RDONLY | O_CLOEXEC));
  // Whoever gets the lock learns that nobody writes there: what was published is of a dead run.
  if (!lock || ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return {};
  std::ifstream in(state / kEndpointName);
  std::string endpoint;
  std::getline(in, endpoint);
  return endpoint;
}

Result<PrivateFolder, Error> PrivateFolder::create() {
  constexpr std::size_t kPathBytesMax = 60;
  std::error_code error;
  fs::path parent = fs::temp_directory_path(error);
  if (error || parent.string().size() > kPathBytesMax) parent = "/tmp";
  std::string pattern = (parent / (std::string(kPrivatePrefix) + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(Error{.text = "cannot make a folder for the fleet's socket in " + parent.string() +
                              ": " + std::strerror(errno) + "; set TMPDIR to one that is writable",
                      .exit_code = exit_code::kCannotCreate});
  }
  return PrivateFolder(pattern);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::string tail(const fs::path& file, std::uint64_t offset) {
  constexpr std::uint64_t kBytesMax = 16 * 1024;
  const std::uint64_t size = size_of(file);
  if (size <= offset) return {};
  std::ifstream in(file, std::ios::binary);
  std::string text(std::min(size - offset, kBytesMax), '\0');
  in.seekg(static_cast<std::streamoff>(size - text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace framefleet::cli
