#include "bench/vision/drift.hpp"

#include "worker/detectors/faces.hpp"
#include "worker/detectors/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>

#include "bench/vision/family.hpp"
#include "bench/vision/pictures.hpp"

namespace framefleet::bench {
namespace fs = std::filesystem;
namespace {

using worker::DecodeScale;

/// Two boxes that overlap so much are the same one.
constexpr double kSameOverlap = 0.5;
constexpr std::array kSmaller{DecodeScale::half, DecodeScale::quarter, DecodeScale::eighth};
constexpr int kDrawnPictures = 6;

struct Looked {
  std::vector<Box> boxes;
  double cpu_s{0};
};

/// Nothing where the picture cannot be worked on.
std::optional<Looked> look(worker::Workbench& bench, const std::string& spec,
                           const std::string& jpeg) {
  TaskDescription task;
  task.detect = {spec};
  worker::NoObserver nobody;
  const std::vector frames{std::as_bytes(std::span(jpeg))};
  const double begin = thread_cpu_seconds();
  const auto worked = bench.work({1, 1, 1, 0}, 1, task, frames, nobody);
  if (!worked) return std::nullopt;
  Looked looked{{}, thread_cpu_seconds() - begin};
  for (const auto& each : worked->record.reports[0].detections) looked.boxes.push_back(each.box);
  return looked;
}

double overlap(const Box& a, const Box& b) {
  const double x = std::max(0.F, std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x));
  const double y = std::max(0.F, std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y));
  return x * y / (double{a.width} * a.height + double{b.width} * b.height - x * y);
}

double shift(const Box& a, const Box& b) {
  return std::hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}

struct Drift {
  std::size_t wanted{0};
  std::size_t found{0};  ///< At the smaller scale.
  std::size_t again{0};  ///< Of those wanted.
  double overlaps{0};    ///< Sums over those found again.
  double shifts{0};
  double full_cpu_s{0};
  double cpu_s{0};

  /// Each wanted box takes the one that overlaps it most, if nobody has taken that before.
  void add(const Looked& full, Looked scaled) {
    wanted += full.boxes.size();
    found += scaled.boxes.size();
    full_cpu_s += full.cpu_s;
    cpu_s += scaled.cpu_s;
    for (const Box& box : full.boxes) {
      const auto best = std::max_element(
          scaled.boxes.begin(), scaled.boxes.end(),
          [&](const Box& a, const Box& b) { return overlap(a, box) < overlap(b, box); });
      if (best == scaled.boxes.end() || overlap(*best, box) < kSameOverlap) continue;
      ++again;
      overlaps += overlap(*best, box);
      shifts += shift(*best, box);
      scaled.boxes.erase(best);
    }
  }
};

void print(const std::string& spec, DecodeScale scale, const Drift& drift) {
  const auto mean = [&](double sum) {
    return drift.again == 0 ? std::string("-")
                            : fmt::format("{:.2f}", sum / static_cast<double>(drift.again));
  };
  fmt::print("{:<28}{:>6}{:>8}{:>8}{:>8}{:>8}{:>10}{:>12}{:>12.2f}\n", spec, to_string(scale),
             drift.wanted, drift.again, drift.wanted - drift.again, drift.found - drift.again,
             mean(drift.overlaps), mean(drift.shifts), drift.cpu_s / drift.full_cpu_s);
  std::fflush(stdout);
}

worker::Workbench bench_for(const std::string& name, DecodeScale scale) {
  worker::WorkbenchOptions options;
  const auto path = worker::cascade_path(name, options.detectors);
  options.detectors.models = {{name, "faces", path, scale}};
  return worker::Workbench(options);
}

void print_drift_of(const std::string& cascade, const std::vector<std::string>& jpegs) {
  const std::string spec = "faces?cascade=" + cascade;
  auto in_full = bench_for(cascade, DecodeScale::full);
  static_cast<void>(look(in_full, spec, jpegs[0]));  // Warm.
  std::vector<std::optional<Looked>> wanted;
  for (const auto& jpeg : jpegs) wanted.push_back(look(in_full, spec, jpeg));
  for (const auto scale : kSmaller) {
    auto scaled = bench_for(cascade, scale);
    static_cast<void>(look(scaled, spec, jpegs[0]));
    Drift drift;
    for (std::size_t i = 0; i < jpegs.size(); ++i) {
      const auto looked = look(scaled, spec, jpegs[i]);
      if (looked && wanted[i]) drift.add(*wanted[i], *looked);
    }
    print(spec, scale, drift);
  }
}

std::vector<fs::path> files_of(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const auto& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const auto first = files.insert(files.end(), fs::directory_iterator(path), {});
    std::sort(first, files.end());
  }
  return files;
}

std::vector<std::string> drawn_pictures() {
  std::vector<std::string> jpegs;
  for (int i = 0; i < kDrawnPictures; ++i) jpegs.push_back(make_crowd(1280, 720, i));
  return jpegs;
}

std::vector<std::string> read_jpegs(const std::vector<fs::path>& paths) {
  const auto files = files_of(paths);
  std::vector<std::string> jpegs;
  auto bench = bench_for("alt2", DecodeScale::eighth);
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const bool jpeg = bytes.starts_with("\xff\xd8");
    if (jpeg && look(bench, "faces", bytes)) jpegs.push_back(std::move(bytes));
  }
  fmt::print("{} of {} files are JPEGs that can be worked on\n", jpegs.size(), files.size());
  return jpegs;
}

}  // namespace

void print_drift(const std::vector<fs::path>& paths) {
  const auto jpegs = paths.empty() ? drawn_pictures() : read_jpegs(paths);
  if (jpegs.empty()) return;
  fmt::print("{} pictures; found again: the boxes overlap by {:.2f} and more (IoU)\n\n",
             jpegs.size(), kSameOverlap);
  fmt::print("{:<28}{:>6}{:>8}{:>8}{:>8}{:>8}{:>10}{:>12}{:>12}\n", "detector", "scale", "boxes",
             "again", "lost", "new", "mean IoU", "shift px", "CPU / full");
  for (const auto& kind : worker::detector_kinds()) {
    for (const auto& option : kind.options) {
      if (option.type != worker::OptionType::model) continue;
      for (const auto name : option.choices) print_drift_of(std::string(name), jpegs);
    }
  }
}

}  // namespace framefleet::bench
