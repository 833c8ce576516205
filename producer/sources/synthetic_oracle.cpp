#include "producer/sources/synthetic_oracle.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>

namespace framefleet::producer {

namespace {

constexpr int kMarkerSideMin = 60;

int marker_side(int width, int height) {
  return std::max(kMarkerSideMin, std::min(width, height) / 5);
}

/// SplitMix64: a well-mixed number for each (seed, stream).
std::uint64_t mixed(std::uint64_t seed, std::uint64_t stream) {
  auto z = seed + (stream + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

/// A point that runs back and forth between 0 and `last`, `speed` pixels a frame.
int bounced(std::uint64_t start, std::uint64_t speed, std::uint64_t sequence, int last) {
  if (last <= 0) return 0;
  const auto reach = static_cast<std::uint64_t>(last);
  const auto at = (start % (2 * reach) + speed * sequence) % (2 * reach);
  return static_cast<int>(at <= reach ? at : 2 * reach - at);
}

Box pixel_box(int x, int y, int side) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(side),
          static_cast<float>(side)};
}

bool centred_in(const Box& box, const Box& square) {
  const float x = box.x + box.width / 2;
  const float y = box.y + box.height / 2;
  return x >= square.x && x < square.x + square.width && y >= square.y &&
         y < square.y + square.height;
}

}  // namespace

int marker_border(int width, int height) { return marker_side(width, height) / 6; }

std::array<int, 4> expected_marker_ids(int camera, std::uint64_t sequence) {
  FRAMEFLEET_ASSERT(camera >= 0 && camera < kMarkerIds && sequence < kSyntheticFramesMax);
  return {camera, static_cast<int>(sequence / 1'000'000),
          static_cast<int>(sequence / 1'000 % 1'000), static_cast<int>(sequence % 1'000)};
}

std::array<Box, 4> expected_marker_boxes(int width, int height) {
  const int side = marker_side(width, height);
  const int near = marker_border(width, height);
  const int right = width - near - side;
  const int bottom = height - near - side;
  return {pixel_box(near, near, side), pixel_box(right, near, side), pixel_box(near, bottom, side),
          pixel_box(right, bottom, side)};
}

std::optional<SeenFrame> decode_marker_ids(const std::vector<SeenMarker>& markers, int width,
                                           int height) {
  const auto places = expected_marker_boxes(width, height);
  std::array<int, 4> ids{};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto is_here = [&](const SeenMarker& marker) {
      return centred_in(marker.box, places[i]);
    };
    if (std::count_if(markers.begin(), markers.end(), is_here) != 1) return std::nullopt;
    ids[i] = std::find_if(markers.begin(), markers.end(), is_here)->id;
    if (ids[i] < 0 || ids[i] >= kMarkerIds) return std::nullopt;
  }
  const auto digit = [&](std::size_t i) { return static_cast<std::uint64_t>(ids[i]); };
  return SeenFrame{ids[0], digit(1) * 1'000'000 + digit(2) * 1'000 + digit(3)};
}

ExpectedFrame expected_frame(const SyntheticOptions& options, std::uint64_t sequence) {
  FRAMEFLEET_ASSERT(sequence < kSyntheticFramesMax);
  ExpectedFrame frame{options.camera, sequence, {}};
  const int tile =
      marker_side(options.width, options.height) + 2 * marker_border(options.width, options.height);
  const int band = options.width - 2 * tile;
  const int lane = options.height / static_cast<int>(kShapeKinds.size());
  const int size_max = std::min(band, lane) / 2;
  for (std::size_t i = 0; i < kShapeKinds.size(); ++i) {
    const auto random = mixed(options.seed, i);
    // Odd, so that a disc and a diamond have a middle pixel.
    const int side =
        (size_max - static_cast<int>(random % static_cast<unsigned>(size_max / 3 + 1))) | 1;
    const int x = bounced(random >> 8U, 1 + (random >> 32U) % 7, sequence, band - side);
    const int y = bounced(random >> 20U, 1 + (random >> 40U) % 5, sequence, lane - side);
    frame.shapes.push_back(pixel_box(tile + x, static_cast<int>(i) * lane + y, side));
  }
  return frame;
}

}  // namespace framefleet::producer
