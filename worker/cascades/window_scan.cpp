#include "worker/cascades/window_scan.hpp"

#include <cmath>
#include <cstring>

// Registers are written as the compiler's vectors, which it makes of what the processor has. All of
// it is there twice, for any processor and for those with AVX2: each function becomes part of its
// caller, so that it is compiled for what its caller is compiled for. Results are parameters
// because no two compilations agree on how such a vector is returned.
#define FRAMEFLEET_INLINE [[gnu::always_inline]] inline

namespace framefleet::worker {
namespace {

using Sums = std::uint32_t __attribute__((vector_size(4 * kScanLanes)));
using Integers = std::int32_t __attribute__((vector_size(4 * kScanLanes)));
using Floats = float __attribute__((vector_size(4 * kScanLanes)));
using HalfFloats = float __attribute__((vector_size(2 * kScanLanes)));
using HalfDoubles = double __attribute__((vector_size(4 * kScanLanes)));

/// A window whose area, divided by its contrast, is at least this much has none to speak of.
constexpr double kEvenMin = 0.1;

FRAMEFLEET_INLINE void load(const std::uint32_t* from, Sums& out) {
  std::memcpy(&out, from, sizeof out);
}

/// Of a rectangle of each of eight neighbouring windows, the first of which begins at `window`.
FRAMEFLEET_INLINE void rectangles(const std::array<std::int32_t, 4>& corners,
                                  const std::uint32_t* window, Floats& out) {
  Sums a;
  Sums b;
  Sums c;
  Sums d;
  load(window + corners[0], a);
  load(window + corners[1], b);
  load(window + corners[2], c);
  load(window + corners[3], d);
  out = __builtin_convertvector(__builtin_convertvector(a - b - c + d, Integers), Floats);
}

/// The weighted sum over the window's contrast.
FRAMEFLEET_INLINE void feature(const WindowScan::Node& node, const std::uint32_t* window,
                               const Floats& contrasts, Floats& out) {
  Floats first;
  Floats second;
  rectangles(node.corners[0], window, first);
  rectangles(node.corners[1], window, second);
  Floats sum = node.weights[0] * first + node.weights[1] * second;
  if (node.weights[2] != 0) {
    rectangles(node.corners[2], window, first);
    sum += node.weights[2] * first;
  }
  out = sum * contrasts;
}

FRAMEFLEET_INLINE void leaf(const WindowScan::Node& node, const std::uint32_t* window,
                            const Floats& contrasts, Floats& out) {
  Floats value;
  feature(node, window, contrasts, value);
  const Floats below = node.below - Floats{};
  const Floats above = node.above - Floats{};
  out = value < node.threshold ? below : above;
}

FRAMEFLEET_INLINE void leaf(const WindowScan::Tree& tree, const std::uint32_t* window,
                            const Floats& contrasts, Floats& out) {
  if (tree.shape == HaarTree::Shape::stump) return leaf(tree.root, window, contrasts, out);
  Floats child;
  Floats value;
  leaf(tree.child, window, contrasts, child);
  feature(tree.root, window, contrasts, value);
  if (tree.shape == HaarTree::Shape::child_below) {
    const Floats above = tree.root.above - Floats{};
    out = value < tree.root.threshold ? child : above;
  } else {
    const Floats below = tree.root.below - Floats{};
    out = value < tree.root.threshold ? below : child;
  }
}

/// A bit for each window that passes.
FRAMEFLEET_INLINE std::uint32_t ask(const WindowScan::Stage& stage, const std::uint32_t* window,
                                    const float* contrasts_of) {
  Floats contrasts;
  std::memcpy(&contrasts, contrasts_of, sizeof contrasts);
  HalfDoubles low_sums{};
  HalfDoubles high_sums{};
  for (const auto& tree : stage.trees) {
    Floats leaves;
    leaf(tree, window, contrasts, leaves);
    const HalfFloats low = __builtin_shufflevector(leaves, leaves, 0, 1, 2, 3);
    const HalfFloats high = __builtin_shufflevector(leaves, leaves, 4, 5, 6, 7);
    low_sums += __builtin_convertvector(low, HalfDoubles);
    high_sums += __builtin_convertvector(high, HalfDoubles);
  }
  const double threshold = stage.threshold;
  std::uint32_t passed = 0;
  for (int i = 0; i < kScanLanes / 2; ++i) {
    passed |= (low_sums[i] < threshold ? 0U : 1U) << i;
    passed |= (high_sums[i] < threshold ? 0U : 1U) << (i + kScanLanes / 2);
  }
  return passed;
}

/// 1 / sqrt(area * squares - sum²) of each window's inside, or 0 where that says it is even.
FRAMEFLEET_INLINE void contrasts(const WindowScan::Inside& inside, const std::uint32_t* sums,
                                 const std::uint32_t* squares, int count, float* out) {
  const auto [a, b, c, d] = inside.corners;
  for (int i = 0; i < count; ++i) {
    // A window's squares fit (kHaarSideMax).
    const auto sum =
        static_cast<std::int32_t>(sums[i + a] - sums[i + b] - sums[i + c] + sums[i + d]);
    const auto square = static_cast<std::int32_t>(squares[i + a] - squares[i + b] - squares[i + c] +
                                                  squares[i + d]);
    const double contrast = inside.area * square - static_cast<double>(sum) * sum;
    const auto inverse = static_cast<float>(1. / std::sqrt(contrast > 0 ? contrast : 1.));
    out[i] = contrast > 0 && inside.area * inverse < kEvenMin ? inverse : 0.0F;
  }
}

struct Row {
  const WindowScan::Inside& inside;
  const std::vector<WindowScan::Stage>& stages;
  const std::uint32_t* sums;
  const std::uint32_t* squares;
  int count;
  float* contrasts;
  std::uint8_t* first;
  std::vector<int>& asked;
};

/// Those that have not passed leave `asked`.
FRAMEFLEET_INLINE void ask(const WindowScan::Stage& stage, const Row& row) {
  auto& asked = row.asked;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < asked.size();) {
    const int begin = asked[i];
    const auto passed = ask(stage, row.sums + begin, row.contrasts + begin);
    for (; i < asked.size() && asked[i] - begin < kScanLanes; ++i) {
      asked[kept] = asked[i];
      kept += passed >> (asked[i] - begin) & 1U;
    }
  }
  asked.resize(kept);
}

FRAMEFLEET_INLINE void scan(const Row& row) {
  contrasts(row.inside, row.sums, row.squares, row.count, row.contrasts);
  for (int i = 0; i < row.count; i += kScanLanes) {
    row.first[i / kScanLanes] =
        static_cast<std::uint8_t>(ask(row.stages.front(), row.sums + i, row.contrasts + i));
  }
  for (int i = 0; i < row.count; ++i) {
    if (row.contrasts[i] == 0) continue;
    if ((row.first[i / kScanLanes] >> (i % kScanLanes) & 1) != 0) {
      row.asked.push_back(i);
    } else {
      ++i;  // its neighbour is not asked
    }
  }
  for (std::size_t i = 1; i < row.stages.size() && !row.asked.empty(); ++i) ask(row.stages[i], row);
}

void scan_anywhere(const Row& row) { scan(row); }

#ifdef __x86_64__
[[gnu::target("avx2")]] void scan_with_avx2(const Row& row) { scan(row); }
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#else
void scan_with_avx2(const Row& row) { scan(row); }
bool has_avx2() { return false; }
#endif

std::array<std::int32_t, 4> corners_of(const HaarRect& rect, const IntegralLayout& layout) {
  const auto at = [&](int x, int y) { return static_cast<std::int32_t>(layout.at(x, y)); };
  return {at(rect.x, rect.y), at(rect.x + rect.width, rect.y), at(rect.x, rect.y + rect.height),
          at(rect.x + rect.width, rect.y + rect.height)};
}

WindowScan::Node node_in(const HaarNode& node, const IntegralLayout& layout) {
  WindowScan::Node in{{}, {}, node.threshold, node.below, node.above};
  for (std::size_t i = 0; i < node.rects.size(); ++i) {
    in.corners[i] = corners_of(node.rects[i], layout);
    in.weights[i] = node.rects[i].weight;
  }
  return in;
}

}  // namespace

