// Layouts on arrays made by hand: one known object each, in a place that can be told by heart.

#include "tests/support/catch.hpp"
#include "worker/networks/layout.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace framefleet::worker;

namespace {

constexpr InputSize kSize{64, 64};  // grids of 8x8, 4x4 and 2x2: 84 cells
constexpr int kCells = 84;
constexpr int kClasses = 3;

/// An array that owns its numbers, all 0 at first.
class Array {
 public:
  Array(std::string name, std::vector<int> shape)
      : name_(std::move(name)),
        shape_(std::move(shape)),
        values_(static_cast<std::size_t>(
            std::accumulate(shape_.begin(), shape_.end(), 1, std::multiplies<>()))) {}

  float& at(int index) { return values_.at(static_cast<std::size_t>(index)); }
  void put(int index, const std::vector<float>& numbers) {
    for (const float number : numbers) at(index++) = number;
  }
  Tensor tensor() const { return {name_, shape_, values_}; }

 private:
  std::string name_;
  std::vector<int> shape_;
  std::vector<float> values_;
};

std::vector<Tensor> tensors(const std::vector<Array>& arrays) {
  std::vector<Tensor> all;
  for (const auto& array : arrays) all.push_back(array.tensor());
  return all;
}

Candidate only(const std::vector<Candidate>& found) {
  REQUIRE(found.size() == 1);
  return found[0];
}

void check_box(const Candidate& found, float left, float top, float width, float height) {
  CHECK(found.left == Approx(left).margin(1e-3));
  CHECK(found.top == Approx(top).margin(1e-3));
  CHECK(found.width == Approx(width).margin(1e-3));
  CHECK(found.height == Approx(height).margin(1e-3));
}

std::vector<Array> nanodet_arrays() {
  std::vector<Array> arrays;
  for (const int cells : {64, 16, 4}) {
    arrays.emplace_back("cls" + std::to_string(cells), std::vector{1, cells, kClasses});
    arrays.emplace_back("dis" + std::to_string(cells), std::vector{1, cells, 32});
  }
  return arrays;
}

/// Priors of the file of 2022: 3 at 8x8, 2 at 4x4, 2 at 2x2, 3 at 1x1.
constexpr int kPriors = 3 * 64 + 2 * 16 + 2 * 4 + 3;

std::vector<Array> yunet22_arrays() {
  return {{"loc", {kPriors, 14}}, {"conf", {kPriors, 2}}, {"iou", {kPriors, 1}}};
}

std::vector<Array> yunet23_arrays() {
  std::vector<Array> arrays;
  for (const int stride : {8, 16, 32}) {
    const int cells = (64 / stride) * (64 / stride);
    const auto name = [&](const char* what) { return what + std::to_string(stride); };
    arrays.emplace_back(name("cls_"), std::vector{1, cells, 1});
    arrays.emplace_back(name("obj_"), std::vector{1, cells, 1});
    arrays.emplace_back(name("bbox_"), std::vector{1, cells, 4});
    arrays.emplace_back(name("kps_"), std::vector{1, cells, 10});
  }
  return arrays;
}

}  // namespace

TEST_CASE("YOLOv5 is a row for each of three anchors: centre, size, objectness times class") {
  std::vector<Array> arrays{{"output", {1, 3 * kCells, 5 + kClasses}}};
  arrays[0].put(7 * (5 + kClasses), {30, 20, 10, 8, 0.8F, 0.1F, 0.5F, 0.2F});
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::yolov5);
  CHECK(classes_in(Layout::yolov5, outputs) == kClasses);
  const auto found = only(candidates_of(Layout::yolov5, outputs, kSize, 0.3F));
  check_box(found, 25, 16, 10, 8);
  CHECK(found.score == Approx(0.4F));
  CHECK(found.label == 1);
  CHECK(candidates_of(Layout::yolov5, outputs, kSize, 0.41F).empty());
}

