#pragma once
// Pictures whose answers are known: one for each detector, and one for each format beside JPEG. A
// machine, a build or a model file that gets one of them wrong would get others wrong as well.
//
// The pictures are drawn, the same on every machine. Pure; any thread. Nothing that a child process
// made is decoded to check it: its answer is compared with what is expected, byte by byte where it
// is a picture.

#include "worker/detectors/workbench.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

struct SelfTest {
  std::string_view detector;
  std::string_view format;    ///< Of its picture: "jpeg", "png", "webp".
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

/// Of every detector there is, in the order of the registry, and of every format.
std::span<const SelfTest> self_tests();
/// Those that concern a worker which offers these detectors: theirs, and every format's.
std::vector<SelfTest> self_tests_of(const std::vector<std::string>& detectors);

}  // namespace framefleet::worker
