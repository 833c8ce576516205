#include "worker/detectors/edges.hpp"

#include "worker/detectors/mat.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace framefleet::worker {
namespace {

class Edges final : public Detector {
 public:
  explicit Edges(const Options& options)
      : low_(options.real("low")),
        high_(options.real("high")),
        aperture_(options.number("aperture")),
        blur_(options.number("blur")),
        min_length_(static_cast<int>(options.integer("min_length"))),
        max_count_(static_cast<std::size_t>(options.integer("max_count"))) {}

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const cv::Mat grey = as_mat(input.picture.grey);
    if (blur_ > 0) {
      cv::GaussianBlur(grey, smooth_, cv::Size(blur_, blur_), 0);
      cv::Canny(smooth_, edges_, low_, high_, aperture_);
    } else {
      cv::Canny(grey, edges_, low_, high_, aperture_);
    }
    Found found;
    found.mask = as_plane(edges_);
    const int pixels = cv::countNonZero(edges_);
    const auto share = static_cast<float>(pixels) / static_cast<float>(edges_.total());
    found.detections.push_back({"edges", share, as_box(cv::Rect({0, 0}, edges_.size())),
                                fmt::format(R"({{"pixels":{}}})", pixels)});
    add_curves(found.detections);
    return found;
  }

 private:
  /// Connected edge pixels are a curve; its length is their number.
  void add_curves(std::vector<Detection>& detections) {
    if (max_count_ == 0) return;
    const int labels =
        cv::connectedComponentsWithStats(edges_, labels_, stats_, centres_, 8, CV_32S);
    std::vector<Detection> curves;
    for (int label = 1; label < labels; ++label) {  // 0 is the background.
      const int* row = stats_.ptr<int>(label);
      if (row[cv::CC_STAT_AREA] < min_length_) continue;
      const cv::Rect box(row[cv::CC_STAT_LEFT], row[cv::CC_STAT_TOP], row[cv::CC_STAT_WIDTH],
                         row[cv::CC_STAT_HEIGHT]);
      curves.push_back({"curve", static_cast<float>(row[cv::CC_STAT_AREA]), as_box(box), ""});
    }
    std::stable_sort(curves.begin(), curves.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    curves.resize(std::min(curves.size(), max_count_));
    detections.insert(detections.end(), curves.begin(), curves.end());
  }

  double low_;
  double high_;
  int aperture_;
  int blur_;
  int min_length_;
  std::size_t max_count_;
  cv::Mat smooth_;
  cv::Mat edges_;
  cv::Mat labels_;
  cv::Mat stats_;
  cv::Mat centres_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  return std::make_unique<Edges>(options);
}

}  // namespace

DetectorKind edges_kind() {
  return {
      "edges",
      1,
      "Canny's edges: one \"edges\" for the picture (score: share of its pixels) and the "
      "longest \"curve\"s (score: length in pixels)",
      {{"low",
        OptionType::real,
        "100",
        0,
        10000,
        "",
        {},
        "gradient above which an edge is followed"},
       {"high", OptionType::real, "200", 0, 10000, "", {}, "gradient above which an edge begins"},
       {"aperture", OptionType::choice, "3", 0, 0, "px", {"3", "5", "7"}, "of the gradient"},
       {"blur",
        OptionType::choice,
        "5",
        0,
        0,
        "px",
        {"0", "3", "5", "7", "9"},
        "Gaussian blur before; 0: none"},
       {"min_length", OptionType::integer, "50", 1, 1000000, "px", {}, "shortest curve reported"},
       {"max_count",
        OptionType::integer,
        "100",
        0,
        5000,
        "",
        {},
        "curves reported, longest first; 0: the sum alone"}},
      make};
}

}  // namespace framefleet::worker
