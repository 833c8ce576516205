#include "bench/vision/fleet.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <utility>

namespace framefleet::bench {
namespace fs = std::filesystem;
namespace {

constexpr int kPatienceMs = 600'000;

cli::PrivateFolder make_folder() {
  auto folder = cli::PrivateFolder::create();
  FRAMEFLEET_ASSERT(folder.has_value());
  return std::move(*folder);
}

/// "2024-05-01T12:00:00.000Z" in seconds.
double seconds_of(const std::string& stored_at) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  const int read = std::sscanf(stored_at.c_str(), "%d-%u-%uT%d:%d:%lfZ", &year, &month, &day, &hour,
                               &minute, &second);
  FRAMEFLEET_ASSERT(read == 6);
  const std::chrono::sys_days date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return static_cast<double>(date.time_since_epoch().count()) * 86'400 + hour * 3600 + minute * 60 +
         second;
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
    std::ofstream(folder_ / fmt::format("{}.jpg", i), std::ios::binary) << load.pictures[i];
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

/// A folder of so many names for the pictures of the load, in turn.
fs::path Fleet::make_sources(std::size_t count) {
  const fs::path sources = folder_ / fmt::format("run-{}", runs_++);
  fs::create_directory(sources);
  for (std::size_t i = 0; i < count; ++i) {
    fs::create_hard_link(folder_ / fmt::format("{}.jpg", i % load_.pictures.size()),
                         sources / fmt::format("{:06}.jpg", i));
  }
  return sources;
}

/// The outcomes in the order in which they were stored.
std::vector<Fleet::Outcome> Fleet::work_on(const fs::path& sources) {
  auto producer =
      start("producer", {"--confirm", "stored", "--detect", load_.detect_list(), sources.string()});
  wait_for(producer);
  std::ifstream lines(folder_ / "store" / "results.ndjson");
  lines.seekg(read_);
  std::vector<Outcome> outcomes;
  for (std::string line; std::getline(lines, line);) {
    read_ = lines.tellg();
    const auto said = nlohmann::json::parse(line);
    FRAMEFLEET_ASSERT(said.at("status") == "ok");
    Outcome outcome{said.at("sequence"), seconds_of(said.at("stored_at")), 0};
    for (const auto& report : said.at("detectors")) {
      outcome.detections += report.at("detections").size();
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

Pace Fleet::run(double seconds) {
  const double pass = static_cast<double>(load_.pictures.size());
  const double passes = std::max(1.0, std::ceil(seconds * pictures_per_s_ / pass));
  const auto timed = static_cast<std::size_t>(passes * pass);
  // The slots' first pictures and their last ones are worked on, but not timed.
  const std::size_t count = slots_ + timed + slots_;
  auto outcomes = work_on(make_sources(count));
  FRAMEFLEET_ASSERT(outcomes.size() == count);
  Pace pace;
  pace.pictures = count;
  pace.start_cpu_s = producer_start_cpu_s_;
  const double begin = outcomes[slots_ - 1].stored_at_s;
  const double end = outcomes[slots_ - 1 + timed].stored_at_s;
  pace.pictures_per_s = static_cast<double>(timed) / (end - begin);
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
