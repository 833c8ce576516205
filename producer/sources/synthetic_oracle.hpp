#pragma once
// What a frame of the synthetic camera shows, known without drawing it: the oracle of the tests. A
// result carries the markers that a worker found, and these say which pixels it worked on.
//
//   +-----------+---------------+-----------+   Four ArUco markers of DICT_4X4_1000, each on a
//   white |  camera   |    shape 0    | sequence  |   tile in a corner. Side of a marker: a fifth
//   of the |           |               | millions  |   shorter side of the picture, at least 60
//   pixels; white
//   +-----------+    shape 1    +-----------+   border: a sixth of that.
//   | sequence  |               | sequence  |   The sequence is written in base 1000, most
//   significant | thousands |    shape 2    | ones      |   first. Each shape moves in a third of
//   its own of the
//   +-----------+---------------+-----------+   band between the tiles, so shapes never overlap.
//
// No pixels and no OpenCV here. Threads: any. Units: pixels, origin top left.

#include "producer/sources/synthetic_options.hpp"

#include "shared/base/detection.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace framefleet::producer {

/// Cameras and the digits of a sequence are below this: the markers of the dictionary.
inline constexpr int kMarkerIds = 1000;
/// Sequences are below this: three digits.
inline constexpr std::uint64_t kSyntheticFramesMax = 1'000'000'000;

/// Ids in the order of the places: top left, top right, bottom left, bottom right.
/// Requires: 0 ≤ camera < 1000, sequence < 1e9.
std::array<int, 4> expected_marker_ids(int camera, std::uint64_t sequence);
/// The markers' own squares (without border), in the same order.
std::array<Box, 4> expected_marker_boxes(int width, int height);
/// Width of the white border around a marker.
int marker_border(int width, int height);

struct SeenMarker {
  int id{0};
  Box box;
};
struct SeenFrame {
  int camera{0};
  std::uint64_t sequence{0};
  friend bool operator==(const SeenFrame&, const SeenFrame&) = default;
};
/// The inverse of expected_marker_ids: which frame a picture of this size is, by the markers found
/// in it. Nothing unless exactly one marker is centred in each of the four squares.
std::optional<SeenFrame> decode_marker_ids(const std::vector<SeenMarker>& markers, int width,
                                           int height);

/// How a shape is drawn; its box is exact to the pixel. Shape i of a frame is kShapeKinds[i].
enum class ShapeKind : std::uint8_t { rectangle, disc, diamond };
inline constexpr std::array<ShapeKind, 3> kShapeKinds = {ShapeKind::rectangle, ShapeKind::disc,
                                                         ShapeKind::diamond};

struct ExpectedFrame {
  int camera{0};
  std::uint64_t sequence{0};
  std::vector<Box> shapes;
};
/// What the frame shows, from the options and the sequence alone. Requires: sequence < 1e9.
ExpectedFrame expected_frame(const SyntheticOptions& options, std::uint64_t sequence);

}  // namespace framefleet::producer
