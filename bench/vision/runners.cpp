#include "bench/vision/runners.hpp"

#include "worker/detectors/workbench.hpp"

#include "shared/base/assert.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <mutex>
#include <span>
#include <thread>

#include "bench/vision/naive_loop.hpp"
#include "bench/vision/naive_network.hpp"

namespace framefleet::bench {
namespace {

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

/// Works on the pictures in the calling thread, pass after pass; `work` gives the detections.
template <typename Work>
Pace loop(const Load& load, double seconds, const Work& work) {
  const Stopwatch stopwatch;
  Pace pace;
  do {
    pace.detections = 0;
    for (const auto& jpeg : load.pictures) pace.detections += work(jpeg);
    pace.pictures += load.pictures.size();
  } while (stopwatch.seconds() < seconds);
  pace.pictures_per_s = static_cast<double>(pace.pictures) / stopwatch.seconds();
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

class NetworkRunner final : public Runner {
 public:
  NetworkRunner(const Load& load, std::unique_ptr<NaiveNetwork> network)
      : load_(load), network_(std::move(network)) {}
  Pace run(double seconds) override {
    return loop(load_, seconds, [this](const std::string& jpeg) {
      network_->work(jpeg);
      return std::size_t{0};
    });
  }

 private:
  const Load& load_;
  std::unique_ptr<NaiveNetwork> network_;
};

class PlanRunner final : public Runner {
 public:
  PlanRunner(const Load& load, std::size_t threads) : load_(load) {
    task_.detect = load.detectors;
    worker::WorkbenchOptions options;
    options.detectors.models = load.models;
    for (std::size_t i = 0; i < threads; ++i) benches_.emplace_back(options);
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

}  // namespace

std::string Load::detect_list() const {
  std::string list;
  for (const auto& detector : detectors) list += (list.empty() ? "" : ",") + detector;
  return list;
}

std::unique_ptr<Runner> make_naive_loop(const Load& load) {
  return std::make_unique<NaiveRunner>(load);
}

Result<std::unique_ptr<Runner>, std::string> make_network_loop(const Load& load,
                                                               const PlainNetwork& network) {
  auto naive = NaiveNetwork::open(network, load.pictures.front());
  if (!naive) return fail(std::move(naive.error()));
  return std::make_unique<NetworkRunner>(load, std::move(*naive));
}

std::unique_ptr<Runner> make_plan_loops(const Load& load, std::size_t threads) {
  return std::make_unique<PlanRunner>(load, threads);
}

}  // namespace framefleet::bench
