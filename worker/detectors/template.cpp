#include "worker/detectors/template.hpp"

#include "worker/decoding/decoder.hpp"
#include "worker/detectors/mat.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

namespace framefleet::worker {
namespace {

/// Places that look like the template, of one scale: so many are compared with each other.
constexpr std::size_t kCandidatesMax = 20'000;
/// Grey levels: what varies less is of one colour, and nothing can be said about its likeness.
constexpr double kDeviationMin = 1;
/// Pixels: the smallest side that a template is made smaller to.
constexpr int kSideMin = 4;

struct Candidate {
  float score{0};
  cv::Rect box;
  double scale{1};
};

bool surer(const Candidate& a, const Candidate& b) { return a.score > b.score; }

double overlap_of(const cv::Rect& a, const cv::Rect& b) {
  const double both = (a & b).area();
  return both / (a.area() + b.area() - both);
}

bool is_of_one_colour(const cv::Mat& picture) {
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(picture, mean, deviation);
  return std::max({deviation[0], deviation[1], deviation[2]}) < kDeviationMin;
}

constexpr std::string_view kSecond = "second";
constexpr const char* kOfOneColour =
    "the picture to look for is of one colour, which is like everything and nothing";

/// Of its own, in colour. Errors: it is no picture, or none that can be looked for.
Result<cv::Mat, Error> picture_of(const Model& model, const ImageLimits& limits) {
  const auto refused = [&](const std::string& why) {
    return fail(Error{fmt::format("{}: {}", model.path, why), exit_code::kConfig});
  };
  const FileBytes bytes = bytes_of(model);
  if (bytes == nullptr) {
    return fail(Error{fmt::format("cannot read {}", model.path), exit_code::kNoInput});
  }
  Decoder decoder(limits);
  const auto picture =
      decoder.decode(std::as_bytes(std::span(*bytes)), {.grey = false, .bgr = true});
  if (!picture) return refused(picture.error().text);
  cv::Mat own = as_mat(picture->bgr).clone();
  if (is_of_one_colour(own)) return refused(kOfOneColour);
  return own;
}

class Template final : public Detector {
 public:
  /// `own`: what to look for, or empty: the second picture of each task.
  Template(const Options& options, cv::Mat own)
      : name_(own.empty() ? "template" : options.model("model")),
        own_(std::move(own)),
        threshold_(static_cast<float>(options.real("threshold"))),
        scales_(static_cast<int>(options.integer("scales"))),
        smallest_(options.real("smallest")),
        largest_(options.real("largest")),
        overlap_max_(options.real("overlap")),
        count_max_(static_cast<std::size_t>(options.integer("max_count"))),
        colour_(options.choice("planes") == "colour") {}

  Needs needs() const override { return {.bgr = colour_, .second_picture = own_.empty()}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    if (own_.empty() && !input.second.bgr) {
      return fail(
          DetectError{Reason::bad_description,
                      "detector \"template\" needs a second picture, which it looks for: "
                      "submit it as the second payload frame of the task, or name a model"});
    }
    const cv::Mat picture = as_mat(colour_ ? input.picture.bgr : input.picture.grey);
    const cv::Mat coloured = own_.empty() ? as_mat(input.second.bgr) : own_;
    cv::Mat wanted = coloured;
    if (!colour_) cv::cvtColor(coloured, wanted, cv::COLOR_BGR2GRAY);
    if (is_of_one_colour(wanted)) {
      return fail(DetectError{Reason::bad_description,
                              fmt::format("detector \"template\": {}", kOfOneColour)});
    }
    std::vector<Candidate> candidates;
    for (int i = 0; i < scales_ && !input.observer.abandoned(); ++i) {
      look_for(picture, wanted, scale(i), candidates);
    }
    return report(picture, candidates);
  }

 private:
  /// From the smallest to the largest, each the same factor larger than the one before.
  double scale(int number) const {
    if (scales_ == 1) return 1;
    return smallest_ * std::pow(largest_ / smallest_, static_cast<double>(number) / (scales_ - 1));
  }

