// The layouts of the YOLO family that are one array: YOLOv5, YOLOv8 and YOLOX.

#include "worker/networks/decoders.hpp"

#include <array>

namespace framefleet::worker {
namespace {

constexpr std::array kStrides{8, 16, 32};
constexpr int kAnchors = 3;

int cells_of_all(InputSize size) {
  int sum = 0;
  for (const int stride : kStrides) sum += cells(size, stride);
  return sum;
}

/// [1, rows, 5 + classes]: x, y, width, height, objectness, then the classes.
constexpr int kBeforeClasses = 5;
bool has_rows(Outputs outputs, int rows) {
  const Tensor& first = outputs[0];
  return first.shape.size() == 3 && first.dim(0) == 1 && first.dim(1) == rows &&
         first.dim(2) > kBeforeClasses;
}

/// The class that a row is surest of, with its score; the objectness alone first, which is enough
/// to leave most rows.
Best best_in(const float* row, int classes, float score_min) {
  const float objectness = row[4];
  if (!(objectness >= score_min)) return {0, 0};
  Best best = best_of(row + kBeforeClasses, classes);
  best.score *= objectness;
  return best;
}

}  // namespace

bool is_yolov5(Outputs outputs, InputSize size) {
  return has_rows(outputs, kAnchors * cells_of_all(size));
}

void decode_yolov5(const DecodeInput& in, Candidates& out) {
  const Tensor& rows = in.outputs[0];
  const auto length = static_cast<std::size_t>(rows.dim(2));
  for (int i = 0; i < rows.dim(1); ++i) {
    const float* const row = rows.values.data() + static_cast<std::size_t>(i) * length;
    const Best best = best_in(row, rows.dim(2) - kBeforeClasses, in.score_min);
    if (best.score >= in.score_min) {
      keep(out, centred(row[0], row[1], row[2], row[3]), best, in.score_min);
    }
  }
}

bool is_yolox(Outputs outputs, InputSize size) { return has_rows(outputs, cells_of_all(size)); }

void decode_yolox(const DecodeInput& in, Candidates& out) {
  const Tensor& rows = in.outputs[0];
  const auto length = static_cast<std::size_t>(rows.dim(2));
  const float* row = rows.values.data();
  for (const int stride : kStrides) {
    const auto step = static_cast<float>(stride);
    for (int y = 0; y < in.size.height / stride; ++y) {
      for (int x = 0; x < in.size.width / stride; ++x, row += length) {
        const Best best = best_in(row, rows.dim(2) - kBeforeClasses, in.score_min);
        if (!(best.score >= in.score_min)) continue;
        keep(out,
             centred((row[0] + static_cast<float>(x)) * step,
                     (row[1] + static_cast<float>(y)) * step, std::exp(row[2]) * step,
                     std::exp(row[3]) * step),
             best, in.score_min);
      }
    }
  }
}

bool is_yolov8(Outputs outputs, InputSize size) {
  const Tensor& first = outputs[0];
  return first.shape.size() == 3 && first.dim(0) == 1 && first.dim(1) > 4 &&
         first.dim(2) == cells_of_all(size);
}

void decode_yolov8(const DecodeInput& in, Candidates& out) {
  const Tensor& columns = in.outputs[0];
  const auto count = static_cast<std::size_t>(columns.dim(2));
  for (std::size_t i = 0; i < count; ++i) {
    const float* const column = columns.values.data() + i;
    const Best best = best_of(column + 4 * count, columns.dim(1) - 4, count);
    if (best.score >= in.score_min) {
      keep(out, centred(column[0], column[count], column[2 * count], column[3 * count]), best,
           in.score_min);
    }
  }
}

}  // namespace framefleet::worker
