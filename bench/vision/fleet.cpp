#include "bench/vision/fleet.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include "bench/vision/picture_folder.hpp"

namespace framefleet::bench {
namespace fs = std::filesystem;
namespace {

constexpr int kPatienceMs = 600'000;

cli::PrivateFolder make_folder() {
  auto folder = cli::PrivateFolder::create();
  FRAMEFLEET_ASSERT(folder.has_value());
  return std::move(*folder);
}

void wait_for(cli::ChildProcess& child) {
  pollfd end{child.end_fd(), POLLIN, 0};
  FRAMEFLEET_ASSERT(::poll(&end, 1, kPatienceMs) == 1);
  FRAMEFLEET_ASSERT(child.reap() == cli::ExitStatus{});
}

}  // namespace

Fleet::Fleet(const Load& load, std::size_t slots, const std::string& isolation)
    : load_(load), slots_(slots), home_(make_folder()), folder_(home_.path()) {
  for (std::size_t i = 0; i < load.pictures.size(); ++i) {
    pictures_.push_back(folder_ / fmt::format("{}.jpg", i));
    std::ofstream(pictures_.back(), std::ios::binary) << load.pictures[i];
  }
  for (int i = 0; i < 2; ++i) {  // The first one reads its libraries from the disk.
    const double before = family_cpu_seconds();
    auto producer = start("producer", {"--version"});
    wait_for(producer);
    producer_start_cpu_s_ = family_cpu_seconds() - before;
  }
  daemons_.push_back(start("broker", {"--bind", "ipc://" + (folder_ / "socket").string()}));
  daemons_.push_back(start("sink", {"--store", (folder_ / "store").string()}));
  daemons_.push_back(start("worker", {"--slots", std::to_string(slots), "--isolation", isolation}));
}

cli::ChildProcess Fleet::start(const std::string& name, std::vector<std::string> arguments) const {
  if (name != "broker") {
    arguments.insert(arguments.end(), {"--connect", "ipc://" + (folder_ / "socket").string()});
  }
  auto child = cli::ChildProcess::spawn(
      {std::string(FRAMEFLEET_PROGRAMS) + "/framefleet-" + name, std::move(arguments)},
      {.log = folder_ / (name + ".log")});
  FRAMEFLEET_ASSERT(child.has_value());
  return std::move(*child);
}

/// The outcomes of so many pictures in the order in which they were stored.
std::vector<Outcome> Fleet::work_on(std::size_t count) {
  const fs::path sources = folder_ / fmt::format("run-{}", runs_++);
  link_in_turn(pictures_, sources, count);
  auto producer =
      start("producer", {"--confirm", "stored", "--detect", load_.detect_list(), sources.string()});
  wait_for(producer);
  auto outcomes = stored_outcomes(folder_ / "store" / "results.ndjson", read_);
  FRAMEFLEET_ASSERT(outcomes.has_value());
  return std::move(*outcomes);
}

Pace Fleet::run(double seconds) {
  const double pass = static_cast<double>(load_.pictures.size());
  const double passes = std::max(1.0, std::ceil(seconds * pictures_per_s_ / pass));
  const auto timed = static_cast<std::size_t>(passes * pass);
  // The slots' first pictures and their last ones are worked on, but not timed.
  const std::size_t count = slots_ + timed + slots_;
  auto outcomes = work_on(count);
  FRAMEFLEET_ASSERT(outcomes.size() == count);
  Pace pace;
  pace.pictures = count;
  pace.start_cpu_s = producer_start_cpu_s_;
  pace.pictures_per_s = steady_pace(outcomes, slots_);
  pictures_per_s_ = pace.pictures_per_s;
  std::sort(outcomes.begin(), outcomes.end(),
            [](const Outcome& a, const Outcome& b) { return a.sequence < b.sequence; });
  for (std::size_t i = 0; i < load_.pictures.size(); ++i) pace.detections += outcomes[i].detections;
  return pace;
}

std::string Fleet::worker_said(const std::string& event) const {
  std::ifstream log(folder_ / "worker.log");
  for (std::string line; std::getline(log, line);) {
    const auto after = line.find(" after=");
    if (line.find(" " + event + " ") == std::string::npos || after == std::string::npos) continue;
    return line.substr(after + 7, line.find(' ', after + 1) - after - 7);
  }
  return "-";
}

std::vector<ProcessMemory> Fleet::worker_memory() const {
  return memory_of_each(daemons_.back().pid());
}

}  // namespace framefleet::bench
