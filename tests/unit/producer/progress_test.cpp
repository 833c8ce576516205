#include "producer/progress.hpp"

#include "tests/support/catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::test {
namespace {

/// A progress that writes into a pipe, and what comes out of it.
class Told {
 public:
  Told() {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    progress.emplace(ends_[1], log_, Time{});
  }
  ~Told() {
    for (const int end : ends_) ::close(end);
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  std::string read_all() {
    std::string text;
    std::array<char, 4096> bytes{};
    while (true) {
      const auto got = ::read(ends_[0], bytes.data(), bytes.size());
      if (got <= 0) return text;
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

  std::vector<std::string> logged;
  std::optional<producer::Progress> progress;

 private:
  telemetry::Logger log_{{},
                         "test",
                         {.write = [this](std::string_view line) { logged.emplace_back(line); },
                          .now = [] { return Time{}; },
                          .wall_clock_ms = [] { return std::int64_t{0}; }}};
  std::array<int, 2> ends_{-1, -1};
};

std::size_t count_of(const std::string& what, const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST_CASE("a reader that is slow holds nothing up and misses nothing that lasts") {
  Told told;
  producer::TaskEnded failed;
  failed.settled.status = Status::failed;
  const std::size_t kFailures = 300;
  Time now{};
  for (std::size_t i = 0; i < kFailures; ++i) {  // far more than a pipe holds
    told.progress->task_failed(failed, std::string(1000, 'x'));
    now += std::chrono::seconds{1};
    told.progress->counts({}, 1000, now);
  }
  std::string text;
  while (count_of("task_failed", text) < kFailures) {
    const auto more = told.read_all();
    REQUIRE_FALSE(more.empty());
    text += more;
    told.progress->counts({}, 1000, now);  // not due, so it only hands on what waits
  }
  CHECK(count_of("\"progress\"", text) < kFailures);
  CHECK(count_of("\n", text) == count_of("{", text));
}

TEST_CASE("what waits for a reader that never reads has a limit, which the log is told of once") {
  Told told;
  producer::TaskEnded failed;
  failed.settled.status = Status::failed;
  for (int i = 0; i < 2000; ++i) told.progress->task_failed(failed, std::string(1000, 'x'));
  std::size_t slow = 0;
  for (const auto& line : told.logged) slow += count_of("progress_reader_slow", line);
  CHECK(slow == 1);
}

TEST_CASE("skipped pictures are told of among the counts, at the end as well") {
  Told told;
  producer::SubmissionStats stats;
  stats.skipped = 7;
  told.progress->counts(stats, 10, Time{});
  told.progress->end(stats, 10, false, Time{});
  CHECK(count_of("\"skipped\":7", told.read_all()) == 2);
}

TEST_CASE("a live frame that came too late is no fault; a batch picture that did is one") {
  using producer::is_fault;
  for (const auto left_out : {Status::superseded, Status::expired}) {
    CHECK_FALSE(is_fault(left_out, TaskClass::live));
    CHECK(is_fault(left_out, TaskClass::batch));
  }
  CHECK_FALSE(is_fault(Status::ok, TaskClass::batch));
  for (const auto wrong : {Status::failed, Status::cancelled, Status::lost}) {
    CHECK(is_fault(wrong, TaskClass::live));
  }
}

}  // namespace
}  // namespace framefleet::test
