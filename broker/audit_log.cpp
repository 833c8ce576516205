#include "broker/audit_log.hpp"

#include "shared/base/reason.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace framefleet::broker {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

/// "17" of "run.ndjson" is "run.ndjson.17".
fs::path numbered(fs::path file, int number) { return file += "." + std::to_string(number); }

Error cannot(const fs::path& file, const std::string& what, int code) {
  return {fmt::format("{}: {}: {}", file.string(), what, std::strerror(errno)), code};
}

Json words_of(const Operator& who) {
  Json json = Json::object();
  if (!who.identity.empty()) json["identity"] = who.identity;
  if (who.user) json["user"] = *who.user;
  json["name"] = who.name;
  return json;
}

}  // namespace

AuditLog::AuditLog(fs::path file, std::int64_t (*wall_clock_ms)(), std::uint64_t file_bytes_max)
    : file_(std::move(file)), wall_clock_ms_(wall_clock_ms), file_bytes_max_(file_bytes_max) {}

Result<AuditLog, Error> AuditLog::open(const fs::path& file, std::int64_t (*wall_clock_ms)(),
                                       std::uint64_t file_bytes_max) {
  AuditLog log(file, wall_clock_ms, file_bytes_max);
  if (file.empty()) return log;
  if (auto opened = log.open_file(); !opened) return fail(std::move(opened.error()));
  return log;
}

/// The file is ours alone, and ends with a whole line.
Result<void, Error> AuditLog::open_file() {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor fd(::open(file_.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!fd) return fail(cannot(file_, "the audit log cannot be opened", exit_code::kCannotCreate));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(cannot(file_, "another broker writes to this audit log", exit_code::kUnavailable));
  }
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return fail(Error{file_.string() + ": the audit log is no file", exit_code::kCannotCreate});
  }
  fd_ = std::move(fd);
  bytes_ = static_cast<std::uint64_t>(found.st_size);
  char last = '\n';
  if (bytes_ > 0 && ::pread(fd_.get(), &last, 1, found.st_size - 1) == 1 && last != '\n') {
    return write("\n");  // the rest of a line that a full disk cut off
  }
  return {};
}

Result<void, Error> AuditLog::asked(PeerId peer, const Operator& who, const Control& control) {
  if (file_.empty()) return {};
  if (open_.size() >= kOpenMax) {
    const auto oldest =
        std::ranges::min_element(open_, {}, [](const auto& entry) { return entry.second.number; });
    if (auto ended = end(oldest, "unanswered", "too many deeds are open"); !ended) return ended;
  }
  Deed deed{++numbers_, who, control};
  if (auto written = write(line_of(deed, "asked", "")); !written) return written;
  open_[{peer.value(), control.asker}] = std::move(deed);
  return {};
}

Result<void, Error> AuditLog::answered(PeerId peer, const Report& report) {
  const auto deed = open_.find({peer.value(), report.asker});
  if (deed == open_.end()) return {};
  const bool done = report.reason == Reason::none;
  return end(deed, done ? "done" : to_string(report.reason), report.text);
}

Result<void, Error> AuditLog::gone(PeerId peer) {
  Result<void, Error> all;
  for (auto deed = open_.lower_bound({peer.value(), 0});
       deed != open_.end() && deed->first.first == peer.value();
       deed = open_.lower_bound({peer.value(), 0})) {
    auto ended = end(deed, "unanswered", "the operator was turned away, or left first");
    if (!ended) all = std::move(ended);
  }
  return all;
}

Result<void, Error> AuditLog::end(std::map<Key, Deed>::iterator deed, std::string_view result,
                                  const std::string& text) {
  const auto line = line_of(deed->second, result, text);
  open_.erase(deed);
  return write(line);
}

std::string AuditLog::line_of(const Deed& deed, std::string_view result,
                              const std::string& text) const {
  const auto& control = deed.control;
  Json json{{"at_ms", wall_clock_ms_()},
            {"deed", deed.number},
            {"who", words_of(deed.who)},
            {"verb", to_string(control.verb)}};
  if (!control.name.empty()) json["target"] = control.name;
  if (!control.tasks.empty() && result == "asked") {
    for (const auto& task : control.tasks) json["tasks"].push_back(to_string(task));
  }
  if (control.limit > 0) json["limit"] = control.limit;
  if (!control.names.empty() && result == "asked") json["among"] = control.names;
  json["result"] = result;
  if (!text.empty()) json["text"] = text;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The whole line or nothing of it.
Result<void, Error> AuditLog::write(const std::string& line) {
  if (!fd_ || (bytes_ > 0 && bytes_ + line.size() > file_bytes_max_)) {
    if (auto rotated = rotate(); !rotated) return rotated;
  }
  const auto took = ::write(fd_.get(), line.data(), line.size());
  if (took == static_cast<ssize_t>(line.size())) {
    bytes_ += line.size();
    return {};
  }
  auto error = cannot(file_, "the audit log cannot be written", exit_code::kDiskError);
  if (took > 0 && ::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0) {
    bytes_ += static_cast<std::uint64_t>(took);
  }
  return fail(std::move(error));
}

/// Nothing is closed before its successor is open: in the middle of it a deed is refused.
Result<void, Error> AuditLog::rotate() {
  std::error_code none;
  if (!fs::exists(file_, none)) return open_file();
  for (int number = kOldFiles; number > 1; --number) {
    if (fs::exists(numbered(file_, number - 1), none)) {
      fs::rename(numbered(file_, number - 1), numbered(file_, number), none);
    }
  }
  if (::rename(file_.c_str(), numbered(file_, 1).c_str()) != 0) {
    return fail(cannot(file_, "the audit log cannot be renamed", exit_code::kDiskError));
  }
  return open_file();
}

}  // namespace framefleet::broker
