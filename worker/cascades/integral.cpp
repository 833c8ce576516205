#include "worker/cascades/integral.hpp"

#include <algorithm>

namespace framefleet::worker {
namespace {

/// One row: what the row above has, and this row's pixels so far.
template <int kStep>
void add_row(const std::uint8_t* pixels, int width, const IntegralLayout& layout,
             std::uint32_t* sums, std::uint32_t* squares) {
  std::uint32_t sum = 0;
  std::uint32_t square = 0;
  sums[0] = 0;
  squares[0] = 0;
  for (int x = 0; x < width; ++x) {
    const std::uint32_t pixel = pixels[x];
    sum += pixel;
    square += pixel * pixel;
    const std::ptrdiff_t at = kStep == 1 ? x + 1 : ((x + 1) & 1) * layout.odd + ((x + 1) >> 1);
    sums[at] = sums[at - layout.row] + sum;
    squares[at] = squares[at - layout.row] + square;
  }
}

}  // namespace

IntegralLayout IntegralLayout::of(int width, int height, int step, int spare) {
  IntegralLayout layout;
  layout.step = step;
  layout.row = (width + step) / step + spare;
  layout.odd = step == 1 ? 0 : layout.row * (height + 1);
  return layout;
}

void IntegralImages::compute(const std::uint8_t* pixels, std::size_t stride, int width, int height,
                             const IntegralLayout& layout) {
  const auto rows = static_cast<std::size_t>(layout.row) * static_cast<std::size_t>(height + 1);
  const auto needed = static_cast<std::size_t>(layout.odd) + rows;
  if (sums_.size() < needed) {
    sums_.resize(needed);
    squares_.resize(needed);
  }
  for (const std::ptrdiff_t plane : {std::ptrdiff_t{0}, layout.odd}) {  // of step 1: the same twice
    std::fill_n(sums_.begin() + plane, layout.row, 0U);
    std::fill_n(squares_.begin() + plane, layout.row, 0U);
  }
  for (int y = 0; y < height; ++y, pixels += stride) {
    std::uint32_t* const sums = sums_.data() + (y + 1) * layout.row;
    std::uint32_t* const squares = squares_.data() + (y + 1) * layout.row;
    if (layout.step == 1) {
      add_row<1>(pixels, width, layout, sums, squares);
    } else {
      add_row<2>(pixels, width, layout, sums, squares);
    }
  }
}

}  // namespace framefleet::worker
