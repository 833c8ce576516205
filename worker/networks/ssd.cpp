// SSD as TensorFlow and Caffe end it (DetectionOutput): rows that are boxes already.

#include "worker/networks/decoders.hpp"

namespace framefleet::worker {
namespace {

/// Picture, class, score, left, top, right, bottom; the last four as shares of the picture.
constexpr int kRow = 7;

}  // namespace

bool is_ssd(Outputs outputs, InputSize) {
  const Tensor& first = outputs[0];
  return outputs.size() == 1 && first.shape.size() == 4 && first.dim(0) == 1 && first.dim(1) == 1 &&
         first.dim(3) == kRow;
}

void decode_ssd(const DecodeInput& in, Candidates& out) {
  const Tensor& rows = in.outputs[0];
  const auto width = static_cast<float>(in.size.width);
  const auto height = static_cast<float>(in.size.height);
  for (int i = 0; i < rows.dim(2); ++i) {
    const float* const row = rows.values.data() + static_cast<std::size_t>(i) * kRow;
    constexpr float kLabelsMax = 100'000;
    if (!(row[0] >= 0) || !(row[1] >= 0 && row[1] < kLabelsMax)) continue;  // filled up with -1
    keep(out,
         {row[3] * width,
          row[4] * height,
          (row[5] - row[3]) * width,
          (row[6] - row[4]) * height,
          0,
          0,
          {}},
         {static_cast<int>(row[1]), row[2]}, in.score_min);
  }
}

}  // namespace framefleet::worker
