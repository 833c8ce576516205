#include "bench/vision/pictures.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <vector>

namespace framefleet::bench {
namespace {

/// Noise whose grain is `cell` pixels wide and `contrast` strong, added to the picture.
void add_texture(cv::Mat& picture, int cell, double contrast, cv::RNG& random) {
  cv::Mat grain(picture.rows / cell + 2, picture.cols / cell + 2, CV_32FC3);
  random.fill(grain, cv::RNG::UNIFORM, -contrast, contrast);
  cv::Mat texture;
  cv::resize(grain, texture, picture.size(), 0, 0, cv::INTER_CUBIC);
  picture += texture;
}

void add_shapes(cv::Mat& picture, cv::RNG& random) {
  const int side = std::min(picture.rows, picture.cols);
  for (int i = 0; i < 60; ++i) {
    const cv::Point centre(random.uniform(0, picture.cols), random.uniform(0, picture.rows));
    const cv::Size size(random.uniform(side / 60, side / 6), random.uniform(side / 60, side / 6));
    const cv::Scalar colour(random.uniform(0, 255), random.uniform(0, 255), random.uniform(0, 255));
    if (i % 2 == 0) {
      cv::ellipse(picture, centre, size, random.uniform(0, 180), 0, 360, colour, cv::FILLED,
                  cv::LINE_AA);
    } else {
      cv::rectangle(picture, cv::Rect(centre, size), colour, cv::FILLED);
    }
  }
}

}  // namespace

std::string make_picture(int width, int height, int seed) {
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  cv::Mat shapes(height, width, CV_8UC3, cv::Scalar(120, 125, 130));
  add_shapes(shapes, random);
  cv::Mat picture;
  shapes.convertTo(picture, CV_32FC3);
  for (const int cell : {256, 64, 16, 4}) add_texture(picture, cell, 24, random);
  add_texture(picture, 1, 6, random);
  cv::Mat rounded;
  picture.convertTo(rounded, CV_8UC3);
  std::vector<unsigned char> jpeg;
  cv::imencode(".jpg", rounded, jpeg, {cv::IMWRITE_JPEG_QUALITY, 90});
  return {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()};
}

}  // namespace framefleet::bench
