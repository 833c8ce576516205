#pragma once
// Pictures whose answers are known: one for each detector, and one for each format beside JPEG. A
// machine, a build or a model file that gets one of them wrong would get others wrong as well.
//
// The pictures are drawn, the same on every machine. Pure; any thread. Nothing that a child process
// made is decoded to check it: its answer is compared with what is expected, byte by byte where it
// is a picture.

#include "worker/decoding/image_format.hpp"
#include "worker/detectors/workbench.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

struct SelfTest {
  std::string_view detector;
  ImageFormat format;         ///< Of its picture.
  std::string_view expected;  ///< In words.
  /// The payload frames of its task.
  std::vector<std::string> (*frames)();
  /// What is in the answer instead of what is expected; "" where it is right.
  std::string (*fault)(const Worked& worked);

  /// "faces", "edges in png": for people.
  std::string name() const;
  TaskDescription task() const;
  /// As `fault`, after what holds for all: one report of this detector on a picture of full size,
  /// undamaged.
  std::string fault_of(const Worked& worked) const;
};

/// What their pictures have at most: no worker may be told to take less.
inline constexpr std::uint64_t kSelfTestPixelsMax = 160'000;
inline constexpr std::uint64_t kSelfTestBytesMax = std::uint64_t{64} << 10U;

/// Of every detector there is, in the order of the registry, and of every format.
std::span<const SelfTest> self_tests();
/// Those that concern a worker which offers these detectors and takes these formats.
std::vector<SelfTest> self_tests_of(const std::vector<std::string>& detectors, FormatSet formats);

}  // namespace framefleet::worker
