// bench-store: how many outcomes per second the sink's store takes (bench/METHOD.md).

#include "sink/stores/sqlite_store.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {
namespace {

/// A new folder below the one for temporary files ($TMPDIR), removed at the end.
class NewFolder {
 public:
  NewFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "framefleet-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A picture in which one detector found three things.
sink::OutcomeToStore outcome_of(std::uint64_t sequence) {
  sink::OutcomeToStore given;
  auto& outcome = given.outcome;
  outcome.id = {.source = 0x9E3779B97F4A7C15ULL, .epoch = 1, .sequence = sequence};
  outcome.source = "north-gate/camera-000001";
  outcome.job = "monday's pictures";
  outcome.attempts = 1;
  outcome.worker = "worker-1";
  outcome.build = "0.1.0";
  given.description.origin = "/pictures/monday/" + std::to_string(sequence) + ".jpg";
  given.description.detect = {"faces"};
  given.record.width = 1280;
  given.record.height = 720;
  const Detection face{.label = "face", .score = 0.875F, .box = {100, 120, 64, 64}, .extra = ""};
  given.record.reports.push_back({.detector = "faces",
                                  .version = "1",
                                  .elapsed = std::chrono::milliseconds{14},
                                  .detections = {face, face, face}});
  return given;
}

/// Processor time of this thread, the kernel's included.
Duration processor_time() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return duration(used.ru_utime) + duration(used.ru_stime);
}

struct Series {
  std::uint64_t rows{0};
  Duration spent{};
  Duration worked{};
  double rows_per_second() const { return static_cast<double>(rows) / seconds(spent); }
  double cpu_us() const { return seconds(worked) * 1e6 / static_cast<double>(rows); }
};

/// Commits `rows` outcomes in batches of `batch`; false where the store fails.
bool commit(sink::SqliteStore& store, std::uint64_t batch, std::uint64_t rows,
            std::uint64_t& sequence, Series& series) {
  for (std::uint64_t done = 0; done < rows; done += batch) {
    std::vector<sink::OutcomeToStore> outcomes;
    for (std::uint64_t i = 0; i < batch; ++i) outcomes.push_back(outcome_of(sequence++));
    const Time begin = telemetry::monotonic_now();
    const Duration worked = processor_time();
    if (!store.commit(outcomes)) return false;
    series.worked += processor_time() - worked;
    series.spent += telemetry::monotonic_now() - begin;
    series.rows += batch;
  }
  return true;
}

/// Batches of one, of 64 and of 512 take turns in one store, so that all meet the same disk.
void store_rows(benchmark::State& state) {
  const NewFolder folder;
  auto store = sink::SqliteStore::open({.folder = folder.path(),
                                        .ndjson = state.range(0) != 0,
                                        .now_ms = telemetry::wall_clock_ms,
                                        .build = "bench"});
  if (!store) {
    state.SkipWithError(store.error().text.c_str());
    return;
  }
  Series alone;
  Series small;
  Series large;
  Series warm_up;
  std::uint64_t sequence = 0;
  bool stored = commit(**store, 512, 8'192, sequence, warm_up);
  for (auto _ : state) {
    const Duration before = alone.spent + small.spent + large.spent;
    stored = stored && commit(**store, 1, 128, sequence, alone) &&
             commit(**store, 64, 4'096, sequence, small) &&
             commit(**store, 512, 4'096, sequence, large);
    state.SetIterationTime(seconds(alone.spent + small.spent + large.spent - before));
  }
  if (!stored) {
    state.SkipWithError("the store failed; is there space in the folder for temporary files?");
    return;
  }
  state.counters["cpu_us_1"] = alone.cpu_us();
  state.counters["cpu_us_64"] = small.cpu_us();
  state.counters["cpu_us_512"] = large.cpu_us();
  state.counters["rows_per_s_64"] = small.rows_per_second();
  state.counters["rows_per_s_512"] = large.rows_per_second();
  state.counters["512_to_64"] = large.rows_per_second() / small.rows_per_second();
  state.SetLabel(folder.path().parent_path().string());
}
BENCHMARK(store_rows)
    ->ArgName("ndjson")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(20)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace framefleet::bench
