#include "worker/detectors/objects.hpp"

#include "worker/detectors/model_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

constexpr std::array kLayoutsTaken{Layout::yolov5,  Layout::yolov8, Layout::yolox,
                                   Layout::nanodet, Layout::ssd,    Layout::darknet};
constexpr std::string_view kAllClasses = "all";

class Objects final : public Detector {
 public:
  Objects(std::shared_ptr<ModelNetwork> network, const Options& options, std::vector<bool> wanted)
      : network_(std::move(network)),
        wanted_(std::move(wanted)),
        score_min_(static_cast<float>(options.real("score"))),
        overlap_max_(static_cast<float>(options.real("overlap"))),
        count_max_(static_cast<std::size_t>(options.integer("max_count"))) {
    if (score_min_ <= 0) score_min_ = network_->about().score_min;
    if (overlap_max_ <= 0) overlap_max_ = network_->about().overlap_max;
  }

  Needs needs() const override { return {.bgr = true, .smallest = network_->model().decode_scale}; }
  std::string version() const override { return network_->version(); }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const auto boxes = network_->look(input.picture, score_min_, overlap_max_);
    if (!boxes) return fail(boxes.error());
    const auto& labels = network_->about().labels;
    Found found;
    for (const auto& box : *boxes) {
      const auto label = static_cast<std::size_t>(box.label);
      if (label >= labels.size()) {
        return fail(DetectError{Reason::detector_error,
                                fmt::format("model {}: class {} was found, and there are {} labels",
                                            network_->model().name, label, labels.size())});
      }
      if (!wanted_.empty() && !wanted_[label]) continue;
      if (found.detections.size() == count_max_) break;
      found.detections.push_back(
          {labels[label], box.score, {box.left, box.top, box.width, box.height}, ""});
    }
    return found;
  }

 private:
  std::shared_ptr<ModelNetwork> network_;
  std::vector<bool> wanted_;  ///< By label; empty: all.
  float score_min_;
  float overlap_max_;
  std::size_t count_max_;
};

/// "sports_ball" names "sports ball": no shell quotes are needed for it.
bool names_label(std::string_view word, std::string_view label) {
  return std::equal(word.begin(), word.end(), label.begin(), label.end(),
                    [](char a, char b) { return a == b || (a == '_' && b == ' '); });
}

Result<std::vector<bool>, Error> wanted_of(const std::vector<std::string>& words,
                                           const Model& model) {
  if (words.size() == 1 && words[0] == kAllClasses) return {};
  const auto& labels = model.network->labels;
  std::vector<bool> wanted(labels.size(), false);
  for (const auto& word : words) {
    const auto label = std::find_if(labels.begin(), labels.end(), [&](const std::string& each) {
      return names_label(word, each);
    });
    if (label == labels.end()) {
      std::string some;
      for (std::size_t i = 0; i < std::min<std::size_t>(labels.size(), 10); ++i) {
        some += (i == 0 ? "" : ", ") + labels[i];
      }
      return fail(
          Error{fmt::format("detector \"objects\": model {} knows no class \"{}\"; it knows {}{}",
                            model.name, word, some, labels.size() > 10 ? ", …" : ""),
                exit_code::kUsage});
    }
    wanted[static_cast<std::size_t>(label - labels.begin())] = true;
  }
  return wanted;
}

Result<void, Error> check(const Options& options, const DetectorSettings& settings) {
  const auto model = settings.network_model("objects", options.model("model"));
  if (!model) return fail(model.error());
  const auto wanted = wanted_of(options.words("classes"), **model);
  return wanted ? Result<void, Error>{} : fail(wanted.error());
}

Result<std::unique_ptr<Detector>, Error> make(const Options& options,
                                              const DetectorSettings& settings) {
  const auto model = settings.network_model("objects", options.model("model"));
  if (!model) return fail(model.error());
  auto wanted = wanted_of(options.words("classes"), **model);
  if (!wanted) return fail(wanted.error());
  auto network = settings.open(**model, kLayoutsTaken);
  if (!network) return fail(network.error());
  return std::make_unique<Objects>(std::move(*network), options, std::move(*wanted));
}

}  // namespace

Result<std::unique_ptr<ModelNetwork>, Error> open_objects_model(const Model& model) {
  return ModelNetwork::open(model, kLayoutsTaken);
}

DetectorKind objects_kind() {
  return {
      "objects",
      1,
      "what the model was trained to find; the score is the model's, 0 to 1",
      {model_option(),
       score_option(),
       overlap_option(),
       {"classes",
        OptionType::words,
        kAllClasses,
        0,
        0,
        "",
        {},
        "which of the model's classes; person+sports_ball"},
       {"max_count", OptionType::integer, "300", 1, 5000, "", {}, "boxes reported, surest first"}},
      make,
      check,
      true};
}

}  // namespace framefleet::worker
