#include "cli/picture_stats.hpp"

#include "cli/humane.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace framefleet::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::array kMegapixelSteps{0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0};
constexpr std::array kKibibyteSteps{10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10'000.0, 0.0};
/// What people are shown; the document has all.
constexpr std::size_t kDimensionsShown = 10;
constexpr std::size_t kBadShown = 20;
constexpr std::size_t kBarColumns = 40;

template <std::size_t N>
std::vector<Bar> bars_of(const std::array<double, N>& steps) {
  std::vector<Bar> bars;
  for (const double to : steps) bars.push_back({to, 0});
  return bars;
}

void count_in(std::vector<Bar>& bars, double value) {
  const auto bar = std::find_if(bars.begin(), bars.end(),
                                [&](const Bar& each) { return each.to == 0 || value <= each.to; });
  ++bar->count;
}

void widen(PictureStats::Range& range, std::uint64_t value, bool first) {
  range.least = first ? value : std::min(range.least, value);
  range.most = std::max(range.most, value);
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// Dimensions, the most frequent first.
std::vector<std::pair<std::uint64_t, std::string>> by_number(const PictureStats& stats) {
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  for (const auto& [size, count] : stats.dimensions) {
    rows.emplace_back(count, fmt::format("{}x{}", size.first, size.second));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  return rows;
}

std::string render_bars(const std::vector<Bar>& bars, const char* heading) {
  std::uint64_t most = 1;
  for (const auto& bar : bars) most = std::max(most, bar.count);
  Table table({{heading}, {"pictures"}, {"", Align::left, kBarColumns}});
  double above = 0;
  for (const auto& bar : bars) {
    const auto name = bar.to == 0 ? fmt::format("> {}", above) : fmt::format("<= {}", bar.to);
    above = bar.to;
    if (bar.count == 0) continue;
    const auto length = std::max<std::uint64_t>(1, bar.count * kBarColumns / most);
    table.add({name, std::to_string(bar.count), std::string(length, '#')});
  }
  return table.render();
}

std::string render_dimensions(const PictureStats& stats) {
  Table table({{"dimensions"}, {"pictures"}});
  const auto rows = by_number(stats);
  for (std::size_t i = 0; i < std::min(rows.size(), kDimensionsShown); ++i) {
    table.add({rows[i].second, std::to_string(rows[i].first)});
  }
  auto text = table.render();
  if (rows.size() > kDimensionsShown) {
    text += fmt::format("and {} more (--json lists them)\n", rows.size() - kDimensionsShown);
  }
  return text;
}

ordered_json to_json(const std::vector<Bar>& bars) {
  auto list = ordered_json::array();
  for (const auto& bar : bars) {
    list.push_back(
        {{"to", bar.to == 0 ? ordered_json(nullptr) : ordered_json(bar.to)}, {"count", bar.count}});
  }
  return list;
}

}  // namespace

PictureStats::PictureStats()
    : megapixels(bars_of(kMegapixelSteps)), kibibytes(bars_of(kKibibyteSteps)) {}

void PictureStats::add(std::uint64_t bytes, const worker::ImageHeader& header) {
  constexpr int kFirstTurned = 5;  // EXIF: from here on rows are columns
  std::pair size{header.width, header.height};
  if (header.orientation >= kFirstTurned) std::swap(size.first, size.second);
  const std::uint64_t area = std::uint64_t{header.width} * header.height;
  widen(file_bytes, bytes, all.count == 0);
  widen(pixels, area, all.count == 0);
  auto& format = formats[std::string(worker::word_of(header.format))];
  for (Sum* sum : {&all, &format}) {
    ++sum->count;
    sum->bytes += bytes;
  }
  count_in(megapixels, static_cast<double>(area) / 1e6);
  count_in(kibibytes, static_cast<double>(bytes) / 1024);
  if (dimensions.size() < kDimensionsMax || dimensions.contains(size)) {
    ++dimensions[size];
  } else {
    ++other_dimensions;
  }
}

void PictureStats::add_bad(BadPicture picture) {
  ++bad;
  if (bad_ones.size() < kBadKeptMax) bad_ones.push_back(std::move(picture));
}

std::string render_text(const PictureStats& stats, const StatsRemarks& remarks) {
  const auto files = stats.all.count + stats.bad;
  std::string text =
      fmt::format("{}, {}; {} bad; {} left out\n", counted(stats.all.count, "picture", "pictures"),
                  humane_bytes(static_cast<double>(stats.all.bytes)), stats.bad, remarks.left_out);
  auto out = std::back_inserter(text);
  if (stats.all.count > 0) {
    const auto count = static_cast<double>(stats.all.count);
    fmt::format_to(out, "files {} to {}, {} on average; {:.2f} to {:.2f} megapixels\n\n",
                   humane_bytes(static_cast<double>(stats.file_bytes.least)),
                   humane_bytes(static_cast<double>(stats.file_bytes.most)),
                   humane_bytes(static_cast<double>(stats.all.bytes) / count),
                   static_cast<double>(stats.pixels.least) / 1e6,
                   static_cast<double>(stats.pixels.most) / 1e6);
    Table table({{"format", Align::left}, {"pictures"}, {"bytes"}});
    for (const auto& [format, sum] : stats.formats) {
      table.add({format, std::to_string(sum.count), humane_bytes(static_cast<double>(sum.bytes))});
    }
    fmt::format_to(out, "{}\n{}\n{}\n{}\n", table.render(), render_dimensions(stats),
                   render_bars(stats.megapixels, "megapixels"),
                   render_bars(stats.kibibytes, "KiB"));
  }
  for (std::size_t i = 0; i < std::min(stats.bad_ones.size(), kBadShown); ++i) {
    const auto& bad = stats.bad_ones[i];
    fmt::format_to(out, "bad: {}: {}: {}\n", printable(bad.path), bad.reason, printable(bad.text));
  }
  if (stats.bad > kBadShown) {
    fmt::format_to(out, "and {} more (--json lists them)\n", stats.bad - kBadShown);
  }
  fmt::format_to(out, "{} in {}, {:.0f} files/s\n", counted(files, "file", "files"),
                 humane_duration(remarks.seconds),
                 remarks.seconds > 0 ? static_cast<double>(files) / remarks.seconds : 0);
  return text;
}

std::string render_json(const PictureStats& stats, const StatsRemarks& remarks) {
  ordered_json document{{"pictures", stats.all.count},
                        {"bytes", stats.all.bytes},
                        {"bad", stats.bad},
                        {"left_out", remarks.left_out},
                        {"seconds", remarks.seconds}};
  document["formats"] = ordered_json::object();
  for (const auto& [format, sum] : stats.formats) {
    document["formats"][format] = {{"pictures", sum.count}, {"bytes", sum.bytes}};
  }
  document["file_bytes"] = {{"least", stats.file_bytes.least}, {"most", stats.file_bytes.most}};
  document["pixels"] = {{"least", stats.pixels.least}, {"most", stats.pixels.most}};
  document["dimensions"] = ordered_json::array();
  for (const auto& [size, count] : stats.dimensions) {
    document["dimensions"].push_back(
        {{"width", size.first}, {"height", size.second}, {"count", count}});
  }
  document["other_dimensions"] = stats.other_dimensions;
  document["megapixels"] = to_json(stats.megapixels);
  document["kibibytes"] = to_json(stats.kibibytes);
  document["bad_pictures"] = ordered_json::array();
  for (const auto& bad : stats.bad_ones) {
    document["bad_pictures"].push_back(
        {{"path", bad.path}, {"reason", bad.reason}, {"text", bad.text}});
  }
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace framefleet::cli