TEST_CASE("YOLOX is a row for each cell: offsets in the grid, the size as its logarithm") {
  std::vector<Array> arrays{{"output", {1, kCells, 5 + kClasses}}};
  const int cell = 64 + 4 * 2 + 3;  // of stride 16: column 3, row 2
  arrays[0].put(cell * (5 + kClasses), {0.5F, 0.25F, std::log(2.0F), 0, 0.9F, 0, 0, 0.5F});
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::yolox);
  const auto found = only(candidates_of(Layout::yolox, outputs, kSize, 0.3F));
  check_box(found, 3.5F * 16 - 16, 2.25F * 16 - 8, 32, 16);
  CHECK(found.score == Approx(0.45F));
  CHECK(found.label == 2);
}

TEST_CASE("YOLOv8 is a column for each cell, without objectness") {
  std::vector<Array> arrays{{"output0", {1, 4 + kClasses, kCells}}};
  const std::vector<float> column{30, 20, 10, 8, 0.7F, 0.1F, 0.2F};
  for (int i = 0; i < 7; ++i) arrays[0].at(i * kCells + 5) = column[static_cast<std::size_t>(i)];
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::yolov8);
  CHECK(classes_in(Layout::yolov8, outputs) == kClasses);
  const auto found = only(candidates_of(Layout::yolov8, outputs, kSize, 0.3F));
  check_box(found, 25, 16, 10, 8);
  CHECK(found.score == Approx(0.7F));
  CHECK(found.label == 0);
}

TEST_CASE("NanoDet tells distances to four sides by the mean of eight bins") {
  auto arrays = nanodet_arrays();
  arrays[0].at((8 * 3 + 2) * kClasses + 1) = 0.6F;  // stride 8: column 2, row 3
  for (int side = 0; side < 4; ++side) {
    // As good as certain of one bin: 1 cell to the left, 2 up, 3 right, 4 down.
    arrays[1].at((8 * 3 + 2) * 32 + 8 * side + 1 + side) = 50;
  }
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::nanodet);
  CHECK(classes_in(Layout::nanodet, outputs) == kClasses);
  const auto found = only(candidates_of(Layout::nanodet, outputs, kSize, 0.3F));
  check_box(found, 2 * 8 + 3.5F - 8, 3 * 8 + 3.5F - 16, 32, 48);
  CHECK(found.score == Approx(0.6F));
  CHECK(found.label == 1);
}

TEST_CASE("SSD has boxes as shares of the picture, and rows that are none") {
  std::vector<Array> arrays{{"detection_out", {1, 1, 3, 7}}};
  arrays[0].put(0, {0, 2, 0.9F, 0.25F, 0.5F, 0.75F, 1});
  arrays[0].put(7, {-1, 0, 0.9F, 0, 0, 1, 1});
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::ssd);
  CHECK(classes_in(Layout::ssd, outputs) == 0);
  const auto found = only(candidates_of(Layout::ssd, outputs, kSize, 0.3F));
  check_box(found, 16, 32, 32, 32);
  CHECK(found.label == 2);
}

TEST_CASE("Darknet has one array for each scale, boxes as shares and classes that are scores") {
  std::vector<Array> arrays{{"yolo_1", {12, 5 + kClasses}}, {"yolo_2", {48, 5 + kClasses}}};
  arrays[1].put(40 * (5 + kClasses), {0.5F, 0.25F, 0.25F, 0.125F, 0.1F, 0, 0.6F, 0});
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::darknet);
  CHECK(classes_in(Layout::darknet, outputs) == kClasses);
  const auto found = only(candidates_of(Layout::darknet, outputs, kSize, 0.3F));
  check_box(found, 24, 12, 16, 8);
  CHECK(found.score == Approx(0.6F));
  CHECK(found.label == 1);
}

