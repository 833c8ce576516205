#pragma once
// Internal: what one camera's picture looks like when nothing moves, and how a frame differs.
// Threads: one at a time. Errors: none of its own; OpenCV's exceptions leave it.

#include "producer/motion/motion_gate.hpp"

#include <opencv2/core.hpp>
#include <opencv2/video/background_segm.hpp>

#include <array>
#include <cstdint>

namespace framefleet::producer {

/// How much of a frame is not background, masked parts left out.
struct Change {
  /// Share of the picture that the largest connected patch has; 0 where all patches together are
  /// less than the minimum.
  double largest{0};
  double whole{0};    ///< Share of what is not masked that changed.
  bool first{false};  ///< Of a background that is not known yet: nothing to compare with.
};

class Scene {
 public:
  explicit Scene(const MotionOptions& options);

  /// Compares the frame with what was learnt, and learns from it: as much as from any other since
  /// the first while `warming_up`, then slowly. `since_last`: seconds, ≥ 0.
  Change look(const FrameView& frame, double since_last, bool warming_up);
  /// The next frame is the first. So is one of another shape.
  void forget();

 private:
  void reduce(const FrameView& frame);
  void even_out(double rate);
  void mark_with_mog2(double rate);
  void mark_difference(double rate);
  Change measure();
  void draw_masks(cv::Size size);

  MotionOptions options_;
  cv::Ptr<cv::BackgroundSubtractorMOG2> mixture_;  // null: MotionMethod::difference
  cv::Mat background_;                             // running mean, of MotionMethod::difference
  std::array<cv::Mat, 16> halves_;                 // of this frame, whose width is below 2^16
  cv::Mat grey_, marked_;
  cv::Mat difference_, labels_, areas_, centres_;  // buffers
  cv::Mat seen_;                                   // 255 where no mask lies
  double seen_share_{1};
  double usual_mean_{0};     // grey level of what is seen
  std::uint64_t learnt_{0};  // frames since forget()
};

}  // namespace framefleet::producer
