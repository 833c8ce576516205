#pragma once
// What a run shows while it runs, in one of four manners. Writes to two streams and reads the width
// of the terminal; what it writes is rendered by pure functions.
//
//   terminal  one line on stderr, redrawn          plain  a line on stderr every few seconds
//   quiet     errors alone, on stderr              json   NDJSON on stdout; errors on stderr
//
// Threads: one. Errors: a stream that cannot be written is the reader's choice and ends nothing.

#include "cli/progress_line.hpp"
#include "cli/rate_estimator.hpp"
#include "cli/supervisor.hpp"

#include "shared/base/time.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace framefleet::cli {

enum class DisplayMode : std::uint8_t { terminal, plain, quiet, json };

/// The manner that fits: json and quiet if asked for, else by what stderr is.
DisplayMode choose_display_mode(bool quiet, bool json);

class Display {
 public:
  static constexpr Duration kPlainInterval = std::chrono::seconds(3);
  static constexpr Duration kRedrawInterval = std::chrono::milliseconds(500);

  explicit Display(DisplayMode mode);
  ~Display() { clear(); }
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  /// One line of the producer, as it came and as it was understood.
  void event(const std::string& line, const ProducerEvent& event, Time now);
  void restart(const RestartPlanned& restart);
  /// How many workers there are, from now on; never said: all the time the same.
  void workers(std::uint32_t count) { view_.workers = count; }
  void scaled(const Scaled& scaled);
  void not_scaling(const NotScaling& blind);
  void draining(Duration timeout);
  /// Shown in every manner but quiet and json.
  void note(const std::string& text);
  /// Shown in every manner.
  void error(const std::string& text);
  /// The end: `text` or `json` goes to stdout, whichever fits.
  void report(const std::string& text, const std::string& json);

  /// Redraws or prints what is due. Requires: called whenever next_deadline() has come.
  void tick(Time now);
  Time next_deadline() const { return next_at_; }

 private:
  void observe(const Counters& counters, Time now);
  void draw(Time now);
  void clear();
  void print_line(std::FILE* stream, const std::string& line);

  DisplayMode mode_;
  bool unicode_;
  ProgressView view_;
  RateEstimator rate_;
  Time planned_at_{};
  Time next_at_{kNever};
  std::size_t drawn_columns_{0};  ///< Of the terminal's last line, where that is ours.
};

}  // namespace framefleet::cli
