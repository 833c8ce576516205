#pragma once
// What the outputs of a network mean. A layout is a convention of the people who trained it: how
// its arrays are shaped, and how a box, a score and landmarks are read from them. Which one it is
// shows in the shapes; what a model file says of it is checked against them.
//
// Pure functions; boxes are in pixels of the network's input. Numbers that are none (NaN,
// infinite) are no candidates.

#include "worker/networks/tensor.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

enum class Layout : std::uint8_t {
  automatic,
  yolov5,     ///< One row an anchor: centre, size, objectness, classes.
  yolov8,     ///< One column a cell: centre, size, classes.
  yolox,      ///< One row a cell: offset, logarithm of the size, objectness, classes.
  nanodet,    ///< Two arrays a stride: classes, and the distances to four sides in eight bins.
  ssd,        ///< One row a box that is done: class, score, corners as shares.
  darknet,    ///< One row an anchor: centre and size as shares, objectness, classes.
  yunet22,    ///< Faces: conf, iou, loc of every prior.
  yunet23,    ///< Faces: cls, obj, bbox, kps of every cell, for each of three strides.
  embedding,  ///< One row of numbers that are alike for like pictures.
};
inline constexpr std::size_t kLayouts = 10;
/// "auto", "yolov5", …; "" for what is none of them.
std::string_view to_string(Layout layout);

/// Right eye, left eye, nose, right and left corner of the mouth (theirs, not the viewer's).
inline constexpr std::size_t kLandmarks = 5;

struct Candidate {
  float left{0};
  float top{0};
  float width{0};
  float height{0};
  float score{0};                                 ///< 0 to 1.
  int label{0};                                   ///< From 0, as in the list of labels.
  std::array<float, 2 * kLandmarks> landmarks{};  ///< x, y; of faces alone.
};

using Outputs = std::span<const Tensor>;

/// The picture that the outputs are of, as the network had it.
struct InputSize {
  int width{0};
  int height{0};

  friend bool operator==(const InputSize&, const InputSize&) = default;
};

/// What the shapes say; Layout::automatic where they fit none.
Layout layout_of(Outputs outputs, InputSize size);
bool fits(Layout layout, Outputs outputs, InputSize size);

/// How many classes these outputs tell apart; 0 where the shapes do not say. Requires: they fit.
int classes_in(Layout layout, Outputs outputs);

/// A side of the input has to be a multiple of this.
int side_step(Layout layout);

/// All whose score is at least `score_min`, in the order of the outputs. Requires: they fit, and
/// the layout has boxes.
std::vector<Candidate> candidates_of(Layout layout, Outputs outputs, InputSize size,
                                     float score_min);

/// Of the candidates those that stay: the surest first, and none that overlaps a surer one of its
/// own class by more than `overlap_max` (intersection over union). Looks at the `kJudgedMax`
/// surest.
std::vector<Candidate> without_doubles(std::vector<Candidate> candidates, float overlap_max);
inline constexpr std::size_t kJudgedMax = 4096;

}  // namespace framefleet::worker
