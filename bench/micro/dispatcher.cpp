// bench-dispatcher: what a task costs the broker's core (bench/METHOD.md).

#include "shared/telemetry/monotonic.hpp"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdint>

#include "bench/micro/dispatcher_load.hpp"

namespace framefleet::bench {
namespace {

/// Bytes that malloc has given out and not got back, its own bookkeeping for them included.
double allocated_bytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// Nanoseconds of a task's life in the dispatcher, all its messages together.
void task_life(benchmark::State& state) {
  DispatcherLoad load{{.sources = static_cast<std::uint64_t>(state.range(0)),
                       .backlog = static_cast<std::uint64_t>(state.range(1))}};
  load.fill();
  load.hire(4, 4);
  load.warm_up();
  for (auto _ : state) {
    Duration spent{};
    load.live_once([&spent](auto call) {
      const Time begin = telemetry::monotonic_now();
      call();
      spent += telemetry::monotonic_now() - begin;
    });
    state.SetIterationTime(seconds(spent));
  }
}
BENCHMARK(task_life)
    ->ArgNames({"sources", "backlog"})
    ->ArgsProduct({{10, 1'000, 100'000}, {10, 1'000, 1'000'000}})
    ->Iterations(100'000)
    ->UseManualTime();

/// Bytes per task in the tables, less what is counted for its texts; `allowed` is what is counted
/// for the tables: Task::kTables, or StoringTable::kTables.
class TableBytes {
 public:
  TableBytes(benchmark::State& state, LoadShape shape, std::uint64_t allowed)
      : state_(state),
        load_(shape),
        tasks_(shape.backlog),
        allowed_(allowed),
        before_(allocated_bytes()) {
    state_.counters["allowed"] = static_cast<double>(allowed);
  }
  DispatcherLoad& load() { return load_; }
  /// Requires: every task is in that state.
  void count(const char* name, broker::TaskState in_state) {
    if (load_.in_state(in_state) != tasks_) {
      state_.SkipWithError("the tasks are not in the state that is to be measured");
    }
    const double held = allocated_bytes() - before_ - static_cast<double>(load_.own_bytes());
    const auto counted = static_cast<double>(load_.counted_bytes(allowed_));
    state_.counters[name] = (held - counted) / static_cast<double>(tasks_);
  }

 private:
  benchmark::State& state_;
  DispatcherLoad load_;
  std::uint64_t tasks_;
  std::uint64_t allowed_;
  double before_;
};

LoadShape shape_of(const benchmark::State& state) {
  return {.sources = static_cast<std::uint64_t>(state.range(0)),
          .backlog = static_cast<std::uint64_t>(state.range(1)),
          .with_ttl = state.range(2) != 0};
}

/// One after the other: all tasks ready, all handed out, all waiting for another attempt with one
/// entry in their history.
void task_memory(benchmark::State& state) {
  for (auto _ : state) {
    const auto shape = shape_of(state);
    TableBytes bytes{state, shape, broker::Task::kTables};
    bytes.load().fill();
    bytes.count("ready", broker::TaskState::ready);
    bytes.load().hire(1, static_cast<std::uint32_t>(shape.backlog));
    bytes.count("leased", broker::TaskState::leased);
    bytes.load().fail_all();
    bytes.count("delayed", broker::TaskState::delayed);
  }
}
BENCHMARK(task_memory)
    ->ArgNames({"sources", "backlog", "ttl"})
    ->ArgsProduct({{10, 1'000, 100'000}, {1'000'000}, {0, 1}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

/// All tasks done, their outcomes waiting for the sink.
void outcome_memory(benchmark::State& state) {
  for (auto _ : state) {
    const auto shape = shape_of(state);
    TableBytes bytes{state, shape, broker::StoringTable::kTables};
    bytes.load().fill();
    bytes.load().hire(1, static_cast<std::uint32_t>(shape.backlog));
    bytes.load().finish_all_unstored();
    bytes.count("storing", broker::TaskState::storing);
  }
}
BENCHMARK(outcome_memory)
    ->ArgNames({"sources", "backlog", "ttl"})
    ->Args({1'000, 4'096, 0})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace framefleet::bench
