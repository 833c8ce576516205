#include "producer/motion/scene.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace framefleet::producer {
namespace {

/// Within a tenth of it something that stopped becomes background (the rest of the mixture weighs
/// 0.9 then); leaves and water have been learnt after all of it.
constexpr double kMixtureMemory = 30;  // seconds
/// Short, because the mean must follow the light; long enough that somebody who walks on leaves no
/// trail.
constexpr double kMeanMemory = 5;  // seconds
/// Squared distance in standard deviations that is no longer background: OpenCV's own choice.
constexpr double kMixtureThreshold = 16;
constexpr int kMixtureHistory = 500;    // without meaning here: every rate is given
constexpr double kLevelThreshold = 18;  // grey levels, of MotionMethod::difference
/// The picture is made brighter or darker by at most this factor before it is compared; a larger
/// change is one of the whole picture.
constexpr double kGainMax = 2;

}  // namespace

Scene::Scene(const MotionOptions& options) : options_(options) { forget(); }

void Scene::forget() {
  learnt_ = 0;
  mixture_.reset();
  if (options_.method == MotionMethod::mog2) {
    // Without its shadows: in grey, somebody in dark clothes is one.
    mixture_ = cv::createBackgroundSubtractorMOG2(kMixtureHistory, kMixtureThreshold, false);
  }
}

Change Scene::look(const FrameView& frame, double since_last, bool warming_up) {
  const auto before = grey_.size();
  reduce(frame);
  if (grey_.size() != before) {
    forget();
    draw_masks(grey_.size());
  }
  const double memory = mixture_ ? kMixtureMemory : kMeanMemory;
  const double rate = warming_up || learnt_ == 0 ? 1.0 / static_cast<double>(learnt_ + 1)
                                                 : 1 - std::exp(-since_last / memory);
  even_out(rate);
  if (mixture_) {
    mark_with_mog2(rate);
  } else {
    mark_difference(rate);
  }
  auto change = measure();
  change.first = learnt_++ == 0;
  return change;
}

/// By halves, because that is the one factor for which OpenCV is really fast: between `width` and
/// twice as many pixels are left.
void Scene::reduce(const FrameView& frame) {
  const cv::Mat whole(static_cast<int>(frame.height), static_cast<int>(frame.width),
                      frame.channels == 1 ? CV_8UC1 : CV_8UC3,
                      const_cast<std::uint8_t*>(frame.pixels),  // only read; Mat has no such view
                      frame.stride);
  cv::Mat picture = whole;
  for (std::size_t i = 0; picture.cols / 2 >= static_cast<int>(options_.width); ++i) {
    const cv::Size half(picture.cols / 2, std::max(1, picture.rows / 2));
    const cv::Rect even(0, 0, 2 * half.width, std::min(picture.rows, 2 * half.height));
    cv::resize(picture(even), halves_.at(i), half, 0, 0, cv::INTER_AREA);
    picture = halves_.at(i);
  }
  if (frame.channels == 1) {
    picture.copyTo(grey_);
  } else {
    cv::cvtColor(picture, grey_, cv::COLOR_BGR2GRAY);
  }
}

/// A cloud or a camera that opens its iris changes all pixels by one factor: undone.
void Scene::even_out(double rate) {
  const double mean = std::max(1.0, cv::mean(grey_, seen_)[0]);
  if (learnt_ == 0) usual_mean_ = mean;
  usual_mean_ += rate * (mean - usual_mean_);
  const double gain = std::clamp(usual_mean_ / mean, 1 / kGainMax, kGainMax);
  grey_.convertTo(grey_, -1, gain);
}

void Scene::mark_with_mog2(double rate) { mixture_->apply(grey_, marked_, rate); }

void Scene::mark_difference(double rate) {
  if (learnt_ == 0) grey_.convertTo(background_, CV_32F);
  cv::accumulateWeighted(grey_, background_, rate);
  background_.convertTo(difference_, CV_8U);
  cv::absdiff(grey_, difference_, difference_);
  cv::threshold(difference_, marked_, kLevelThreshold, 255, cv::THRESH_BINARY);
}

Change Scene::measure() {
  cv::bitwise_and(marked_, seen_, marked_);
  cv::morphologyEx(marked_, marked_, cv::MORPH_OPEN, cv::Mat());  // less than 3 x 3 is noise
  const auto pixels = static_cast<double>(marked_.total());
  const double changed = cv::countNonZero(marked_) / pixels;
  Change change;
  change.whole = changed / seen_share_;
  if (changed < options_.min_area) return change;  // nor has any patch as much
  const int patches =
      cv::connectedComponentsWithStats(marked_, labels_, areas_, centres_, 8, CV_32S);
  for (int i = 1; i < patches; ++i) {  // 0 is the background
    const double area = areas_.at<int>(i, cv::CC_STAT_AREA);
    change.largest = std::max(change.largest, area / pixels);
  }
  return change;
}

void Scene::draw_masks(cv::Size size) {
  seen_.create(size, CV_8UC1);
  seen_.setTo(255);
  for (const auto& mask : options_.masks) {
    std::vector<cv::Point> corners;
    for (const auto& point : mask) {
      corners.emplace_back(static_cast<int>(std::lround(point.x * (size.width - 1))),
                           static_cast<int>(std::lround(point.y * (size.height - 1))));
    }
    cv::fillPoly(seen_, std::vector<std::vector<cv::Point>>{corners}, 0);
  }
  const double seen = cv::countNonZero(seen_);
  seen_share_ = std::max(1.0, seen) / static_cast<double>(seen_.total());
}

}  // namespace framefleet::producer
