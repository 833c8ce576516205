#include "producer/progress.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace framefleet::producer {
namespace {

using nlohmann::ordered_json;

constexpr Duration kTellInterval = std::chrono::milliseconds{200};
constexpr Duration kLogInterval = std::chrono::seconds{10};
/// What may wait for a slow reader: some thousand lines.
constexpr std::size_t kPendingBytesMax = std::size_t{1} << 20U;
/// For a reader to take the last line and what waits before it.
constexpr Duration kLastWords = std::chrono::seconds{1};

void add_counts(ordered_json& line, const SubmissionStats& stats,
                std::optional<std::uint64_t> pictures, Duration elapsed) {
  line["pictures"] = pictures ? ordered_json(*pictures) : ordered_json(nullptr);
  line["stored_before"] = stats.stored_before;
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    line[std::string(to_string(static_cast<Status>(i)))] = stats.settled.at(i);
  }
  line["rejected"] = stats.rejected;
  line["skipped"] = stats.skipped;
  line["in_flight"] = stats.in_flight;
  line["elapsed_s"] = seconds(elapsed);
}

}  // namespace

bool is_fault(Status status, TaskClass task_class) {
  if (status == Status::ok) return false;
  const bool left_out = status == Status::superseded || status == Status::expired;
  return !(left_out && task_class == TaskClass::live);
}

Progress::Progress(int fd, telemetry::Logger& log, Time began_at)
    : fd_(fd),
      log_(log),
      began_at_(began_at),
      next_at_(began_at),
      log_at_(began_at + kLogInterval) {
  if (fd_ >= 0) ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
}

void Progress::plan(const std::string& job, std::optional<std::uint64_t> pictures,
                    std::uint64_t skipped) {
  log_.info("plan", {{"job", job}, {"pictures", pictures.value_or(0)}, {"skipped", skipped}});
  ordered_json line{{"event", "plan"}, {"job", job}};
  line["pictures"] = pictures ? ordered_json(*pictures) : ordered_json(nullptr);
  line["skipped"] = skipped;
  write(line.dump(), Worth::lasting);
}

void Progress::counts(const SubmissionStats& stats, std::optional<std::uint64_t> pictures,
                      Time now) {
  if (now >= log_at_) {
    log_at_ = now + kLogInterval;
    log_.info("progress", {{"admitted", stats.admitted},
                           {"ok", stats.settled.at(0)},
                           {"failed", stats.settled.at(1)},
                           {"stored_before", stats.stored_before},
                           {"skipped", stats.skipped},
                           {"in_flight", stats.in_flight}});
  }
  flush(Duration::zero());
  if (now < next_at_) return;
  next_at_ = now + kTellInterval;
  ordered_json line{{"event", "progress"}};
  add_counts(line, stats, pictures, now - began_at_);
  write(line.dump(), Worth::passing);
}

void Progress::task_failed(const TaskEnded& ended, const std::string& origin) {
  const auto& settled = ended.settled;
  const auto status =
      ended.rejected ? std::string("rejected") : std::string(to_string(settled.status));
  log_.warn("task_failed", {{"task", to_string(settled.id)},
                            {"origin", origin},
                            {"status", status},
                            {"reason", to_string(settled.reason)},
                            {"text", settled.text}});
  write(ordered_json{{"event", "task_failed"},
                     {"task", to_string(settled.id)},
                     {"origin", origin},
                     {"status", status},
                     {"reason", to_string(settled.reason)},
                     {"text", settled.text}}
            .dump(-1, ' ', false, ordered_json::error_handler_t::replace),
        Worth::lasting);
}

void Progress::end(const SubmissionStats& stats, std::optional<std::uint64_t> pictures,
                   bool interrupted, Time now) {
  log_.info("end", {{"submitted", stats.submitted},
                    {"admitted", stats.admitted},
                    {"rejected", stats.rejected},
                    {"ok", stats.settled.at(0)},
                    {"failed", stats.settled.at(1)},
                    {"stored_before", stats.stored_before},
                    {"skipped", stats.skipped}});
  ordered_json line{{"event", "end"}};
  add_counts(line, stats, pictures, now - began_at_);
  line["submitted"] = stats.submitted;
  line["admitted"] = stats.admitted;
  line["interrupted"] = interrupted;
  write(line.dump(), Worth::last);
}

void Progress::write(const std::string& line, Worth worth) {
  if (fd_ < 0) return;
  if (worth == Worth::passing && !pending_.empty()) return;  // a newer one comes soon
  if (worth == Worth::lasting && pending_.size() + line.size() >= kPendingBytesMax) {
    if (!dropped_) log_.warn("progress_reader_slow");
    dropped_ = true;
    return;
  }
  pending_ += line;
  pending_ += '\n';
  flush(worth == Worth::last ? kLastWords : Duration::zero());
}

/// Writes what the reader takes; waits for it no longer than `patience` at a time. A descriptor
/// that poll() calls writable takes PIPE_BUF bytes without blocking, so it need not be made
/// non-blocking, which others that share it (a terminal) would feel.
void Progress::flush(Duration patience) {
  std::size_t written = 0;
  while (fd_ >= 0 && written < pending_.size()) {
    pollfd writable{fd_, POLLOUT, 0};
    if (::poll(&writable, 1, static_cast<int>(ceil_ms(patience))) <= 0) break;
    const auto chunk = std::min<std::size_t>(pending_.size() - written, PIPE_BUF);
    const auto count = ::write(fd_, pending_.data() + written, chunk);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR && errno != EAGAIN) {
      log_.warn("progress_reader_gone");
      fd_ = -1;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  pending_.erase(0, written);
}

}  // namespace framefleet::producer
