#include "cli/comparison.hpp"

#include "cli/humane.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;
using Rate = double (TimedRun::*)(std::size_t) const;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// What a run takes until its first picture is done, and after its last.
double start_seconds(const TimedRun& run) { return seconds(run.whole - run.working); }

Spread rates(const std::vector<TimedRun>& runs, std::size_t pictures, Rate rate) {
  std::vector<double> all;
  for (const auto& run : runs) all.push_back((run.*rate)(pictures));
  return spread_of(std::move(all));
}

Spread starts(const std::vector<TimedRun>& runs) {
  std::vector<double> all;
  for (const auto& run : runs) all.push_back(start_seconds(run));
  return spread_of(std::move(all));
}

/// Of each round by itself: a machine that is slow for a while is so for both.
Spread ratios(const Comparison& comparison, Rate rate) {
  std::vector<double> all;
  for (std::size_t i = 0; i < comparison.loop.size(); ++i) {
    all.push_back((comparison.fleet[i].*rate)(comparison.pictures) /
                  (comparison.loop[i].*rate)(comparison.pictures));
  }
  return spread_of(std::move(all));
}

std::string in_words(const Spread& spread) {
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", spread.median, spread.low, spread.high);
}

std::string row(const std::string& name, const std::vector<TimedRun>& runs, std::size_t pictures) {
  return fmt::format(
      "{:<26}{:>26}{:>26}{:>9}\n", name, in_words(rates(runs, pictures, &TimedRun::steady_rate)),
      in_words(rates(runs, pictures, &TimedRun::whole_rate)), humane_duration(starts(runs).median));
}

/// Where the parallel one loses, and why.
std::string verdict(const Comparison& comparison) {
  const double enough = break_even(comparison);
  if (enough < 0) {
    return "The fleet is not faster: these detectors cost less than handing the pictures round, or "
           "the\nmachine has no processors left.\n";
  }
  if (enough <= static_cast<double>(comparison.pictures)) {
    return fmt::format("From about {:.0f} such pictures on the fleet is done first.\n",
                       std::ceil(std::max(enough, 1.0)));
  }
  return fmt::format(
      "These are too few pictures for the fleet's start-up: from about {:.0f} on it is done "
      "first.\n",
      std::ceil(enough));
}

Json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"low", spread.low}, {"high", spread.high}};
}

Json json_of(const std::vector<TimedRun>& runs, std::size_t pictures) {
  return {{"pictures_per_s", json_of(rates(runs, pictures, &TimedRun::steady_rate))},
          {"pictures_per_s_with_start", json_of(rates(runs, pictures, &TimedRun::whole_rate))},
          {"start_s", json_of(starts(runs))}};
}

}  // namespace

double TimedRun::steady_rate(std::size_t pictures) const {
  return static_cast<double>(pictures - 1) / std::max(seconds(working), 1e-3);
}

double TimedRun::whole_rate(std::size_t pictures) const {
  return static_cast<double>(pictures) / std::max(seconds(whole), 1e-3);
}

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

double break_even(const Comparison& comparison) {
  const std::size_t pictures = comparison.pictures;
  const double of_loop = 1 / rates(comparison.loop, pictures, &TimedRun::steady_rate).median;
  const double of_fleet = 1 / rates(comparison.fleet, pictures, &TimedRun::steady_rate).median;
  if (of_fleet >= of_loop) return -1;
  const double later = starts(comparison.fleet).median - starts(comparison.loop).median;
  return std::max(0.0, 1 + later / (of_loop - of_fleet));
}

std::string render_comparison(const Comparison& comparison) {
  const std::size_t pictures = comparison.pictures;
  std::string text =
      fmt::format("{} pictures, {}; {} round(s) in turn, median (lowest to highest)\n\n", pictures,
                  printable(comparison.detectors), comparison.loop.size());
  text +=
      fmt::format("{:<26}{:>26}{:>26}{:>9}\n", "", "pictures/s", "start-up counted", "start-up");
  text += row("one process, one loop", comparison.loop, pictures);
  text += row(fmt::format("fleet of {} worker(s)", comparison.workers), comparison.fleet, pictures);
  text += fmt::format("{:<26}{:>26}{:>26}\n\n", "fleet / loop",
                      in_words(ratios(comparison, &TimedRun::steady_rate)),
                      in_words(ratios(comparison, &TimedRun::whole_rate)));
  return text + verdict(comparison);
}

std::string render_comparison_json(const Comparison& comparison) {
  const std::size_t pictures = comparison.pictures;
  return Json{{"pictures", pictures},
              {"detectors", comparison.detectors},
              {"workers", comparison.workers},
              {"rounds", comparison.loop.size()},
              {"loop", json_of(comparison.loop, pictures)},
              {"fleet", json_of(comparison.fleet, pictures)},
              {"ratio", json_of(ratios(comparison, &TimedRun::steady_rate))},
              {"ratio_with_start", json_of(ratios(comparison, &TimedRun::whole_rate))},
              {"break_even_pictures", break_even(comparison)}}
      .dump();
}

}  // namespace framefleet::cli
