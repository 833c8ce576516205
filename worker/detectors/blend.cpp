#include "worker/detectors/blend.hpp"

#include "worker/decoding/encoder.hpp"
#include "worker/detectors/mat.hpp"

#include <opencv2/imgproc.hpp>

namespace framefleet::worker {
namespace {

class Blend final : public Detector {
 public:
  explicit Blend(const Options& options)
      : alpha_(options.real("alpha")),
        beta_(options.real("beta")),
        gamma_(options.real("gamma")),
        quality_(static_cast<int>(options.integer("quality"))) {}

  Needs needs() const override { return {.bgr = true, .second_picture = true}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    if (!input.second.bgr) {
      return fail(DetectError{Reason::bad_description,
                              "detector \"blend\" needs a second picture: submit it as the second "
                              "payload frame of the task"});
    }
    const cv::Mat first = as_mat(input.picture.bgr);
    cv::Mat second = as_mat(input.second.bgr);
    if (second.size() != first.size()) {
      cv::resize(second, fitted_, first.size(), 0, 0, cv::INTER_AREA);
      second = fitted_;
    }
    cv::addWeighted(first, alpha_, second, beta_, gamma_, sum_);
    auto jpeg = encoder_.encode(as_plane(sum_), quality_);
    if (!jpeg) return fail(DetectError{Reason::detector_error, jpeg.error().text});
    Found found;
    found.pictures.push_back({"blend", "jpg", std::move(*jpeg)});
    return found;
  }

 private:
  double alpha_;
  double beta_;
  double gamma_;
  int quality_;
  JpegEncoder encoder_;
  cv::Mat fitted_;
  cv::Mat sum_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  return std::make_unique<Blend>(options);
}

}  // namespace

DetectorKind blend_kind() {
  return {"blend",
          1,
          "alpha x picture + beta x second picture + gamma, as a picture; finds nothing itself",
          {{"alpha", OptionType::real, "0.5", -10, 10, "", {}, "weight of the picture"},
           {"beta",
            OptionType::real,
            "0.5",
            -10,
            10,
            "",
            {},
            "weight of the second picture, which is resized to fit"},
           {"gamma", OptionType::real, "0", -255, 255, "", {}, "added to every value"},
           {"quality", OptionType::integer, "90", 1, 100, "", {}, "of the JPEG that is written"}},
          make};
}

}  // namespace framefleet::worker