Registers widest_registers() { return has_avx2() ? Registers::avx2 : Registers::any; }

WindowScan::WindowScan(const HaarCascade& cascade, const IntegralLayout& layout,
                       Registers registers)
    : layout_(layout), registers_(registers) {
  const HaarRect inside{1, 1, cascade.width - 2, cascade.height - 2, 1};
  inside_ = {corners_of(inside, layout), static_cast<double>(inside.width) * inside.height};
  for (const auto& stage : cascade.stages) {
    Stage in{{}, stage.threshold};
    for (const auto& tree : stage.trees) {
      in.trees.push_back({tree.shape, node_in(tree.root, layout), node_in(tree.child, layout)});
    }
    stages_.push_back(std::move(in));
  }
}

void WindowScan::row(const IntegralImages& images, int y, int count, std::vector<int>& objects) {
  const auto lanes = static_cast<std::size_t>(count + kScanLanes);
  contrasts_.assign(lanes, 0.0F);
  first_.resize(lanes / kScanLanes);
  asked_.clear();
  const auto at = y * layout_.row;
  const Row row{inside_, stages_,           images.sums() + at, images.squares() + at,
                count,   contrasts_.data(), first_.data(),      asked_};
  registers_ == Registers::avx2 ? scan_with_avx2(row) : scan_anywhere(row);
  objects.insert(objects.end(), asked_.begin(), asked_.end());
}

}  // namespace framefleet::worker
