// framefleet-bench-loop: the parts of `framefleet bench vision` that need OpenCV, which the other
// workloads' processes are not to carry.
//
//   framefleet-bench-loop draw FOLDER COUNT     so many different pictures of 1280x720
//   framefleet-bench-loop work FOLDER RESULTS   the loop that everybody writes first
//
// `work` tells on descriptor 3 that it is done and stays until it is told to end; RESULTS has a
// line for each picture: number, time, seconds that it took, detections. Exit codes: 0; 64 usage;
// 70 all else.

#include "shared/base/result.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/fleet/cue.hpp"
#include "bench/vision/naive_loop.hpp"
#include "bench/vision/pictures.hpp"

namespace framefleet::bench {
namespace {

namespace fs = std::filesystem;

void draw(const fs::path& folder, int count) {
  for (int i = 0; i < count; ++i) {
    std::ofstream(folder / fmt::format("{:03}.jpg", i), std::ios::binary)
        << make_picture(1280, 720, i);
  }
}

std::string bytes_of(const fs::path& file) {
  std::ifstream picture(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(picture), {}};
}

void work(const fs::path& folder, const fs::path& results) {
  std::vector<fs::path> files{fs::directory_iterator(folder), {}};
  std::sort(files.begin(), files.end());
  NaiveLoop loop({"edges", "corners", "faces"});
  std::string lines;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Time began_at = telemetry::monotonic_now();
    const auto detections = loop.work(bytes_of(files[i]));
    lines += fmt::format("{} {:.3f} {:.6f} {}\n", i,
                         static_cast<double>(telemetry::wall_clock_ms()) * 1e-3,
                         seconds(telemetry::monotonic_now() - began_at), detections);
  }
  std::ofstream(results) << lines;
  Cue cue;
  cue.done();
  while (!cue.told_to_end(std::chrono::seconds(1))) {
  }
  cue.report({.tasks = files.size()});
}

}  // namespace
}  // namespace framefleet::bench

int main(int argc, char** argv) {
  namespace bench = framefleet::bench;
  const std::vector<std::string> words(argv, argv + argc);
  try {
    if (words.size() == 4 && words[1] == "draw") {
      bench::draw(words[2], std::stoi(words[3]));
    } else if (words.size() == 4 && words[1] == "work") {
      bench::work(words[2], words[3]);
    } else {
      std::fputs("usage: framefleet-bench-loop draw FOLDER COUNT | work FOLDER RESULTS\n", stderr);
      return framefleet::exit_code::kUsage;
    }
    return framefleet::exit_code::kOk;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "framefleet-bench-loop: %s\n", error.what());
    return framefleet::exit_code::kInternal;
  }
}
