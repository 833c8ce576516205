// bench-dispatcher-cost SOURCES BACKLOG LIVES: task lives for callgrind to count.
//
// Meant to run under `valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no`, as
// bench/micro/cost_check.py does: only the dispatcher's own calls of the last LIVES lives are
// counted, after a warm-up. Every task has a ttl: one table more, and one that is sorted. Exit
// codes: 0, or 64 for arguments that are no numbers.

#include <valgrind/callgrind.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

#include "bench/micro/dispatcher_load.hpp"

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number == 0) return std::nullopt;
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  const auto sources = number_of(argc == 4 ? argv[1] : "");
  const auto backlog = number_of(argc == 4 ? argv[2] : "");
  const auto lives = number_of(argc == 4 ? argv[3] : "");
  if (!sources || !backlog || !lives) {
    std::fputs("usage: bench-dispatcher-cost SOURCES BACKLOG LIVES\n", stderr);
    return 64;
  }
  framefleet::bench::DispatcherLoad load{
      {.sources = *sources, .backlog = *backlog, .with_ttl = true}};
  load.fill();
  load.hire(4, 4);
  load.warm_up();
  const auto settled_before = load.settled();
  CALLGRIND_START_INSTRUMENTATION;
  for (std::uint64_t i = 0; i < *lives; ++i) {
    load.live_once([](auto call) {
      CALLGRIND_TOGGLE_COLLECT;
      call();
      CALLGRIND_TOGGLE_COLLECT;
    });
  }
  CALLGRIND_STOP_INSTRUMENTATION;
  std::printf("%llu\n", static_cast<unsigned long long>(load.settled() - settled_before));
  return 0;
}
