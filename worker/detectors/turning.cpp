#include "worker/detectors/turning.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace framefleet::worker {
namespace {

/// How many quarters of a turn, 0 to 3; -1: another angle.
int quarters(double degrees) {
  const double turns = degrees / 90;
  if (turns != std::floor(turns)) return -1;
  return (static_cast<int>(turns) % 4 + 4) % 4;
}

}  // namespace

cv::Size2d size_of_turned(cv::Size size, double degrees) {
  if (const int turns = quarters(degrees); turns >= 0) {
    return turns % 2 == 0 ? cv::Size2d(size) : cv::Size2d(size.height, size.width);
  }
  const double radians = degrees * std::numbers::pi / 180;
  const double cosine = std::abs(std::cos(radians));
  const double sine = std::abs(std::sin(radians));
  return {std::ceil(size.width * cosine + size.height * sine),
          std::ceil(size.width * sine + size.height * cosine)};
}

void turn(const cv::Mat& from, cv::Mat& to, double degrees, cv::Size size, const Turning& turning) {
  const int turns = quarters(degrees);
  if (turns >= 0 && size == cv::Size(size_of_turned(from.size(), degrees))) {
    constexpr std::array kCodes{cv::ROTATE_90_COUNTERCLOCKWISE, cv::ROTATE_180,
                                cv::ROTATE_90_CLOCKWISE};
    if (turns == 0) {
      from.copyTo(to);
    } else {
      cv::rotate(from, to, kCodes[static_cast<std::size_t>(turns - 1)]);
    }
    return;
  }
  const cv::Point2f middle(static_cast<float>(from.cols - 1) / 2,
                           static_cast<float>(from.rows - 1) / 2);
  cv::Mat matrix = cv::getRotationMatrix2D(middle, degrees, 1);
  matrix.at<double>(0, 2) += (size.width - from.cols) / 2.0;
  matrix.at<double>(1, 2) += (size.height - from.rows) / 2.0;
  cv::warpAffine(from, to, matrix, size, turning.interpolation, turning.border,
                 cv::Scalar::all(turning.fill));
}

}  // namespace framefleet::worker
