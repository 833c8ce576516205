#pragma once
// The cameras of a configuration file: `[cameras]`, what holds for all of them unless they say
// otherwise, and a `[[camera]]` for each. Plain values and their binding; threads: one.

#include "producer/cameras/camera_options.hpp"

#include "shared/config/option_set.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace framefleet::producer {

/// Each is a process that decodes video, and a hello names them all.
inline constexpr std::size_t kCamerasMax = 128;
/// Of a camera's name: it is part of metrics, tables and file names.
inline constexpr std::size_t kCameraNameBytesMax = 64;

enum class MotionChoice : std::uint8_t { off, mog2, difference };

/// A camera as the file spells it.
struct CameraEntry {
  CameraOptions options;
  MotionChoice motion{MotionChoice::off};
  MotionOptions gate;
  std::string masks;  ///< JSON: polygons of [x, y], each from 0 to 1.
};

struct CameraList {
  CameraEntry defaults;
  std::deque<CameraEntry> entries;  ///< In the order of the file; bound, so none may move.

  std::vector<CameraOptions> cameras() const;
};

/// Binds `[cameras]` and `[[camera]]`. `list` outlives the set.
void describe(config::OptionSet& set, CameraList& list);

}  // namespace framefleet::producer