TEST_CASE("YuNet of 2022 tells offsets to priors of known places and sizes") {
  auto arrays = yunet22_arrays();
  const int prior = 3 * 64 + 2 * (4 * 1 + 2) + 1;  // stride 16: column 2, row 1, side 48
  arrays[0].put(prior * 14, {1, 0, 10 * std::log(0.5F), 0, 1, 2});
  arrays[1].at(prior * 2 + 1) = 0.9F;
  arrays[2].at(prior) = 0.4F;
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::yunet22);
  const auto found = only(candidates_of(Layout::yunet22, outputs, kSize, 0.3F));
  const float x = 40 + 4.8F;
  check_box(found, x - 12, 24 - 24, 24, 48);
  CHECK(found.score == Approx(0.6F));
  CHECK(found.landmarks[0] == Approx(40 + 4.8F));
  CHECK(found.landmarks[1] == Approx(24 + 9.6F));
  CHECK(found.landmarks[9] == Approx(24));
}

TEST_CASE("YuNet of 2023 tells offsets to cells, and landmarks from them") {
  auto arrays = yunet23_arrays();
  const int cell = 2 * 1 + 1;  // stride 32: column 1, row 1
  arrays[8].at(cell) = 0.9F;
  arrays[9].at(cell) = 1.6F;  // more than 1 counts as 1
  arrays[10].put(cell * 4, {0.5F, 0.5F, 0, std::log(0.5F)});
  arrays[11].put(cell * 10, {0.25F, 0.5F});
  const auto outputs = tensors(arrays);
  CHECK(layout_of(outputs, kSize) == Layout::yunet23);
  const auto found = only(candidates_of(Layout::yunet23, outputs, kSize, 0.3F));
  check_box(found, 48 - 16, 48 - 8, 32, 16);
  CHECK(found.score == Approx(std::sqrt(0.9F)));
  CHECK(found.landmarks[0] == Approx(40));
  CHECK(found.landmarks[1] == Approx(48));
}

TEST_CASE("an embedding is one row; other shapes are of no layout") {
  std::vector<Array> one{{"out", {1, 128}}};
  CHECK(layout_of(tensors(one), kSize) == Layout::embedding);
  for (const auto& shape : std::vector<std::vector<int>>{
           {1, 8}, {2, 128}, {1, 83, 8}, {2, 84, 8}, {1, 84, 5}, {1, 4, 84}, {1, 1, 5, 6}}) {
    std::vector<Array> other{{"out", shape}};
    INFO(shape_text(other[0].tensor()));
    CHECK(layout_of(tensors(other), kSize) == Layout::automatic);
  }
  CHECK(layout_of({}, kSize) == Layout::automatic);
  auto fewer = yunet23_arrays();
  fewer.pop_back();
  CHECK(layout_of(tensors(fewer), kSize) == Layout::automatic);
}

TEST_CASE("what is no number is no candidate") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  std::vector<Array> arrays{{"output", {1, kCells, 5 + kClasses}}};
  arrays[0].put(0, {0, 0, 0, 0, nan, 1, 1, 1});
  arrays[0].put(8, {nan, 0, 0, 0, 1, 1, 1, 1});
  arrays[0].put(16, {0, 0, infinite, 0, 1, 1, 1, 1});
  arrays[0].put(24, {0, 0, 0, -infinite, 1, 1, 1, 1});
  CHECK(candidates_of(Layout::yolox, tensors(arrays), kSize, 0.3F).empty());
}

TEST_CASE("of two boxes of one class that overlap too much the surer stays, of two classes both") {
  const Candidate sure{0, 0, 10, 10, 0.9F, 1, {}};
  const Candidate shifted{0, 3, 10, 10, 0.8F, 1, {}};  // 70 of 130: 0.54
  const Candidate other{0, 3, 10, 10, 0.7F, 2, {}};
  const auto scores = [](const std::vector<Candidate>& found) {
    std::vector<float> all;
    for (const auto& each : found) all.push_back(each.score);
    return all;
  };
  CHECK(scores(without_doubles({shifted, other, sure}, 0.5F)) == std::vector{0.9F, 0.7F});
  CHECK(scores(without_doubles({shifted, other, sure}, 0.6F)) == std::vector{0.9F, 0.8F, 0.7F});
  std::vector<Candidate> many(2 * kJudgedMax, sure);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].left = 20.0F * static_cast<float>(i);
  CHECK(without_doubles(many, 0.5F).size() == kJudgedMax);
}
