#pragma once
// A trained cascade of Haar-like features: what a window of a picture has to pass to be an object.
//
//   stage 0 ──passed──▶ stage 1 ──passed──▶ … ──passed the last──▶ an object
//      └── the leaves of its trees sum up to less than its threshold: none ──┘
//
// A node of a tree compares differences between sums of rectangles with its threshold; there are
// two to three rectangles. P. Viola, M. Jones: Rapid Object Detection using a Boosted Cascade of
// Simple Features (2001); R. Lienhart, A. Kuranov, V. Pisarevsky: Empirical Analysis of Detection
// Cascades of Boosted Classifiers for Rapid Object Detection (2003).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

/// In pixels of the window.
struct HaarRect {
  int x{0};
  int y{0};
  int width{0};
  int height{0};
  float weight{0};  ///< Of the sum of its pixels; 0: there is no such rectangle.
};

struct HaarNode {
  std::array<HaarRect, 3> rects;
  float threshold{0};  ///< Of the weighted sum, divided by the window's contrast.
  float below{0};      ///< The leaf of a sum below it.
  float above{0};      ///< The leaf of any other.
};

/// A node, or two: the child has the place of one of the root's leaves.
struct HaarTree {
  enum class Shape : std::uint8_t { stump, child_below, child_above };
  Shape shape{Shape::stump};
  HaarNode root;
  HaarNode child;
};

struct HaarStage {
  std::vector<HaarTree> trees;
  float threshold{0};
};

struct HaarCascade {
  /// Of the window, in pixels.
  int width{0};
  int height{0};
  std::vector<HaarStage> stages;  ///< One at least, each of one tree at least.
};

/// The longest side of a window that fits what counts its pixels (integral.hpp).
inline constexpr int kHaarSideMax = 180;

/// What OpenCV's XML or YAML says. Nothing where it is no such cascade, or one that only
/// cv::CascadeClassifier understands: features turned by 45°, trees of more than two nodes, local
/// binary patterns, the format of OpenCV 1, windows larger than kHaarSideMax; and where it
/// contradicts itself.
std::optional<HaarCascade> read_haar_cascade(const std::string& text);

}  // namespace framefleet::worker
