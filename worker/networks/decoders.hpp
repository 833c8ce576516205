#pragma once
// One pair of functions for each layout: whether outputs have its shapes, and what they say.
// Internal to worker/networks; layout.hpp chooses among them.

#include "worker/networks/layout.hpp"

#include <cmath>

namespace framefleet::worker {

struct DecodeInput {
  Outputs outputs;
  InputSize size;
  float score_min{0};
};
using Candidates = std::vector<Candidate>;

bool is_yolov5(Outputs outputs, InputSize size);
bool is_yolov8(Outputs outputs, InputSize size);
bool is_yolox(Outputs outputs, InputSize size);
bool is_nanodet(Outputs outputs, InputSize size);
bool is_ssd(Outputs outputs, InputSize size);
bool is_darknet(Outputs outputs, InputSize size);
bool is_yunet22(Outputs outputs, InputSize size);
bool is_yunet23(Outputs outputs, InputSize size);
bool is_embedding(Outputs outputs, InputSize size);

// Require the shapes above.
void decode_yolov5(const DecodeInput& in, Candidates& out);
void decode_yolov8(const DecodeInput& in, Candidates& out);
void decode_yolox(const DecodeInput& in, Candidates& out);
void decode_nanodet(const DecodeInput& in, Candidates& out);
void decode_ssd(const DecodeInput& in, Candidates& out);
void decode_darknet(const DecodeInput& in, Candidates& out);
void decode_yunet22(const DecodeInput& in, Candidates& out);
void decode_yunet23(const DecodeInput& in, Candidates& out);

/// Cells of a grid over the input with this stride.
inline int cells(InputSize size, int stride) {
  return (size.width / stride) * (size.height / stride);
}

/// The largest of `count` scores, each `step` numbers after the one before.
struct Best {
  int label{0};
  float score{0};
};
inline Best best_of(const float* scores, int count, std::size_t step = 1) {
  Best best{0, scores[0]};
  for (int i = 1; i < count; ++i) {
    const float score = scores[static_cast<std::size_t>(i) * step];
    if (score > best.score) best = {i, score};
  }
  return best;
}

inline Candidate centred(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, width, height, 0, 0, {}};
}

/// Keeps what is sure enough and made of numbers.
inline void keep(Candidates& out, Candidate candidate, Best best, float score_min) {
  candidate.score = best.score;
  candidate.label = best.label;
  const bool numbers = std::isfinite(candidate.left) && std::isfinite(candidate.top) &&
                       std::isfinite(candidate.width) && std::isfinite(candidate.height);
  if (best.score >= score_min && numbers && candidate.width > 0 && candidate.height > 0) {
    out.push_back(candidate);
  }
}

}  // namespace framefleet::worker
