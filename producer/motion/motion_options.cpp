#include "producer/motion/motion_options.hpp"

#include <fmt/format.h>

namespace framefleet::producer {
namespace {

bool in_picture(const RelativePoint& point) {
  return point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1;
}

Result<void, std::string> check_mask(const RelativePolygon& mask, std::size_t number) {
  if (mask.size() < 3 || mask.size() > kMaskPointsMax) {
    return fail(fmt::format("mask {} has {} points; a polygon has 3 to {}", number, mask.size(),
                            kMaskPointsMax));
  }
  for (const auto& point : mask) {
    if (!in_picture(point)) {
      return fail(
          fmt::format("mask {} has the point {},{}; coordinates are shares of width and "
                      "height, 0 to 1",
                      number, point.x, point.y));
    }
  }
  return {};
}

}  // namespace

Result<void, std::string> check(const MotionOptions& options) {
  if (options.width < kMotionWidthMin || options.width > kMotionWidthMax) {
    return fail(fmt::format("width is {}; it may be {} to {}", options.width, kMotionWidthMin,
                            kMotionWidthMax));
  }
  if (!(options.min_area > 0 && options.min_area < 1)) {
    return fail(fmt::format("min_area is {}; it is a share of the picture, above 0 and below 1",
                            options.min_area));
  }
  if (options.warm_up < Duration::zero() || options.hold < Duration::zero() ||
      options.forced_interval < Duration::zero()) {
    return fail(std::string("warm_up, hold and forced_interval may not be negative"));
  }
  if (options.masks.size() > kMotionMasksMax) {
    return fail(fmt::format("{} masks; there may be {}", options.masks.size(), kMotionMasksMax));
  }
  for (std::size_t i = 0; i < options.masks.size(); ++i) {
    if (auto sound = check_mask(options.masks[i], i + 1); !sound) return sound;
  }
  return {};
}

}  // namespace framefleet::producer
