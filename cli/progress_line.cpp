#include "cli/progress_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace framefleet::cli {
namespace {

constexpr std::size_t kBarColumnsMin = 8;
constexpr std::size_t kBarColumnsMax = 40;
constexpr std::size_t kGap = 2;   ///< Columns between two pieces.
constexpr int kRankBelowBar = 5;  ///< Pieces of this rank and above make room for the bar.

/// A piece of the line, in ASCII.
struct Piece {
  std::string text;
  int rank;  ///< The highest is left out first; 0 stays.
};

std::string rate_text(double per_second) {
  if (per_second > 0 && per_second < 1) return fmt::format("{:.1f}/min", 60 * per_second);
  return fmt::format("{:.{}f}/s", per_second, per_second < 100 ? 1 : 0);
}

std::string workers_text(std::uint32_t workers) {
  return fmt::format("{} {}", workers, workers == 1 ? "worker" : "workers");
}

double fraction_done(const Counters& counters) {
  if (!counters.pictures || *counters.pictures == 0) return 1;
  return std::min(1.0,
                  static_cast<double>(counters.done()) / static_cast<double>(*counters.pictures));
}

std::string render_bar(double fraction, std::size_t columns, const TerminalStyle& style) {
  constexpr std::array<std::string_view, 8> kEighths{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const std::size_t cells = columns - 2;
  const auto eighths = static_cast<std::size_t>(fraction * static_cast<double>(cells * 8));
  const std::size_t full = eighths / 8;
  std::string bar;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    if (cell < full) {
      bar += style.unicode ? "█" : "#";
    } else if (cell == full && style.unicode) {
      bar += kEighths.at(eighths % 8);
    } else {
      bar += style.unicode ? " " : "-";
    }
  }
  return (style.unicode ? "▕" : "[") + bar + (style.unicode ? "▏" : "]");
}

/// Everything but the bar, in the order of the line.
std::vector<Piece> pieces_of(const ProgressView& view) {
  const Counters& counters = view.counters;
  std::vector<Piece> pieces;
  if (view.draining) pieces.push_back({"draining", 0});
  if (counters.pictures) {
    // Rounded down: 100 % is said when nothing is left, not before.
    const auto percent = static_cast<int>(100 * fraction_done(counters));
    const std::string total = count_text(*counters.pictures);
    pieces.push_back({fmt::format("{:3}%", percent), 3});
    pieces.push_back(
        {fmt::format("{:>{}} of {}", count_text(counters.done()), total.size(), total), 0});
  } else {
    pieces.push_back({count_text(counters.done()) + " done", 0});
  }
  if (counters.not_ok() > 0) pieces.push_back({count_text(counters.not_ok()) + " failed", 1});
  // Padded, so that the bar keeps its place while the numbers change.
  if (view.per_second) pieces.push_back({fmt::format("{:>7}", rate_text(*view.per_second)), 4});
  if (view.remaining && counters.left() != 0U) {
    pieces.push_back({fmt::format("{:>5} left", clock_text(*view.remaining)), 2});
  } else {
    pieces.push_back({fmt::format("{:>5}", clock_text(view.elapsed)), 5});
  }
  if (view.workers) pieces.push_back({workers_text(*view.workers), 6});
  if (counters.stored_before > 0) {
    pieces.push_back({count_text(counters.stored_before) + " stored before", 6});
  }
  return pieces;
}

std::size_t width_of(const std::vector<Piece>& pieces) {
  std::size_t columns = pieces.empty() ? 0 : (pieces.size() - 1) * kGap;
  for (const Piece& piece : pieces) columns += piece.text.size();
  return columns;
}

/// Drops pieces of at least `rank_min`, the highest first, until the rest fits into `room`.
void leave_out(std::vector<Piece>& pieces, std::size_t room, int rank_min) {
  while (width_of(pieces) > room) {
    const auto least =
        std::max_element(pieces.begin(), pieces.end(),
                         [](const Piece& a, const Piece& b) { return a.rank < b.rank; });
    if (least == pieces.end() || least->rank < rank_min) return;
    pieces.erase(least);
  }
}

}  // namespace

std::string count_text(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ' ');
  return digits;
}

std::string clock_text(Duration duration) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (total < 3600) return fmt::format("{}:{:02}", total / 60, total % 60);
  return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

std::string render_progress_line(const ProgressView& view, const TerminalStyle& style) {
  const std::size_t room = style.columns > 1 ? style.columns - 1 : 0;
  const std::size_t bar_room = view.counters.pictures ? kBarColumnsMin + kGap : 0;
  std::vector<Piece> pieces = pieces_of(view);
  leave_out(pieces, room > bar_room ? room - bar_room : 0, kRankBelowBar);
  leave_out(pieces, room, 1);
  if (width_of(pieces) > room) return {};
  std::string line;
  for (const Piece& piece : pieces) {
    if (!line.empty()) line.append(kGap, ' ');
    line += piece.text;
  }
  const std::size_t spare = room - line.size();
  if (bar_room == 0 || spare < bar_room) return line;
  const std::size_t columns = std::min(spare - kGap, kBarColumnsMax);
  return render_bar(fraction_done(view.counters), columns, style) + std::string(kGap, ' ') + line;
}

std::string render_plain_progress(const ProgressView& view) {
  const Counters& counters = view.counters;
  std::string line = count_text(counters.done());
  line += counters.pictures ? " of " + count_text(*counters.pictures) : std::string(" done");
  line += fmt::format(", {} failed", count_text(counters.not_ok()));
  if (const auto left = counters.left()) line += fmt::format(", {} left", count_text(*left));
  if (view.per_second) line += ", " + rate_text(*view.per_second);
  if (view.remaining && counters.left() != 0U)
    line += fmt::format(", {} to go", clock_text(*view.remaining));
  if (view.workers) line += ", " + workers_text(*view.workers);
  if (counters.stored_before > 0) {
    line += fmt::format(" ({} stored before)", count_text(counters.stored_before));
  }
  return view.draining ? "draining: " + line : line;
}

}  // namespace framefleet::cli
