#include "worker/detectors/people.hpp"

#include "worker/detectors/mat.hpp"

#include <opencv2/objdetect.hpp>

#include <algorithm>

namespace framefleet::worker {
namespace {

class People final : public Detector {
 public:
  explicit People(const Options& options)
      : stride_(options.number("stride")),
        padding_(options.number("padding")),
        scale_(options.real("scale")),
        hit_threshold_(options.real("hit_threshold")) {
    hog_.setSVMDetector(cv::HOGDescriptor::getDefaultPeopleDetector());
  }

  /// In grey the same people are found, and twice as many things that are none.
  Needs needs() const override { return {.bgr = true}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const cv::Mat picture = as_mat(input.picture.bgr);
    Found found;
    if (picture.cols < hog_.winSize.width || picture.rows < hog_.winSize.height) return found;
    std::vector<cv::Rect> boxes;
    std::vector<double> weights;
    hog_.detectMultiScale(picture, boxes, weights, hit_threshold_, cv::Size(stride_, stride_),
                          cv::Size(padding_, padding_), scale_);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      found.detections.push_back({"person", static_cast<float>(weights[i]), as_box(boxes[i]), ""});
    }
    std::stable_sort(found.detections.begin(), found.detections.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    return found;
  }

 private:
  cv::HOGDescriptor hog_;
  int stride_;
  int padding_;
  double scale_;
  double hit_threshold_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  return std::make_unique<People>(options);
}

}  // namespace

DetectorKind people_kind() {
  return {"people",
          1,
          "standing people of 100 pixels and more (HOG); the score is the classifier's margin",
          {{"stride",
            OptionType::choice,
            "8",
            0,
            0,
            "px",
            {"8", "16", "32"},
            "step of the window; larger is faster and finds less"},
           {"padding",
            OptionType::choice,
            "8",
            0,
            0,
            "px",
            {"0", "8", "16", "32"},
            "added around the picture, to find people at its edge"},
           {"scale",
            OptionType::real,
            "1.05",
            1.01,
            2,
            "",
            {},
            "step from one size searched to the next"},
           {"hit_threshold",
            OptionType::real,
            "0.3",
            -1,
            5,
            "",
            {},
            "margin a window must reach; larger finds fewer false ones"}},
          make};
}

}  // namespace framefleet::worker
