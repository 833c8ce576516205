#include "bench/vision/runners.hpp"

#include "worker/detectors/workbench.hpp"

#include "shared/base/assert.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <poll.h>

#include <mutex>
#include <span>
#include <thread>

#include "bench/vision/naive_loop.hpp"

namespace framefleet::bench {
namespace {

using worker::WorkDone;
using worker::Worked;
using worker::WorkError;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(telemetry::monotonic_now() - begin_).count();
  }

 private:
  Time begin_{telemetry::monotonic_now()};
};

std::size_t detections_in(const Result<Worked, WorkError>& result) {
  FRAMEFLEET_ASSERT(result.has_value());
  std::size_t count = 0;
  for (const auto& report : result->record.reports) count += report.detections.size();
  return count;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// Works on one picture after the other in the calling thread; `work` gives the detections.
template <typename Work>
Pace loop(const Load& load, double seconds, const Work& work) {
  const Stopwatch stopwatch;
  Pace pace;
  std::size_t& done = pace.pictures;
  while (done < 2 || stopwatch.seconds() < seconds) {
    const std::size_t count = work(load.pictures[done % load.pictures.size()]);
    if (done < load.pictures.size()) pace.detections += count;
    ++done;
  }
  if (done < load.pictures.size()) pace.detections = 0;
  pace.pictures_per_s = static_cast<double>(done) / stopwatch.seconds();
  return pace;
}

class NaiveRunner final : public Runner {
 public:
  explicit NaiveRunner(const Load& load) : load_(load), naive_(load.detectors) {}
  Pace run(double seconds) override {
    return loop(load_, seconds, [this](const std::string& jpeg) { return naive_.work(jpeg); });
  }

 private:
  const Load& load_;
  NaiveLoop naive_;
};

class PlanRunner final : public Runner {
 public:
  PlanRunner(const Load& load, std::size_t threads) : load_(load), benches_(threads) {
    task_.detect = load.detectors;
  }

  Pace run(double seconds) override {
    std::mutex mutex;
    Pace sum;
    std::vector<std::jthread> threads;
    for (auto& bench : benches_) {
      threads.emplace_back([&] {
        const Pace pace =
            loop(load_, seconds, [&](const std::string& jpeg) { return work(bench, jpeg); });
        const std::lock_guard lock(mutex);
        sum.pictures_per_s += pace.pictures_per_s;
        sum.pictures += pace.pictures;
        sum.detections = pace.detections;
      });
    }
    threads.clear();
    return sum;
  }

 private:
  std::size_t work(worker::Workbench& bench, const std::string& jpeg) const {
    const std::vector frames{bytes_of(jpeg)};
    worker::NoObserver nobody;
    return detections_in(bench.work({1, 1, 1, 0}, 1, task_, frames, nobody));
  }

  const Load& load_;
  TaskDescription task_;
  std::vector<worker::Workbench> benches_;
};

class PoolRunner final : public Runner {
 public:
  PoolRunner(const Load& load, std::unique_ptr<worker::Pool> pool)
      : load_(load), pool_(std::move(pool)) {}

  Pace run(double seconds) override {
    const Stopwatch stopwatch;
    const std::size_t least = 2 * pool_->slots();
    Pace pace;
    std::size_t started = 0;
    std::size_t& done = pace.pictures;
    double idle = 0;  // Slot-seconds at the end, when there was nothing more to start.
    std::vector<double> left_at;
    while (true) {
      const bool go_on = started < least || stopwatch.seconds() < seconds;
      while (go_on && pool_->start(order(started))) ++started;
      if (!go_on && done == started) break;
      for (const WorkDone& each : wait_for_done()) {
        const std::size_t count = detections_in(each.result);
        if (each.ticket < load_.pictures.size()) pace.detections += count;
        ++done;
        if (!go_on) left_at.push_back(stopwatch.seconds());
      }
    }
    const double end = stopwatch.seconds();
    for (const double at : left_at) idle += end - at;
    const double busy = end - idle / static_cast<double>(pool_->slots());
    if (done < load_.pictures.size()) pace.detections = 0;
    pace.pictures_per_s = static_cast<double>(done) / busy;
    return pace;
  }

 private:
  worker::WorkOrder order(std::size_t number) const {
    worker::WorkOrder made;
    made.ticket = number;
    made.id = {1, 1, number, 0};
    made.task.detect = load_.detectors;
    made.frames = {bytes_of(load_.pictures[number % load_.pictures.size()])};
    return made;
  }

  std::vector<WorkDone> wait_for_done() {
    pollfd bell{pool_->notify_fd(), POLLIN, 0};
    FRAMEFLEET_ASSERT(::poll(&bell, 1, 60'000) == 1);
    return pool_->take_done();
  }

  const Load& load_;
  std::unique_ptr<worker::Pool> pool_;
};

}  // namespace

std::unique_ptr<Runner> make_naive_loop(const Load& load) {
  return std::make_unique<NaiveRunner>(load);
}

std::unique_ptr<Runner> make_plan_loops(const Load& load, std::size_t threads) {
  return std::make_unique<PlanRunner>(load, threads);
}

std::unique_ptr<Runner> make_pool_runner(const Load& load, std::unique_ptr<worker::Pool> pool) {
  return std::make_unique<PoolRunner>(load, std::move(pool));
}

}  // namespace framefleet::bench
