#pragma once
// Asks a row of windows whether they are objects, eight neighbours at once, with the answers that
// cv::CascadeClassifier gives one by one: the same sums of the same numbers in the same order.

#include "worker/cascades/haar_cascade.hpp"
#include "worker/cascades/integral.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace framefleet::worker {

/// Windows that are asked at once: as many floats as a register of AVX2 holds, and two of SSE2 or
/// NEON.
inline constexpr int kScanLanes = 8;

/// The processor's registers that a scan is written for. The answers are the same.
enum class Registers : std::uint8_t { any, avx2 };
/// The widest that this processor has.
Registers widest_registers();

/// A cascade whose rectangles are distances from a window's first corner in integral images of one
/// layout.
class WindowScan {
 public:
  struct Node {
    std::array<std::array<std::int32_t, 4>, 3> corners{};
    std::array<float, 3> weights{};
    float threshold{0};
    float below{0};
    float above{0};
  };
  struct Tree {
    HaarTree::Shape shape{HaarTree::Shape::stump};
    Node root;
    Node child;
  };
  struct Stage {
    std::vector<Tree> trees;
    float threshold{0};
  };
  /// Where a window's contrast is counted: without a margin of one pixel.
  struct Inside {
    std::array<std::int32_t, 4> corners{};
    double area{0};
  };

  /// Requires: the layout has kScanLanes windows to spare in each row; the processor has the
  /// registers.
  WindowScan(const HaarCascade& cascade, const IntegralLayout& layout, Registers registers);

  const IntegralLayout& layout() const { return layout_; }

  /// Appends the numbers of those of the first `count` windows in the row of pixels `y` that are
  /// objects. Window i begins at column i * layout().step. Of two neighbours the second one is not
  /// asked where the first one failed the first stage, as cv::CascadeClassifier has it.
  void row(const IntegralImages& images, int y, int count, std::vector<int>& objects);

 private:
  IntegralLayout layout_;
  Registers registers_;
  Inside inside_;
  std::vector<Stage> stages_;
  std::vector<float> contrasts_;     // 1 divided by it, for each window; 0: too even to be anything
  std::vector<std::uint8_t> first_;  // the first stage's answers, a bit each
  std::vector<int> asked_;
};

}  // namespace framefleet::worker
