#include "tests/support/catch.hpp"
#include "worker/cascades/cascade.hpp"
#include "worker/cascades/haar_search.hpp"
#include "worker/cascades/opencv_cascade.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <fstream>
#include <iterator>

#include "bench/vision/pictures.hpp"

namespace framefleet::worker {
namespace {

const std::string kFolder = "/usr/share/opencv4/";

std::string read(const std::string& path) {
  std::ifstream file(kFolder + path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string haar(const std::string& name) {
  return read("haarcascades/haarcascade_" + name + ".xml");
}

cv::Mat decoded(const std::string& jpeg) {
  const std::vector<unsigned char> bytes(jpeg.begin(), jpeg.end());
  return cv::imdecode(bytes, cv::IMREAD_GRAYSCALE);
}

cv::Mat noise(int width, int height) {
  cv::Mat pixels(height, width, CV_8UC1);
  cv::RNG random(7);
  random.fill(pixels, cv::RNG::UNIFORM, 0, 256);
  return pixels;
}

Plane plane_of(const cv::Mat& grey) { return {grey.data, grey.cols, grey.rows, 1, grey.step}; }

/// Where the text has `from`, `to` stands.
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Faces, shapes, noise; of odd sizes, and one that is part of a larger one.
const std::vector<cv::Mat>& pictures() {
  static const cv::Mat crowd = decoded(bench::make_crowd(641, 363, 1));
  static const std::vector<cv::Mat> all{noise(97, 61), crowd(cv::Rect(37, 11, 402, 301)),
                                        decoded(bench::make_picture(333, 257, 2)), crowd};
  return all;
}

struct Found {
  std::size_t ours{0};
  bool same{true};
};

/// What both find in all pictures.
Found compare(Cascade& ours, Cascade& opencv, const CascadeSearch& search) {
  Found found;
  for (const auto& picture : pictures()) {
    const auto objects = ours.look(plane_of(picture), search);
    found.ours += objects.size();
    found.same = found.same && objects == opencv.look(plane_of(picture), search);
  }
  return found;
}

TEST_CASE("every upright Haar cascade finds each window that OpenCV finds, with any registers") {
  cv::setNumThreads(1);
  std::size_t total = 0;
  for (const char* name : {"frontalface_alt2", "frontalface_default", "frontalface_alt",
                           "frontalface_alt_tree", "profileface", "eye", "frontalcatface"}) {
    INFO(name);
    const auto text = haar(name);
    const auto cascade = read_haar_cascade(text);
    REQUIRE(cascade);
    const auto opencv = open_opencv_cascade(text);
    for (const auto registers : {Registers::any, widest_registers()}) {
      HaarSearch ours(*cascade, registers);
      const auto found = compare(ours, *opencv, {.neighbours = 0});
      CHECK(found.same);
      total += found.ours;
    }
  }
  CHECK(total > 1000);
}

TEST_CASE("what is looked for is what OpenCV looks for") {
  cv::setNumThreads(1);
  const auto text = haar("frontalface_alt2");
  HaarSearch ours(*read_haar_cascade(text));
  const auto opencv = open_opencv_cascade(text);
  CHECK(compare(ours, *opencv, {}).ours >= 5);
  for (const CascadeSearch& search : {CascadeSearch{},
                                      {.scale = 1.03, .neighbours = 1},
                                      {.scale = 2, .neighbours = 0},
                                      {.neighbours = 1, .width_min = 45, .height_min = 61},
                                      {.width_max = 60, .height_max = 50},
                                      {.width_max = 60},
                                      {.width_min = 5000, .height_min = 5000}}) {
    INFO(search.scale << " " << search.neighbours << " " << search.width_min << " "
                      << search.width_max);
    CHECK(compare(ours, *opencv, search).same);
  }
}

TEST_CASE("a plane around the size of the window is looked at as OpenCV does") {
  const auto text = haar("frontalface_alt2");
  HaarSearch ours(*read_haar_cascade(text));
  const auto opencv = open_opencv_cascade(text);
  for (int width = 17; width < 48; ++width) {
    for (const int height : {19, 20, 21, 33}) {
      INFO(width << "x" << height);
      const cv::Mat face = decoded(bench::make_crowd(width * 3, height * 3, 1))(
          cv::Rect(width, height, width, height));
      const CascadeSearch search{.scale = 1.05, .neighbours = 0};
      CHECK(ours.look(plane_of(face), search) == opencv->look(plane_of(face), search));
    }
  }
}

TEST_CASE("nothing is found where a picture is even") {
  HaarSearch ours(*read_haar_cascade(haar("frontalface_alt2")));
  for (const int grey : {0, 1, 128, 255}) {
    const cv::Mat even(99, 120, CV_8UC1, cv::Scalar(grey));
    CHECK(ours.look(plane_of(even), {.neighbours = 0}).empty());
  }
}

TEST_CASE("cascades that only OpenCV understands are OpenCV's") {
  cv::setNumThreads(1);
  for (const auto& text : {haar("eye_tree_eyeglasses"), haar("smile"),
                           read("lbpcascades/lbpcascade_frontalface.xml")}) {
    CHECK_FALSE(read_haar_cascade(text));
    const auto ours = open_cascade(text);
    const auto opencv = open_opencv_cascade(text);
    REQUIRE(ours);
    CHECK(compare(*ours, *opencv, {.neighbours = 1}).same);
  }
  CHECK(open_cascade(haar("frontalface_alt2")));
}

TEST_CASE("a cascade that contradicts itself is not looked through here") {
  const auto text = haar("frontalface_alt2");
  REQUIRE(read_haar_cascade(text));
  // The first tree's nodes, the first rectangle, the window.
  const std::string nodes = "0 1 0 4.3272329494357109e-03 -1 -2 1 1.3076160103082657e-02";
  for (const char* other :
       {"2 1 0 0.1 -1 -2 1 0.1", "0 1 0 0.1 -1 -9 1 0.1", "0 1 99999 0.1 -1 -2 1 0.1",
        "0 1 -1 0.1 -1 -2 1 0.1", "1 1 0 0.1 -1 -2 1 0.1", "0 1 0 0.1 -1 1 1 0.1", "0 1 0 0.1",
        "0 1 0 0.1 -1 2 1 0.1 -1 -2 1 0.1", "0 -2147483648 0 0.1 -1 -2 1 0.1", ""}) {
    INFO(other);
    CHECK_FALSE(read_haar_cascade(changed(text, nodes, other)));
  }
  CHECK_FALSE(read_haar_cascade(changed(text, "<width>20</width>", "<width>15</width>")));
  CHECK_FALSE(read_haar_cascade(changed(text, "<width>20</width>", "<width>2000</width>")));
  CHECK_FALSE(read_haar_cascade(changed(text, "<height>20</height>", "<height>-1</height>")));
  for (const char* nothing :
       {"", "no XML", "<?xml version=\"1.0\"?><opencv_storage></opencv_storage>",
        "%YAML:1.0\n---\nfaces: 1\n"}) {
    INFO(nothing);
    CHECK_FALSE(read_haar_cascade(nothing));
    CHECK(open_cascade(nothing) == nullptr);
  }
}

TEST_CASE("a sum of an integral image is that of its rectangle, at both steps") {
  const cv::Mat pixels = noise(53, 31);
  for (const int step : {1, 2}) {
    const auto layout = IntegralLayout::of(60, 40, step, kScanLanes);
    IntegralImages images;
    images.compute(pixels.data, pixels.step, pixels.cols, pixels.rows, layout);
    for (const cv::Rect& rect :
         {cv::Rect(0, 0, 1, 1), cv::Rect(0, 0, 53, 31), cv::Rect(3, 5, 6, 26),
          cv::Rect(8, 0, 45, 2), cv::Rect(1, 30, 7, 1)}) {
      const auto sum = [&](const std::uint32_t* from) {
        const auto at = [&](int x, int y) { return from[layout.at(x, y)]; };
        return at(rect.x, rect.y) - at(rect.x + rect.width, rect.y) -
               at(rect.x, rect.y + rect.height) + at(rect.x + rect.width, rect.y + rect.height);
      };
      const cv::Mat part = pixels(rect);
      CHECK(sum(images.sums()) == static_cast<std::uint32_t>(cv::sum(part)[0]));
      CHECK(sum(images.squares()) == static_cast<std::uint32_t>(cv::norm(part, cv::NORM_L2SQR)));
    }
  }
}

}  // namespace
}  // namespace framefleet::worker
