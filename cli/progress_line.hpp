#pragma once
// The line that a person watches: bar, done, failed, left, rate and ETA, fitted to the terminal's
// width. Pure: a view goes in, one line without a newline comes out.

#include "cli/producer_events.hpp"

#include "shared/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::cli {

struct ProgressView {
  Counters counters;
  std::optional<double> per_second;   ///< Moving rate.
  std::optional<Duration> remaining;  ///< ETA.
  Duration elapsed{};
  bool draining{false};
  std::optional<std::uint32_t> workers{};  ///< Where their number changes.
};

/// How the terminal wants it.
struct TerminalStyle {
  std::size_t columns{80};
  bool unicode{false};  ///< Its character set has block elements.
};

/// Holds no escape sequence. Never wider than `style.columns - 1` (the last column makes terminals
/// wrap); what matters least is left out first, the bar before the counts.
std::string render_progress_line(const ProgressView& view, const TerminalStyle& style);

/// The same as words for a log: no bar, no control characters, no width.
std::string render_plain_progress(const ProgressView& view);

/// "7", "1 234 567": groups of three, for people.
std::string count_text(std::uint64_t count);
/// "0:07", "12:34", "3:05:00".
std::string clock_text(Duration duration);

}  // namespace framefleet::cli
