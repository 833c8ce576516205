#include "bench/fleet/picture_run.hpp"

#include "cli/fleet_commands.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "bench/figures/task_book.hpp"
#include "bench/fleet/cast.hpp"
#include "bench/fleet/report.hpp"
#include "bench/fleet/spending.hpp"
#include "bench/vision/picture_folder.hpp"

namespace framefleet::bench {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr int kDifferent = 14;
constexpr Duration kDrawnWithin = 120s;

double unix_seconds() { return static_cast<double>(telemetry::wall_clock_ms()) * 1e-3; }

}  // namespace

Duration patience_for(std::uint64_t pictures) { return 60s + 10s * pictures; }

Result<PictureStock, Error> PictureStock::draw() {
  auto folder = cli::PrivateFolder::create();
  if (!folder) return fail(folder.error());
  const auto originals = folder->path() / "drawn";
  const auto log = folder->path() / "draw.log";
  fs::create_directory(originals);
  auto drawing =
      cli::ChildProcess::spawn({cli::locate(cli::own_folder(), "framefleet-bench-loop"),
                                {"draw", originals.string(), std::to_string(kDifferent)}},
                               {.log = log});
  if (!drawing) return fail(drawing.error());
  auto drawn = until_left(*drawing, "drawing pictures", log, kDrawnWithin);
  if (!drawn) return fail(drawn.error());
  return PictureStock(std::move(*folder));
}

fs::path PictureStock::folder_of(std::uint64_t tasks) const {
  auto folder = folder_.path() / fmt::format("{}-pictures", tasks);
  if (fs::exists(folder)) return folder;
  std::vector<fs::path> originals{fs::directory_iterator(folder_.path() / "drawn"), {}};
  std::sort(originals.begin(), originals.end());
  link_in_turn(originals, folder, tasks);
  return folder;
}

PictureRun::PictureRun() : begin_s_(unix_seconds()), reaped_s_(reaped_cpu_seconds()) {}

ProcessFigures& PictureRun::of(const std::string& process) {
  const auto found = std::find_if(processes_.begin(), processes_.end(),
                                  [&](const auto& each) { return each.process == process; });
  return found != processes_.end() ? *found : processes_.emplace_back(ProcessFigures{process});
}

Result<void, Error> PictureRun::reap(cli::ChildProcess& child, const std::string& who,
                                     const std::string& process, const fs::path& log) {
  constexpr Duration kLeaveWithin = 30s;
  if (auto left = until_left(child, who, log, kLeaveWithin); !left) return left;
  const double before = std::exchange(reaped_s_, reaped_cpu_seconds());
  of(process).cpu_us += 1e6 * (reaped_s_ - before);
  return {};
}

void PictureRun::note_peak(const std::string& process, std::uint64_t bytes) {
  of(process).peak_bytes = bytes;
}

Result<RunFigures, Error> PictureRun::figures(std::uint64_t tasks, std::vector<Outcome> outcomes,
                                              std::size_t slots, bool steady) const {
  TaskBook book(tasks);
  RunFigures figures;
  figures.tasks = tasks;
  std::vector<double> us;
  for (const auto& outcome : outcomes) {
    book.note(outcome.sequence);
    us.push_back(1e6 * outcome.took_s);
    figures.detections += outcome.detections;
  }
  if (const auto fault = book.fault(); !fault.empty()) return fail(Error{fault});
  std::sort(outcomes.begin(), outcomes.end(),
            [](const Outcome& a, const Outcome& b) { return a.done_at_s < b.done_at_s; });
  figures.wall_s = outcomes.back().done_at_s - begin_s_;
  figures.per_second =
      steady ? steady_pace(outcomes, slots) : static_cast<double>(tasks) / figures.wall_s;
  figures.latency_us = tail_of(std::move(us));
  figures.processes = processes_;
  for (auto& each : figures.processes) each.cpu_us /= static_cast<double>(tasks);
  return figures;
}

}  // namespace framefleet::bench
