#include "cli/cost_table.hpp"

#include "cli/table.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <vector>

namespace framefleet::cli {
namespace {

constexpr double kMillisecondsPerSecond = 1000;

struct Part {
  std::string name;
  sink::WorkSummary work;
  double share;  ///< Of all work.
};

std::vector<Part> parts_of(const sink::Cost& cost) {
  const auto sum = [](const sink::WorkSummary& work) {
    return work.mean_ms * static_cast<double>(work.pictures);
  };
  std::vector<Part> parts;
  const auto add = [&](std::string name, const sink::WorkSummary& work) {
    if (work.pictures > 0) parts.push_back({std::move(name), work, sum(work) / sum(cost.all)});
  };
  add("decode", cost.decode);
  for (const sink::DetectorSummary& each : cost.detectors) {
    add(each.detector, {each.pictures, each.mean_ms, each.p95_ms});
  }
  add("annotate", cost.annotate);
  return parts;
}

double cameras_per_slot(double fps, double mean_ms) {
  return kSlotLoad * kMillisecondsPerSecond / (fps * mean_ms);
}

/// Three digits that matter.
std::string figure(double value) {
  if (value < 10) return fmt::format("{:.2f}", value);
  return value < 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

std::string work_table(const sink::Cost& cost) {
  constexpr std::size_t kNameColumnsMax = 40;
  Table table(
      {{"work", Align::left, kNameColumnsMax}, {"pictures"}, {"mean ms"}, {"p95 ms"}, {"share"}});
  for (const Part& part : parts_of(cost)) {
    table.add({part.name, std::to_string(part.work.pictures), figure(part.work.mean_ms),
               figure(part.work.p95_ms), fmt::format("{:.0f} %", 100 * part.share)});
  }
  table.add({"all of it", std::to_string(cost.all.pictures), figure(cost.all.mean_ms),
             figure(cost.all.p95_ms), "100 %"});
  return table.render();
}

std::string camera_table(const sink::Cost& cost, std::uint32_t cameras) {
  std::vector<Column> columns{{"cameras of", Align::left, 40}};
  std::vector<std::string> per_slot{"on one slot"};
  std::vector<std::string> slots{fmt::format("slots for {}", cameras)};
  for (const int fps : kCameraRates) {
    columns.push_back({fmt::format("{} fps", fps)});
    per_slot.push_back(figure(cameras_per_slot(fps, cost.all.mean_ms)));
    slots.push_back(std::to_string(slots_for(cameras, fps, cost.all.mean_ms)));
  }
  Table table(std::move(columns));
  table.add(std::move(per_slot));
  table.add(std::move(slots));
  return table.render();
}

}  // namespace

std::uint64_t slots_for(std::uint32_t cameras, double fps, double mean_ms) {
  const double slots = cameras * fps * mean_ms / kMillisecondsPerSecond / kSlotLoad;
  return static_cast<std::uint64_t>(std::ceil(slots));
}

std::string render_cost(const sink::Cost& cost, const CostQuestion& question) {
  FRAMEFLEET_ASSERT(cost.all.pictures > 0);
  const char* beside = question.workers == 1 ? "one worker" : "workers side by side";
  return fmt::format(
      "{} pictures of {} megapixels in the mean, {}{}\n\n{}\n"
      "A slot works on {} of them per second. Busy for {:.0f} % of its time, so that live frames "
      "need not wait:\n\n{}",
      cost.all.pictures, figure(cost.megapixels),
      question.workers == 1 ? "" : fmt::format("{} ", question.workers), beside, work_table(cost),
      figure(kMillisecondsPerSecond / cost.all.mean_ms), 100 * kSlotLoad,
      camera_table(cost, question.cameras));
}

std::string render_cost_json(const sink::Cost& cost, const CostQuestion& question) {
  FRAMEFLEET_ASSERT(cost.all.pictures > 0);
  auto work = nlohmann::json::array();
  for (const Part& part : parts_of(cost)) {
    work.push_back({{"name", part.name},
                    {"pictures", part.work.pictures},
                    {"mean_seconds", part.work.mean_ms / kMillisecondsPerSecond},
                    {"p95_seconds", part.work.p95_ms / kMillisecondsPerSecond},
                    {"share", part.share}});
  }
  auto cameras = nlohmann::json::array();
  for (const int fps : kCameraRates) {
    cameras.push_back({{"frames_per_second", fps},
                       {"on_one_slot", cameras_per_slot(fps, cost.all.mean_ms)},
                       {"slots", slots_for(question.cameras, fps, cost.all.mean_ms)}});
  }
  return nlohmann::json{{"pictures", cost.all.pictures},
                        {"megapixels", cost.megapixels},
                        {"workers", question.workers},
                        {"mean_seconds", cost.all.mean_ms / kMillisecondsPerSecond},
                        {"p95_seconds", cost.all.p95_ms / kMillisecondsPerSecond},
                        {"work", work},
                        {"load", kSlotLoad},
                        {"cameras", question.cameras},
                        {"by_rate", cameras}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace framefleet::cli
