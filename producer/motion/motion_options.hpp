#pragma once
// What a motion gate can be told. Plain values: threads any, no errors but those of check().

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::producer {

enum class MotionMethod : std::uint8_t {
  mog2,        ///< A mixture of Gaussians for each pixel: learns leaves, water and flicker.
  difference,  ///< Against a running mean: a third of the cost, for scenes that stand still.
};

/// A point of the picture, whatever its size: 0,0 is the upper left corner, 1,1 the lower right.
struct RelativePoint {
  double x{0};
  double y{0};
  friend bool operator==(const RelativePoint&, const RelativePoint&) = default;
};
using RelativePolygon = std::vector<RelativePoint>;

struct MotionOptions {
  MotionMethod method{MotionMethod::mog2};
  /// Pixels across the reduced grey picture that is looked at: at least so many, and less than
  /// twice as many. A walker who is 1/30 of the picture's width is still ten of them.
  std::uint32_t width{320};
  /// The smallest connected patch that counts, as a share of the picture: 0.001 is 24 x 38 pixels
  /// of 1280 x 720.
  double min_area{0.001};
  /// From the first frame on, and after a change of the whole picture (a light, a moved camera),
  /// every frame passes for so long, while the background is learnt.
  Duration warm_up{std::chrono::seconds{2}};
  /// Frames pass for so long after the last one with motion.
  Duration hold{std::chrono::seconds{2}};
  /// A frame passes when none has for so long; 0: a scene without motion is never looked at.
  Duration forced_interval{std::chrono::seconds{60}};
  /// Where motion does not count (a road, a tree, the clock that the camera draws).
  std::vector<RelativePolygon> masks;

  friend bool operator==(const MotionOptions&, const MotionOptions&) = default;
};

inline constexpr std::uint32_t kMotionWidthMin = 32;
inline constexpr std::uint32_t kMotionWidthMax = 1920;
inline constexpr std::size_t kMotionMasksMax = 64;
inline constexpr std::size_t kMaskPointsMax = 256;

/// Whether the options make sense; the error names the option and what it may be.
Result<void, std::string> check(const MotionOptions& options);

}  // namespace framefleet::producer
