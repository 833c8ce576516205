#pragma once
// Test pictures that need no folder of photos: as hard to decode and to look through as a photo,
// and the same on every machine.

#include <string>

namespace framefleet::bench {

/// A JPEG (quality 90, 4:2:0) of shapes with sharp edges over soft light and texture of every size.
/// Other seeds give other pictures of the same kind.
std::string make_picture(int width, int height, int seed);

/// A JPEG of the same kind with drawn faces that cascades find, of several sizes, the smallest of
/// them a ninth of the shorter side.
std::string make_crowd(int width, int height, int seed);

}  // namespace framefleet::bench
