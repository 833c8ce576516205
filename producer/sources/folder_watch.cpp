#include "producer/sources/folder_watch.hpp"

#include "producer/sources/source_name.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                  IN_EXCL_UNLINK;
/// Of one call of news(): some thousand events, milliseconds of work.
constexpr int kReadsAtOnce = 8;
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
constexpr Duration kLookInterval = std::chrono::seconds{2};

enum class Writers : std::uint8_t { none, some, unknown };

/// Whether somebody has the file open for writing. A lease is given to nobody else's reader then.
Writers writers_of(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return Writers::none;  // what reads it says why it cannot
  // Whoever wants to write while the lease is held makes the kernel signal us; this signal is
  // ignored unless one asks for it, the usual one would end the process.
  if (::fcntl(fd.get(), F_SETSIG, SIGURG) != 0) return Writers::unknown;
  if (::fcntl(fd.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd.get(), F_SETLEASE, F_UNLCK);
    return Writers::none;
  }
  return errno == EAGAIN ? Writers::some : Writers::unknown;
}

bool is_same(const FoundFile& a, const FoundFile& b) {
  return a.size == b.size && a.mtime_ns == b.mtime_ns;
}

std::string in_folder(const std::string& folder, std::string_view name) {
  return fmt::format("{}{}{}", folder, folder.back() == '/' ? "" : "/", name);
}

/// A link, or a file with another name elsewhere: it was finished before it got this name.
bool is_linked(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return false;
  return S_ISLNK(status.st_mode) || status.st_nlink > 1;
}

bool is_regular(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder ||
         (path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 &&
          path[folder.size()] == '/');
}

Result<FolderWatch, Error> FolderWatch::open(std::string folder) {
  FolderWatch watch(std::move(folder));
  watch.inotify_ = FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (watch.inotify_) return watch;
  return fail(Error{fmt::format("{}: the kernel gives no inotify instance: {} (the limit is "
                                "fs.inotify.max_user_instances)",
                                printable(watch.folder_), system_reason(errno)),
                    exit_code::kUnavailable});
}

Result<std::vector<FoundFile>, Error> FolderWatch::search(Skipped& skipped, Time now) {
  folders_.clear();  // the kernel gives the same watches again
  std::vector<FoundFile> complete;
  if (auto done = search_below(folder_, skipped, now, complete); !done) return fail(done.error());
  return complete;
}

Result<void, Error> FolderWatch::search_below(const std::string& folder, Skipped& skipped, Time now,
                                              std::vector<FoundFile>& complete) {
  error_ = 0;
  auto found =
      search_folder(folder, skipped, [this](const std::string& entered) { return watch(entered); });
  if (!found) return fail(found.error());
  if (error_ != 0) {
    return fail(Error{fmt::format("{} cannot be watched with all its sub-folders: {} ({} are "
                                  "watched; the limit is fs.inotify.max_user_watches)",
                                  printable(folder), system_reason(error_), folders_.size()),
                      exit_code::kUnavailable});
  }
  if (folders_.empty()) {
    return fail(Error{fmt::format("the folder {} cannot be watched: it is not there, or may not be "
                                  "read",
                                  printable(folder)),
                      exit_code::kNoInput});
  }
  for (auto& file : *found) {
    const auto writers = writers_of(file.path);
    if (writers == Writers::none) complete.push_back(std::move(file));
    if (writers == Writers::unknown) {
      auto path = file.path;
      looks_.try_emplace(std::move(path), Look{std::move(file), now + kLookInterval});
    }
  }
  return {};
}

/// False: it is watched already (and searched), or cannot be.
bool FolderWatch::watch(const std::string& folder) {
  const int id = ::inotify_add_watch(inotify_.get(), folder.c_str(), kEvents);
  if (id >= 0) return folders_.try_emplace(id, folder).second;
  // One that is gone again, or may not be read, is no more than that.
  if (errno == ENOSPC || errno == ENOMEM) error_ = errno;
  return error_ == 0 && errno == EACCES;  // the search says why it cannot be read
}

