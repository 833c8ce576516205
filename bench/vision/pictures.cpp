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

/// As a child would draw it; dozens of a cascade's windows agree on it.
cv::Mat drawn_face(int side) {
  cv::Mat face(200, 200, CV_8UC3, cv::Scalar::all(117));
  const auto oval = [&face](cv::Point centre, cv::Size half, int grey) {
    cv::ellipse(face, centre, half, 0, 0, 360, cv::Scalar::all(grey), cv::FILLED, cv::LINE_AA);
  };
  oval({100, 88}, {82, 92}, 59);    // hair
  oval({100, 100}, {52, 86}, 215);  // head
  for (const int x : {78, 122}) {
    oval({x, 81}, {19, 9}, 142);                                                        // socket
    oval({x, 81}, {16, 5}, 79);                                                         // eye
    cv::rectangle(face, cv::Rect(x - 19, 65, 38, 6), cv::Scalar::all(99), cv::FILLED);  // brow
  }
  oval({100, 118}, {13, 4}, 79);   // shadow of the nose
  oval({100, 139}, {18, 6}, 122);  // mouth
  cv::GaussianBlur(face, face, {0, 0}, 4);
  cv::resize(face, face, {side, side}, 0, 0, cv::INTER_AREA);
  return face;
}

/// One in each cell of three by two, each smaller than the one before.
void add_faces(cv::Mat& picture, cv::RNG& random) {
  constexpr int kColumns = 3;
  constexpr int kRows = 2;
  const int cell_width = picture.cols / kColumns;
  const int cell_height = picture.rows / kRows;
  const int cell = std::min(cell_width, cell_height);
  for (int i = 0; i < kColumns * kRows; ++i) {
    const int side = cell * (10 - i) / 11;
    const int x = i % kColumns * cell_width + random.uniform(0, cell_width - side);
    const int y = i / kColumns * cell_height + random.uniform(0, cell_height - side);
    drawn_face(side).copyTo(picture(cv::Rect(x, y, side, side)));
  }
}

/// With texture over it, weaker where `calm` is less than 1.
std::string finished(const cv::Mat& shapes, double calm, cv::RNG& random) {
  cv::Mat picture;
  shapes.convertTo(picture, CV_32FC3);
  for (const int cell : {256, 64, 16, 4}) add_texture(picture, cell, 24 * calm, random);
  add_texture(picture, 1, 6 * calm, random);
  cv::Mat rounded;
  picture.convertTo(rounded, CV_8UC3);
  std::vector<unsigned char> jpeg;
  cv::imencode(".jpg", rounded, jpeg, {cv::IMWRITE_JPEG_QUALITY, 90});
  return {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()};
}

cv::Mat blank(int width, int height) {
  return cv::Mat(height, width, CV_8UC3, cv::Scalar(120, 125, 130));
}

}  // namespace

std::string make_picture(int width, int height, int seed) {
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  cv::Mat shapes = blank(width, height);
  add_shapes(shapes, random);
  return finished(shapes, 1, random);
}

std::string make_crowd(int width, int height, int seed) {
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  cv::Mat shapes = blank(width, height);
  add_faces(shapes, random);
  return finished(shapes, 0.25, random);
}

}  // namespace framefleet::bench
