#include "worker/networks/layout.hpp"

#include "worker/networks/decoders.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>

namespace framefleet::worker {
namespace {

/// Classes: a dimension of the first output, less what stands before them in a row.
struct ClassesAt {
  std::size_t dim{0};
  int before{0};  ///< 0: the shapes do not say.
};

struct Entry {
  std::string_view word;
  bool (*is)(Outputs, InputSize);
  void (*decode)(const DecodeInput&, Candidates&);
  int side_step;
  ClassesAt classes{};
};

/// By Layout; found in this order too, so that the narrow come before the wide.
constexpr std::array<Entry, kLayouts> kTable{{
    {"auto", nullptr, nullptr, 1},
    {"yolov5", is_yolov5, decode_yolov5, 32, {2, 5}},
    {"yolov8", is_yolov8, decode_yolov8, 32, {1, 4}},
    {"yolox", is_yolox, decode_yolox, 32, {2, 5}},
    {"nanodet", is_nanodet, decode_nanodet, 32, {2, 0}},
    {"ssd", is_ssd, decode_ssd, 1},
    {"darknet", is_darknet, decode_darknet, 32, {1, 5}},
    {"yunet22", is_yunet22, decode_yunet22, 1},
    {"yunet23", is_yunet23, decode_yunet23, 32},
    {"embedding", is_embedding, nullptr, 1},
}};

const Entry& entry_of(Layout layout) { return kTable.at(static_cast<std::size_t>(layout)); }

float overlap(const Candidate& a, const Candidate& b) {
  const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const float both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}

}  // namespace

std::string_view to_string(Layout layout) {
  const auto index = static_cast<std::size_t>(layout);
  return index < kTable.size() ? kTable[index].word : std::string_view{};
}

bool fits(Layout layout, Outputs outputs, InputSize size) {
  const auto is = entry_of(layout).is;
  return is != nullptr && !outputs.empty() && is(outputs, size);
}

Layout layout_of(Outputs outputs, InputSize size) {
  for (std::size_t i = 1; i < kTable.size(); ++i) {
    if (fits(static_cast<Layout>(i), outputs, size)) return static_cast<Layout>(i);
  }
  return Layout::automatic;
}

int classes_in(Layout layout, Outputs outputs) {
  if (layout == Layout::nanodet) {
    const auto scores = std::find_if(outputs.begin(), outputs.end(), [](const Tensor& each) {
      return each.dim(2) != 32;  // the other kind of array: distances
    });
    return scores == outputs.end() ? 32 : scores->dim(2);
  }
  const auto [dim, before] = entry_of(layout).classes;
  return before == 0 ? 0 : outputs[0].dim(dim) - before;
}

int side_step(Layout layout) { return entry_of(layout).side_step; }

std::vector<Candidate> candidates_of(Layout layout, Outputs outputs, InputSize size,
                                     float score_min) {
  const auto decode = entry_of(layout).decode;
  FRAMEFLEET_ASSERT(decode != nullptr);
  std::vector<Candidate> found;
  decode({outputs, size, score_min}, found);
  return found;
}

std::vector<Candidate> without_doubles(std::vector<Candidate> candidates, float overlap_max) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  if (candidates.size() > kJudgedMax) candidates.resize(kJudgedMax);
  std::vector<Candidate> stay;
  for (const auto& candidate : candidates) {
    const bool doubled = std::any_of(stay.begin(), stay.end(), [&](const Candidate& surer) {
      return surer.label == candidate.label && overlap(surer, candidate) > overlap_max;
    });
    if (!doubled) stay.push_back(candidate);
  }
  return stay;
}

}  // namespace framefleet::worker
