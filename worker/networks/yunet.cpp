// YuNet, faces with five landmarks: the file of 2022 tells offsets to priors, that of 2023 to the
// cells of three grids.

#include "worker/networks/decoders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

const Tensor* named(Outputs outputs, std::string_view name) {
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const Tensor& each) { return each.name == name; });
  return found == outputs.end() ? nullptr : &*found;
}

bool has(const Tensor* tensor, int rows, int columns) {
  return tensor != nullptr && std::ssize(tensor->values) == std::ptrdiff_t{rows} * columns;
}

Best face(float a, float b) {
  return {0, std::sqrt(std::clamp(a, 0.0F, 1.0F) * std::clamp(b, 0.0F, 1.0F))};
}

// --- 2022 -------------------------------------------------------------------------------------

struct PriorGrid {
  int stride;
  std::array<int, 3> sides;
  std::size_t count;
};
constexpr std::array<PriorGrid, 4> kGrids{
    {{8, {10, 16, 24}, 3}, {16, {32, 48, 0}, 2}, {32, {64, 96, 0}, 2}, {64, {128, 192, 256}, 3}}};

/// Halved three times and once more for each grid, as the network's layers do.
InputSize grid_of(InputSize size, int stride) {
  const auto halved = [stride](int side) {
    int cells = (side + 1) / 2 / 2;
    for (int reached = 4; reached < stride; reached *= 2) cells /= 2;
    return cells;
  };
  return {halved(size.width), halved(size.height)};
}

int priors_of(InputSize size) {
  int sum = 0;
  for (const auto& grid : kGrids) {
    const auto [columns, rows] = grid_of(size, grid.stride);
    sum += columns * rows * static_cast<int>(grid.count);
  }
  return sum;
}

constexpr int kLocation = 4 + 2 * static_cast<int>(kLandmarks);

Candidate at_prior(float x, float y, float side, const float* location) {
  constexpr float kCentre = 0.1F;
  constexpr float kSize = 0.2F;
  Candidate found =
      centred(x + location[0] * kCentre * side, y + location[1] * kCentre * side,
              side * std::exp(location[2] * kCentre), side * std::exp(location[3] * kSize));
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    found.landmarks[2 * i] = x + location[4 + 2 * i] * kCentre * side;
    found.landmarks[2 * i + 1] = y + location[5 + 2 * i] * kCentre * side;
  }
  return found;
}

// --- 2023 -------------------------------------------------------------------------------------

constexpr std::array kStrides{8, 16, 32};

struct Stride {
  const Tensor* cls;
  const Tensor* obj;
  const Tensor* bbox;
  const Tensor* kps;
};

Stride stride_of(Outputs outputs, int stride) {
  const auto get = [&](const char* what) {
    return named(outputs, fmt::format("{}_{}", what, stride));
  };
  return {get("cls"), get("obj"), get("bbox"), get("kps")};
}

Candidate at_cell(float column, float row, float step, const float* box, const float* points) {
  Candidate found = centred((column + box[0]) * step, (row + box[1]) * step,
                            std::exp(box[2]) * step, std::exp(box[3]) * step);
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    found.landmarks[2 * i] = (column + points[2 * i]) * step;
    found.landmarks[2 * i + 1] = (row + points[2 * i + 1]) * step;
  }
  return found;
}

}  // namespace

bool is_yunet22(Outputs outputs, InputSize size) {
  const int priors = priors_of(size);
  return outputs.size() == 3 && has(named(outputs, "conf"), priors, 2) &&
         has(named(outputs, "iou"), priors, 1) && has(named(outputs, "loc"), priors, kLocation);
}

void decode_yunet22(const DecodeInput& in, Candidates& out) {
  const float* conf = named(in.outputs, "conf")->values.data();
  const float* iou = named(in.outputs, "iou")->values.data();
  const float* loc = named(in.outputs, "loc")->values.data();
  for (const auto& grid : kGrids) {
    const auto [columns, rows] = grid_of(in.size, grid.stride);
    const auto step = static_cast<float>(grid.stride);
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        for (std::size_t i = 0; i < grid.count; ++i, conf += 2, ++iou, loc += kLocation) {
          const Best best = face(conf[1], *iou);
          if (!(best.score >= in.score_min)) continue;
          keep(out,
               at_prior((static_cast<float>(column) + 0.5F) * step,
                        (static_cast<float>(row) + 0.5F) * step, static_cast<float>(grid.sides[i]),
                        loc),
               best, in.score_min);
        }
      }
    }
  }
}

bool is_yunet23(Outputs outputs, InputSize size) {
  return std::all_of(kStrides.begin(), kStrides.end(), [&](int stride) {
    const auto [cls, obj, bbox, kps] = stride_of(outputs, stride);
    const int count = cells(size, stride);
    return has(cls, count, 1) && has(obj, count, 1) && has(bbox, count, 4) &&
           has(kps, count, 2 * static_cast<int>(kLandmarks));
  });
}

void decode_yunet23(const DecodeInput& in, Candidates& out) {
  for (const int stride : kStrides) {
    const auto [cls, obj, bbox, kps] = stride_of(in.outputs, stride);
    const auto step = static_cast<float>(stride);
    const int columns = in.size.width / stride;
    for (int i = 0; i < cells(in.size, stride); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Best best = face(cls->values[at], obj->values[at]);
      if (!(best.score >= in.score_min)) continue;
      keep(out,
           at_cell(static_cast<float>(i % columns), static_cast<float>(i / columns), step,
                   bbox->values.data() + 4 * at, kps->values.data() + 2 * kLandmarks * at),
           best, in.score_min);
    }
  }
}

bool is_embedding(Outputs outputs, InputSize) {
  constexpr int kLengthMin = 16;
  return outputs.size() == 1 && outputs[0].shape.size() == 2 && outputs[0].dim(0) == 1 &&
         outputs[0].dim(1) >= kLengthMin;
}

}  // namespace framefleet::worker
