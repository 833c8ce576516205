#include "bench/vision/naive_loop.hpp"

#include "shared/base/assert.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>

namespace framefleet::bench {
namespace {

constexpr const char* kCascade = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml";
constexpr int kShortestCurve = 50;
constexpr std::size_t kCurvesMax = 100;

std::size_t edges(const cv::Mat& grey) {
  cv::Mat smooth;
  cv::Mat mask;
  cv::Mat labels;
  cv::Mat stats;
  cv::Mat centres;
  cv::GaussianBlur(grey, smooth, cv::Size(5, 5), 0);
  cv::Canny(smooth, mask, 100, 200);
  const int count = cv::connectedComponentsWithStats(mask, labels, stats, centres);
  std::size_t curves = 0;
  for (int i = 1; i < count; ++i) curves += stats.at<int>(i, cv::CC_STAT_AREA) >= kShortestCurve;
  return 1 + std::min(curves, kCurvesMax);
}

std::size_t corners(const cv::Mat& grey) {
  std::vector<cv::Point2f> found;
  cv::goodFeaturesToTrack(grey, found, 500, 0.01, 10);
  return found.size();
}

}  // namespace

struct NaiveLoop::Parts {
  std::vector<std::string> detectors;
  cv::CascadeClassifier classifier;
};

NaiveLoop::NaiveLoop(const std::vector<std::string>& detectors)
    : parts_(std::make_unique<Parts>()) {
  parts_->detectors = detectors;
  FRAMEFLEET_ASSERT(parts_->classifier.load(kCascade));
  cv::setNumThreads(1);
}

NaiveLoop::~NaiveLoop() = default;

std::size_t NaiveLoop::work(const std::string& jpeg) {
  const std::vector<unsigned char> bytes(jpeg.begin(), jpeg.end());
  const cv::Mat picture = cv::imdecode(bytes, cv::IMREAD_COLOR);
  cv::Mat grey;
  cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
  std::size_t count = 0;
  for (const auto& detector : parts_->detectors) {
    if (detector == "edges") count += edges(grey);
    if (detector == "corners") count += corners(grey);
    if (detector == "faces") {
      std::vector<cv::Rect> faces;
      parts_->classifier.detectMultiScale(grey, faces, 1.1, 3, 0, cv::Size(30, 30));
      count += faces.size();
    }
  }
  return count;
}

}  // namespace framefleet::bench
