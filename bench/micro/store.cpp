// bench-store: how many outcomes per second the sink's store takes (bench/METHOD.md).

#include "sink/stores/database.hpp"
#include "sink/stores/sqlite_store.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
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

/// A picture in which one detector found so many things.
sink::OutcomeToStore outcome_of(std::uint64_t sequence, std::size_t found) {
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
                                  .detections = std::vector<Detection>(found, face)});
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

/// One batch: false where `commit` fails.
bool timed(Series& series, std::uint64_t rows, const std::function<bool()>& commit) {
  const Time begin = telemetry::monotonic_now();
  const Duration worked = processor_time();
  if (!commit()) return false;
  series.worked += processor_time() - worked;
  series.spent += telemetry::monotonic_now() - begin;
  series.rows += rows;
  return true;
}

/// Outcomes in which so much was found, one after the other.
class Outcomes {
 public:
  explicit Outcomes(std::size_t found) : found_(found) {}

  /// Commits `rows` of them in batches of `batch`; false where the store fails.
  bool commit(sink::SqliteStore& store, std::uint64_t batch, std::uint64_t rows, Series& series) {
    for (std::uint64_t done = 0; done < rows; done += batch) {
      std::vector<sink::OutcomeToStore> outcomes;
      for (std::uint64_t i = 0; i < batch; ++i) outcomes.push_back(outcome_of(sequence_++, found_));
      if (!timed(series, batch, [&] { return store.commit(outcomes).has_value(); })) return false;
    }
    return true;
  }

 private:
  std::size_t found_;
  std::uint64_t sequence_{0};
};

sink::SqliteStoreOptions options(const std::filesystem::path& folder, bool ndjson) {
  return {.folder = folder, .ndjson = ndjson, .now_ms = telemetry::wall_clock_ms, .build = "bench"};
}

/// What SQLite alone takes: the rows of one store are copied into a new one, with its indexes, and
/// nothing is formatted, bound or looked for. An outcome and its only run have one number.
bool copy(const std::filesystem::path& from, const std::filesystem::path& to, std::int64_t batch,
          Series& series) {
  if (!sink::SqliteStore::open(options(to, false))) return false;
  const auto opened = sink::Database::open(to / "results.sqlite", sink::Access::write);
  if (!opened) return false;
  auto& database = **opened;
  const bool ready =
      database.execute(
          "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000") &&
      sink::Statement(database, "ATTACH ?1 AS given").run((from / "results.sqlite").string());
  sink::Statement outcomes(
      database, "INSERT INTO outcomes SELECT * FROM given.outcomes WHERE id > ?1 AND id <= ?2");
  sink::Statement runs(database,
                       "INSERT INTO detector_run_rows SELECT * FROM given.detector_run_rows WHERE "
                       "id > ?1 AND id <= ?2");
  sink::Statement detections(database,
                             "INSERT INTO detection_rows SELECT * FROM given.detection_rows WHERE "
                             "run > ?1 AND run <= ?2");
  const auto count = database.number("SELECT max(id) FROM given.outcomes");
  if (!ready || !count) return false;
  for (std::int64_t from_row = 0; from_row < *count; from_row += batch) {
    const auto to_row = std::min(*count, from_row + batch);
    const bool copied = timed(series, static_cast<std::uint64_t>(to_row - from_row), [&] {
      sink::Transaction transaction(database);
      return transaction.begin() && outcomes.run(from_row, to_row) && runs.run(from_row, to_row) &&
             detections.run(from_row, to_row) && transaction.commit() &&
             database.checkpoint_if_grown();
    });
    if (!copied) return false;
  }
  const auto all_of = [&database](const std::string& table) {
    return database.number("SELECT count(*) FROM " + table) ==
           database.number("SELECT count(*) FROM given." + table);
  };
  return all_of("outcomes") && all_of("detector_run_rows") && all_of("detection_rows");
}

/// Batches of one, of 64 and of 512 take turns in one store, so that all meet the same disk.
void store_rows(benchmark::State& state) {
  const NewFolder folder;
  const NewFolder other;
  auto store = sink::SqliteStore::open(options(folder.path(), state.range(0) != 0));
  if (!store) {
    state.SkipWithError(store.error().text.c_str());
    return;
  }
  Series alone;
  Series small;
  Series large;
  Series copied;
  Series warm_up;
  Outcomes outcomes(static_cast<std::size_t>(state.range(1)));
  bool stored = outcomes.commit(**store, 512, 8'192, warm_up);
  for (auto _ : state) {
    const Duration before = alone.spent + small.spent + large.spent;
    stored = stored && outcomes.commit(**store, 1, 128, alone) &&
             outcomes.commit(**store, 64, 4'096, small) &&
             outcomes.commit(**store, 512, 4'096, large);
    state.SetIterationTime(seconds(alone.spent + small.spent + large.spent - before));
  }
  store->reset();
  if (!stored || !copy(folder.path(), other.path(), 512, copied)) {
    state.SkipWithError("the store failed; is there space in the folder for temporary files?");
    return;
  }
  state.counters["cpu_us_1"] = alone.cpu_us();
  state.counters["cpu_us_64"] = small.cpu_us();
  state.counters["cpu_us_512"] = large.cpu_us();
  state.counters["cpu_us_sqlite"] = copied.cpu_us();
  state.counters["rows_per_s_64"] = small.rows_per_second();
  state.counters["rows_per_s_512"] = large.rows_per_second();
  state.counters["512_to_64"] = large.rows_per_second() / small.rows_per_second();
  state.SetLabel(folder.path().parent_path().string());
}
BENCHMARK(store_rows)
    ->ArgNames({"ndjson", "found"})
    ->Args({0, 0})
    ->Args({0, 3})
    ->Args({1, 3})
    ->Iterations(20)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace framefleet::bench
