#include "worker/networks/input.hpp"

#include "worker/decoding/mat.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace framefleet::worker {
namespace {

int rounded_up(int side, int step) { return (side + step - 1) / step * step; }

/// At least one pixel of a picture stays.
int scaled(int side, double scale) {
  return std::max(1, static_cast<int>(std::lround(side * scale)));
}

}  // namespace

std::string_view to_string(Fit fit) {
  switch (fit) {
    case Fit::stretch:
      return "stretch";
    case Fit::centre:
      return "centre";
    case Fit::top_left:
      return "top_left";
    case Fit::own:
      return "own";
  }
  return "";
}

std::string_view to_string(Resample resample) {
  switch (resample) {
    case Resample::linear:
      return "linear";
    case Resample::area:
      return "area";
  }
  return "";
}

std::string_view to_string(ColourOrder order) {
  switch (order) {
    case ColourOrder::bgr:
      return "bgr";
    case ColourOrder::rgb:
      return "rgb";
  }
  return "";
}

Placement place(int width, int height, const InputSpec& spec, int step) {
  Placement placed;
  placed.canvas = spec.size;
  placed.scale_x = static_cast<double>(spec.size.width) / width;
  placed.scale_y = static_cast<double>(spec.size.height) / height;
  if (spec.fit != Fit::stretch) {
    placed.scale_x = placed.scale_y = std::min(placed.scale_x, placed.scale_y);
  }
  if (spec.fit == Fit::own) placed.scale_x = placed.scale_y = std::min(1.0, placed.scale_x);
  placed.picture = {std::min(spec.size.width, scaled(width, placed.scale_x)),
                    std::min(spec.size.height, scaled(height, placed.scale_y))};
  if (spec.fit == Fit::own) {
    placed.canvas = {rounded_up(placed.picture.width, step),
                     rounded_up(placed.picture.height, step)};
  }
  if (spec.fit == Fit::centre) {
    placed.left = (placed.canvas.width - placed.picture.width) / 2;
    placed.top = (placed.canvas.height - placed.picture.height) / 2;
  }
  return placed;
}

void to_picture(Candidate& candidate, const Placement& placement) {
  const auto x = [&](float at) {
    return static_cast<float>((double{at} - placement.left) / placement.scale_x);
  };
  const auto y = [&](float at) {
    return static_cast<float>((double{at} - placement.top) / placement.scale_y);
  };
  candidate.left = x(candidate.left);
  candidate.top = y(candidate.top);
  candidate.width = static_cast<float>(candidate.width / placement.scale_x);
  candidate.height = static_cast<float>(candidate.height / placement.scale_y);
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    candidate.landmarks[2 * i] = x(candidate.landmarks[2 * i]);
    candidate.landmarks[2 * i + 1] = y(candidate.landmarks[2 * i + 1]);
  }
}

Blob InputMaker::make(const Plane& bgr, const InputSpec& spec, const Placement& placement) {
  const auto [width, height] = placement.canvas;
  const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  canvas_.resize(pixels * 3);
  values_.resize(pixels * 3);
  cv::Mat canvas(height, width, CV_8UC3, canvas_.data());
  const cv::Rect where(placement.left, placement.top, placement.picture.width,
                       placement.picture.height);
  if (where.size() != canvas.size()) canvas.setTo(cv::Scalar::all(spec.fill));
  cv::Mat onto = canvas(where);
  const cv::Mat picture = as_mat(bgr);
  if (picture.size() == where.size()) {
    picture.copyTo(onto);
  } else {
    cv::resize(picture, onto, where.size(), 0, 0,
               spec.resample == Resample::area ? cv::INTER_AREA : cv::INTER_LINEAR);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t from = spec.colour == ColourOrder::bgr ? i : 2 - i;
    cv::Mat channel;
    cv::extractChannel(canvas, channel, static_cast<int>(from));
    cv::Mat plane(height, width, CV_32F, values_.data() + i * pixels);
    channel.convertTo(plane, CV_32F, spec.scale[i],
                      -static_cast<double>(spec.mean[i]) * spec.scale[i]);
  }
  return {3, height, width, values_};
}

}  // namespace framefleet::worker
