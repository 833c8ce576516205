#pragma once
// The one function of a fuzz target. libFuzzer calls it with what it makes up (build preset
// `fuzz`); replay.cpp calls it with the committed corpus (an ordinary test). What must hold is
// asserted in it: a finding ends the process.
//
// Invariants: the same bytes do the same thing, whatever came before them. Threads: one.

#include <cstddef>
#include <cstdint>
#include <span>

// The name is libFuzzer's. Answers 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace framefleet::test {

inline std::span<const std::byte> as_input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

}  // namespace framefleet::test
