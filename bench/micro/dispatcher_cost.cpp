// bench-dispatcher-cost SOURCES BACKLOG LIVES: task lives for callgrind to count. Prints how many
// there were and how often they allocated.
//
// Meant to run under `valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no`, as
// bench/micro/cost_check.py does: only the dispatcher's own calls of the last LIVES lives are
// counted, after a warm-up. Every task has a ttl: one table more, and one that is sorted. Exit
// codes: 0, or 64 for arguments that are no numbers.

#include <valgrind/callgrind.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <string_view>

#include "bench/micro/dispatcher_load.hpp"

namespace {

std::uint64_t allocations = 0;

}  // namespace

// This program's allocator counts.
void* operator new(std::size_t count) {
  ++allocations;
  if (void* const memory = std::malloc(count); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*count*/) noexcept { std::free(memory); }

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
  std::uint64_t of_lives = 0;
  CALLGRIND_START_INSTRUMENTATION;
  for (std::uint64_t i = 0; i < *lives; ++i) {
    load.live_once([&of_lives](auto call) {
      const auto before = allocations;
      CALLGRIND_TOGGLE_COLLECT;
      call();
      CALLGRIND_TOGGLE_COLLECT;
      of_lives += allocations - before;
    });
  }
  CALLGRIND_STOP_INSTRUMENTATION;
  std::printf("%llu %llu\n", static_cast<unsigned long long>(load.settled() - settled_before),
              static_cast<unsigned long long>(of_lives));
  return 0;
}
