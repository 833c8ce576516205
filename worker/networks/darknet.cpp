// Darknet's YOLO (v2 to v4 and its small ones) as OpenCV's layers leave it: one array for each
// scale, in which the classes are multiplied with the objectness already.

#include "worker/networks/decoders.hpp"

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

constexpr int kBeforeClasses = 5;
constexpr std::array kStrides{8, 16, 32};

/// Some anchors in each cell of one of the grids.
bool is_a_scale(int rows, InputSize size) {
  return std::any_of(kStrides.begin(), kStrides.end(), [&](int stride) {
    const int count = cells(size, stride);
    return count > 0 && rows >= count && rows % count == 0;
  });
}

}  // namespace

bool is_darknet(Outputs outputs, InputSize size) {
  return std::all_of(outputs.begin(), outputs.end(), [&](const Tensor& each) {
    return each.shape.size() == 2 && is_a_scale(each.dim(0), size) &&
           each.dim(1) > kBeforeClasses && each.dim(1) == outputs[0].dim(1);
  });
}

void decode_darknet(const DecodeInput& in, Candidates& out) {
  const auto width = static_cast<float>(in.size.width);
  const auto height = static_cast<float>(in.size.height);
  for (const Tensor& rows : in.outputs) {
    const auto length = static_cast<std::size_t>(rows.dim(1));
    for (int i = 0; i < rows.dim(0); ++i) {
      const float* const row = rows.values.data() + static_cast<std::size_t>(i) * length;
      const Best best = best_of(row + kBeforeClasses, rows.dim(1) - kBeforeClasses);
      keep(out, centred(row[0] * width, row[1] * height, row[2] * width, row[3] * height), best,
           in.score_min);
    }
  }
}

}  // namespace framefleet::worker
