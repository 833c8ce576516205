#pragma once
// Integral images of a grey plane, and of its squares: the sum of any rectangle from its four
// corners. They are laid out for windows whose first columns are one or two pixels apart, so that
// what neighbouring windows need lies side by side.
//
//   step 1:  0 1 2 3 4 5 …           the corners of windows at 0, 1, 2, … are neighbours
//   step 2:  0 2 4 …  and  1 3 5 …   in two planes: so are those of windows at 0, 2, 4, …

#include <cstddef>
#include <cstdint>
#include <vector>

namespace framefleet::worker {

/// Where the corner at column x and row y of an integral image lies.
struct IntegralLayout {
  int step{1};            ///< 1 or 2.
  std::ptrdiff_t row{0};  ///< From a row to the next one.
  std::ptrdiff_t odd{0};  ///< From the plane of the even columns to that of the odd ones.

  /// For a plane of width x height pixels, or any smaller one. A row has room for `spare` windows
  /// more than it has.
  static IntegralLayout of(int width, int height, int step, int spare);

  std::ptrdiff_t at(int x, int y) const {
    return step == 1 ? y * row + x : (x & 1) * odd + y * row + (x >> 1);
  }
  friend bool operator==(const IntegralLayout&, const IntegralLayout&) = default;
};

/// Sums are kept without what is beyond 32 bits: the differences that they are for are right as
/// long as they fit themselves.
class IntegralImages {
 public:
  /// Of width x height pixels, whose rows are `stride` bytes apart. Requires: the layout is for
  /// planes at least as large.
  void compute(const std::uint8_t* pixels, std::size_t stride, int width, int height,
               const IntegralLayout& layout);

  const std::uint32_t* sums() const { return sums_.data(); }
  const std::uint32_t* squares() const { return squares_.data(); }

 private:
  std::vector<std::uint32_t> sums_;
  std::vector<std::uint32_t> squares_;
};

}  // namespace framefleet::worker
