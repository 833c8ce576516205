// NanoDet (m, 2020 to 2022): for each of three strides an array of class scores and one of the
// distances from a cell's centre to the four sides, each distance told as eight bins.

#include "worker/networks/decoders.hpp"

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

constexpr std::array kStrides{8, 16, 32};
constexpr int kBins = 8;
constexpr int kSides = 4;

struct Pair {
  const Tensor* scores{nullptr};
  const Tensor* distances{nullptr};
};

/// Of this stride: arrays of as many rows as it has cells. Exports write each pair scores first.
Pair pair_of(Outputs outputs, InputSize size, int stride) {
  Pair pair;
  for (const Tensor& output : outputs) {
    if (output.shape.size() != 3 || output.dim(0) != 1 || output.dim(1) != cells(size, stride)) {
      continue;
    }
    if (output.dim(2) == kBins * kSides) {
      pair.distances = &output;
    } else {
      pair.scores = &output;
    }
  }
  return pair;
}

/// The mean of the bins' numbers, each weighted by its share (softmax).
float distance(const float* bins) {
  const float largest = *std::max_element(bins, bins + kBins);
  float sum = 0;
  float mean = 0;
  for (int i = 0; i < kBins; ++i) {
    const float weight = std::exp(bins[i] - largest);
    sum += weight;
    mean += weight * static_cast<float>(i);
  }
  return mean / sum;
}

}  // namespace

bool is_nanodet(Outputs outputs, InputSize size) {
  if (outputs.size() != 2 * kStrides.size()) return false;
  return std::all_of(kStrides.begin(), kStrides.end(), [&](int stride) {
    const Pair pair = pair_of(outputs, size, stride);
    return pair.scores != nullptr && pair.distances != nullptr;
  });
}

void decode_nanodet(const DecodeInput& in, Candidates& out) {
  for (const int stride : kStrides) {
    const Pair pair = pair_of(in.outputs, in.size, stride);
    const int classes = pair.scores->dim(2);
    const auto step = static_cast<float>(stride);
    const float* scores = pair.scores->values.data();
    const float* bins = pair.distances->values.data();
    for (int y = 0; y < in.size.height / stride; ++y) {
      for (int x = 0; x < in.size.width / stride; ++x) {
        const Best best = best_of(scores, classes);
        if (best.score >= in.score_min) {
          const float centre_x = (static_cast<float>(x) + 0.5F) * step - 0.5F;
          const float centre_y = (static_cast<float>(y) + 0.5F) * step - 0.5F;
          const float left = centre_x - distance(bins) * step;
          const float top = centre_y - distance(bins + kBins) * step;
          const float right = centre_x + distance(bins + 2 * kBins) * step;
          const float bottom = centre_y + distance(bins + 3 * kBins) * step;
          keep(out, {left, top, right - left, bottom - top, 0, 0, {}}, best, in.score_min);
        }
        scores += classes;
        bins += kBins * kSides;
      }
    }
  }
}

}  // namespace framefleet::worker