/// What lies in a folder that was moved away is found at another place, or nowhere.
void FolderWatch::forget_below(const std::string& folder) {
  for (auto position = folders_.begin(); position != folders_.end();) {
    const auto current = position++;
    if (!is_below(current->second, folder)) continue;
    ::inotify_rm_watch(inotify_.get(), current->first);
    folders_.erase(current);
  }
  std::erase_if(looks_, [&](const auto& look) { return is_below(look.first, folder); });
}

Time FolderWatch::look_at() const {
  Time next = kNever;
  for (const auto& [path, look] : looks_) next = std::min(next, look.due_at);
  return next;
}

Result<FolderNews, Error> FolderWatch::news(Skipped& skipped, Time now) {
  FolderNews news;
  alignas(inotify_event) std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const auto got = ::read(inotify_.get(), bytes.data(), bytes.size());
    if (got <= 0) break;
    const auto size = static_cast<std::size_t>(got);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* const text = bytes.data() + at + sizeof event;
      const std::string_view name(text, ::strnlen(text, event.len));
      at += sizeof event + event.len;
      if (auto taken = take_up(event, name, skipped, now, news); !taken) {
        return fail(taken.error());
      }
    }
  }
  look_again(now, news.complete);
  return news;
}

Result<void, Error> FolderWatch::take_up(const inotify_event& event, std::string_view name,
                                         Skipped& skipped, Time now, FolderNews& news) {
  const auto what = event.mask;
  if ((what & IN_Q_OVERFLOW) != 0) {
    auto all = search(skipped, now);
    if (!all) return fail(all.error());
    std::move(all->begin(), all->end(), std::back_inserter(news.complete));
    return {};
  }
  const auto found = folders_.find(event.wd);
  if (found == folders_.end()) return {};  // of a folder that was left
  if ((what & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
    const bool is_root = found->second == folder_;
    if ((what & IN_MOVE_SELF) == 0 || is_root) folders_.erase(found);
    if (!is_root) return {};
    return fail(Error{fmt::format("the watched folder {} is no longer there", printable(folder_)),
                      exit_code::kNoInput});
  }
  if (name.empty() || name.front() == '.') return {};
  auto path = in_folder(found->second, name);
  if ((what & IN_ISDIR) == 0) {
    take_up_file(std::move(path), what, news);
    return {};
  }
  if ((what & (IN_MOVED_FROM | IN_DELETE)) != 0) {
    forget_below(path);
    std::erase_if(news.complete, [&](const auto& file) { return is_below(file.path, path); });
    news.gone_folders.push_back(std::move(path));
    return {};
  }
  if ((what & (IN_MOVED_TO | IN_CREATE)) == 0) return {};
  return search_below(path, skipped, now, news.complete);
}

void FolderWatch::take_up_file(std::string path, std::uint32_t what, FolderNews& news) {
  if (!is_picture_name(path)) return;
  if ((what & (IN_MOVED_FROM | IN_DELETE)) != 0) {
    looks_.erase(path);
    std::erase_if(news.complete, [&](const FoundFile& file) { return file.path == path; });
    news.gone.push_back(std::move(path));
    return;
  }
  const bool complete = (what & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0 || is_linked(path);
  if (!complete || !is_regular(path)) return;
  looks_.erase(path);
  news.complete.push_back(found_file(std::move(path)));
}

void FolderWatch::look_again(Time now, std::vector<FoundFile>& complete) {
  for (auto position = looks_.begin(); position != looks_.end();) {
    const auto current = position++;
    auto& look = current->second;
    if (look.due_at > now) continue;
    auto file = found_file(current->first);
    if (is_same(file, look.as_it_was)) {
      complete.push_back(std::move(file));
      looks_.erase(current);
    } else if (!is_regular(current->first)) {
      looks_.erase(current);
    } else {
      look = {std::move(file), now + kLookInterval};
    }
  }
}

}  // namespace framefleet::producer
