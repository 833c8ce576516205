#include "cli/display.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <string_view>

namespace framefleet::cli {
namespace {

/// Asked anew for each line: the window may have changed.
std::size_t columns_of_stderr() {
  constexpr std::size_t kColumnsDefault = 80;
  constexpr std::size_t kColumnsMax = 400;
  winsize window{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) {
    return kColumnsDefault;
  }
  return std::min<std::size_t>(window.ws_col, kColumnsMax);
}

/// Whether the user's locale is a UTF-8 one ("C.UTF-8", "de_DE.utf8").
bool speaks_utf8() {
  const char* const locale = std::setlocale(LC_CTYPE, "");
  if (locale == nullptr) return false;
  const std::string_view name(locale);
  return name.find("UTF-8") != std::string_view::npos ||
         name.find("utf8") != std::string_view::npos;
}

}  // namespace

DisplayMode choose_display_mode(bool quiet, bool json) {
  if (json) return DisplayMode::json;
  if (quiet) return DisplayMode::quiet;
  return ::isatty(STDERR_FILENO) == 1 ? DisplayMode::terminal : DisplayMode::plain;
}

Display::Display(DisplayMode mode) : mode_(mode), unicode_(speaks_utf8()) {}

void Display::observe(const Counters& counters, Time now) {
  view_.counters = counters;
  rate_.observe(counters.settled() + counters.rejected, now);
}

void Display::event(const std::string& line, const ProducerEvent& event, Time now) {
  if (mode_ == DisplayMode::json) {
    print_line(stdout, line);
    return;
  }
  if (const auto* plan = std::get_if<PlanEvent>(&event)) {
    planned_at_ = now;
    view_.counters.pictures = plan->pictures;
    rate_.observe(0, now);
    if (mode_ != DisplayMode::quiet) {
      note(fmt::format(
          "job {}: {} pictures", plan->job,
          plan->pictures ? count_text(*plan->pictures) : std::string("as many as come:")));
      next_at_ = now;
    }
  } else if (const auto* progress = std::get_if<ProgressEvent>(&event)) {
    observe(progress->counters, now);
    if (mode_ == DisplayMode::terminal) draw(now);
  } else if (const auto* end = std::get_if<EndEvent>(&event)) {
    observe(end->counters, now);
    if (mode_ == DisplayMode::terminal || mode_ == DisplayMode::plain) draw(now);
    next_at_ = kNever;
  }
}

void Display::restart(const RestartPlanned& restart) {
  const auto delay_ms = ceil_ms(restart.delay);
  if (mode_ == DisplayMode::json) {
    const nlohmann::json object{{"event", "child_restarted"},
                                {"child", to_string(restart.child)},
                                {"ended_with", to_string(restart.status)},
                                {"delay_ms", delay_ms}};
    print_line(stdout, object.dump());
    return;
  }
  note(fmt::format("{} ended with {}; it is started again in {} ms", to_string(restart.child),
                   to_string(restart.status), delay_ms));
}

void Display::scaled(const Scaled& scaled) {
  if (mode_ == DisplayMode::json) {
    const nlohmann::json object{{"event", "scaled"},
                                {"workers", scaled.after},
                                {"before", scaled.before},
                                {"desired_workers", scaled.desired},
                                {"offered_slots", scaled.offered_slots},
                                {"waiting_seconds", scaled.waiting_seconds},
                                {"leaving", scaled.leaving}};
    print_line(stdout, object.dump());
    return;
  }
  note(fmt::format(
      "workers: {} -> {}; {} needed, for {:.3g} slots that are kept busy and {:.3g} s of "
      "work that waits",
      scaled.before, scaled.after, scaled.desired, scaled.offered_slots, scaled.waiting_seconds));
}

void Display::not_scaling(const NotScaling& blind) {
  if (mode_ == DisplayMode::json) {
    print_line(
        stdout,
        nlohmann::json{{"event", "not_scaling"}, {"workers", blind.workers}, {"text", blind.why}}
            .dump());
    return;
  }
  note(fmt::format("workers: {} as they are; {}", blind.workers, blind.why));
}

void Display::draining(Duration timeout) {
  view_.draining = true;
  if (mode_ == DisplayMode::json) {
    print_line(stdout,
               nlohmann::json{{"event", "draining"}, {"timeout_s", seconds(timeout)}}.dump());
    return;
  }
  note("draining: what is in work is finished; Ctrl-C again stops at once");
}

void Display::note(const std::string& text) {
  if (mode_ == DisplayMode::terminal || mode_ == DisplayMode::plain) error(text);
}

void Display::error(const std::string& text) {
  clear();
  print_line(stderr, text);
}

void Display::report(const std::string& text, const std::string& json) {
  clear();
  if (mode_ == DisplayMode::json) {
    print_line(stdout, json);
    return;
  }
  if (mode_ != DisplayMode::quiet && !text.empty()) print_line(stderr, "");
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Display::tick(Time now) {
  if (now < next_at_) return;
  draw(now);
}

void Display::draw(Time now) {
  view_.elapsed = now - planned_at_;
  view_.per_second = view_.counters.settled() > 0 ? rate_.per_second() : std::nullopt;
  const auto left = view_.counters.left();
  view_.remaining = left ? rate_.remaining(*left) : std::nullopt;
  if (mode_ == DisplayMode::plain) {
    next_at_ = now + kPlainInterval;
    print_line(stderr, render_plain_progress(view_));
    return;
  }
  next_at_ = now + kRedrawInterval;
  const TerminalStyle style{.columns = columns_of_stderr(), .unicode = unicode_};
  clear();
  const std::string line = render_progress_line(view_, style);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  drawn_columns_ = style.columns - 1;
}

void Display::clear() {
  if (drawn_columns_ == 0) return;
  const std::string blank = "\r" + std::string(drawn_columns_, ' ') + "\r";
  drawn_columns_ = 0;
  std::fwrite(blank.data(), 1, blank.size(), stderr);
}

void Display::print_line(std::FILE* stream, const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fputc('\n', stream);
  std::fflush(stream);
}

}  // namespace framefleet::cli