  /// Adds the places where the template, made larger or smaller, is more like the picture than one
  /// pixel beside them.
  void look_for(const cv::Mat& picture, const cv::Mat& wanted, double scale,
                std::vector<Candidate>& candidates) {
    const cv::Size size(static_cast<int>(std::lround(wanted.cols * scale)),
                        static_cast<int>(std::lround(wanted.rows * scale)));
    if (size.width > picture.cols || size.height > picture.rows) return;
    if (scale < 1 && std::min(size.width, size.height) < kSideMin) return;
    cv::Mat scaled = wanted;
    if (size != wanted.size()) {
      cv::resize(wanted, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    }
    cv::matchTemplate(picture, scaled, likeness_, cv::TM_CCOEFF_NORMED);
    cv::dilate(likeness_, peaks_, cv::Mat());
    std::vector<Candidate> found;
    for (int y = 0; y < likeness_.rows; ++y) {
      const auto* const scores = likeness_.ptr<float>(y);
      const auto* const highest = peaks_.ptr<float>(y);
      for (int x = 0; x < likeness_.cols; ++x) {
        if (scores[x] < threshold_ || scores[x] < highest[x]) continue;
        found.push_back({std::min(scores[x], 1.0F), {{x, y}, size}, scale});
      }
    }
    if (found.size() > kCandidatesMax) {
      std::nth_element(found.begin(), found.begin() + kCandidatesMax, found.end(), surer);
      found.resize(kCandidatesMax);
    }
    candidates.insert(candidates.end(), found.begin(), found.end());
  }

  Found report(const cv::Mat& picture, std::vector<Candidate>& candidates) const {
    std::stable_sort(candidates.begin(), candidates.end(), surer);
    std::vector<Candidate> kept;
    for (const auto& candidate : candidates) {
      if (kept.size() >= count_max_) break;
      const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const Candidate& other) {
        return overlap_of(candidate.box, other.box) > overlap_max_;
      });
      if (!hidden && !is_of_one_colour(picture(candidate.box))) kept.push_back(candidate);
    }
    Found found;
    for (const auto& each : kept) {
      found.detections.push_back(
          {name_, each.score, as_box(each.box), fmt::format(R"({{"scale":{:.4g}}})", each.scale)});
    }
    return found;
  }

  std::string name_;
  cv::Mat own_;
  float threshold_;
  int scales_;
  double smallest_;
  double largest_;
  double overlap_max_;
  std::size_t count_max_;
  bool colour_;
  cv::Mat likeness_;
  cv::Mat peaks_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options,
                                              const DetectorSettings& settings) {
  if (options.real("smallest") > options.real("largest")) {
    return fail(Error{"detector \"template\": smallest is larger than largest; exchange them",
                      exit_code::kUsage});
  }
  if (options.model("model") == kSecond) return std::make_unique<Template>(options, cv::Mat());
  const Model* const model = settings.model("template", options.model("model"));
  FRAMEFLEET_ASSERT(model != nullptr);  // make_detector has looked.
  auto own = picture_of(*model, settings.limits);
  if (!own) return fail(own.error());
  return std::make_unique<Template>(options, std::move(*own));
}

}  // namespace

Result<void, Error> try_template(const Model& model, const ImageLimits& limits) {
  const auto picture = picture_of(model, limits);
  if (!picture) return fail(picture.error());
  return {};
}

DetectorKind template_kind() {
  return {"template",
          1,
          "copies of another picture in the picture; the score is their correlation",
          {{"model",
            OptionType::model,
            kSecond,
            0,
            0,
            "",
            {kSecond},
            "what to look for: the second picture of the task, or a picture of the worker's"},
           {"threshold", OptionType::real, "0.8", 0.1, 1, "", {}, "least correlation; 1 is a copy"},
           {"scales",
            OptionType::integer,
            "1",
            1,
            50,
            "",
            {},
            "sizes that are looked for, from smallest to largest; 1: as it is"},
           {"smallest",
            OptionType::real,
            "0.5",
            0.05,
            20,
            "",
            {},
            "with several scales: the first, as a multiple of the template's size"},
           {"largest",
            OptionType::real,
            "2",
            0.05,
            20,
            "",
            {},
            "with several scales: the last, as a multiple of the template's size"},
           {"overlap",
            OptionType::real,
            "0.3",
            0,
            1,
            "",
            {},
            "most overlap (intersection over union) of two that are reported"},
           {"max_count", OptionType::integer, "100", 1, 5000, "", {}, "reported, surest first"},
           {"planes",
            OptionType::choice,
            "grey",
            0,
            0,
            "",
            {"grey", "colour"},
            "what is compared; colour takes three times as long"}},
          make};
}

}  // namespace framefleet::worker
