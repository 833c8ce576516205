#pragma once
// What pictures cost and how many cameras that is: the tables of `framefleet cost`. Pure; threads:
// any; no errors.

#include "sink/stores/report.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace framefleet::cli {

/// Of a slot's time: more, and live frames wait for each other.
inline constexpr double kSlotLoad = 0.8;
inline constexpr std::array kCameraRates{1, 5, 10, 15, 25};  ///< Frames per second.

struct CostQuestion {
  std::uint32_t workers{1};   ///< That worked side by side, with one slot each.
  std::uint32_t cameras{20};  ///< To compute the slots for.
};

/// Slots that so many cameras need, each with `fps` frames per second of `mean_ms` work.
std::uint64_t slots_for(std::uint32_t cameras, double fps, double mean_ms);

/// Requires: cost.all.pictures > 0. For people, several lines, each ended.
std::string render_cost(const sink::Cost& cost, const CostQuestion& question);
/// Requires: the same. One line, without its newline.
std::string render_cost_json(const sink::Cost& cost, const CostQuestion& question);

}  // namespace framefleet::cli
