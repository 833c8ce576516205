#include "worker/detectors/corners.hpp"

#include "worker/detectors/mat.hpp"

#include <opencv2/imgproc.hpp>

namespace framefleet::worker {
namespace {

class Corners final : public Detector {
 public:
  explicit Corners(const Options& options)
      : harris_(options.choice("method") == "harris"),
        max_count_(static_cast<int>(options.integer("max_count"))),
        quality_(options.real("quality")),
        min_distance_(options.real("min_distance")),
        block_(static_cast<int>(options.integer("block"))),
        k_(options.real("k")) {}

  Result<Found, DetectError> detect(const DetectInput& input) override {
    std::vector<cv::Point2f> corners;
    std::vector<float> responses;
    cv::goodFeaturesToTrack(as_mat(input.picture.grey), corners, max_count_, quality_,
                            min_distance_, cv::noArray(), responses, block_, 3, harris_, k_);
    Found found;
    for (std::size_t i = 0; i < corners.size(); ++i) {  // Strongest first.
      const float share = responses[0] > 0 ? responses[i] / responses[0] : 1;
      found.detections.push_back({"corner", share, {corners[i].x, corners[i].y, 1, 1}, ""});
    }
    return found;
  }

 private:
  bool harris_;
  int max_count_;
  double quality_;
  double min_distance_;
  int block_;
  double k_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  return std::make_unique<Corners>(options);
}

}  // namespace

DetectorKind corners_kind() {
  return {"corners",
          1,
          "corners as boxes of one pixel; the score is the response as a share of the strongest",
          {{"method",
            OptionType::choice,
            "shi_tomasi",
            0,
            0,
            "",
            {"shi_tomasi", "harris"},
            "response that is measured"},
           {"max_count",
            OptionType::integer,
            "500",
            1,
            5000,
            "",
            {},
            "corners reported, strongest first"},
           {"quality",
            OptionType::real,
            "0.01",
            0.0001,
            1,
            "",
            {},
            "weakest corner as a share of the strongest"},
           {"min_distance", OptionType::real, "10", 0, 1000, "px", {}, "between two corners"},
           {"block", OptionType::integer, "3", 2, 31, "px", {}, "side of the window averaged over"},
           {"k", OptionType::real, "0.04", 0.01, 0.25, "", {}, "Harris only: its free parameter"}},
          make};
}

}  // namespace framefleet::worker
