// From pictures to a network's input, and back.

#include "tests/support/catch.hpp"
#include "worker/networks/input.hpp"
#include "worker/networks/network.hpp"
#include "worker/networks/opencv_network.hpp"

#include <string>
#include <vector>

using namespace framefleet::worker;

namespace {

InputSpec spec_of(int width, int height, Fit fit) {
  InputSpec spec;
  spec.size = {width, height};
  spec.fit = fit;
  return spec;
}

/// A picture of one colour.
struct Flat {
  Flat(int w, int h, std::uint8_t blue, std::uint8_t green, std::uint8_t red)
      : width(w), height(h) {
    for (int i = 0; i < w * h; ++i) pixels.insert(pixels.end(), {blue, green, red});
  }
  Plane plane() const {
    return {pixels.data(), width, height, 3, static_cast<std::size_t>(width) * 3};
  }
  int width;
  int height;
  std::vector<std::uint8_t> pixels;
};

Candidate box(float left, float top, float width, float height) {
  return {left, top, width, height, 1, 0, {left, top}};
}

}  // namespace

TEST_CASE("a picture is placed as its fit says") {
  const auto centre = place(200, 100, spec_of(64, 64, Fit::centre), 32);
  CHECK(centre.canvas == InputSize{64, 64});
  CHECK(centre.picture == InputSize{64, 32});
  CHECK(centre.left == 0);
  CHECK(centre.top == 16);
  const auto corner = place(100, 200, spec_of(64, 64, Fit::top_left), 32);
  CHECK(corner.picture == InputSize{32, 64});
  CHECK(corner.left == 0);
  CHECK(corner.top == 0);
  const auto stretched = place(100, 200, spec_of(64, 32, Fit::stretch), 32);
  CHECK(stretched.picture == InputSize{64, 32});
  CHECK(stretched.scale_x == Approx(0.64));
  CHECK(stretched.scale_y == Approx(0.16));
}

TEST_CASE("a picture in its own size is only ever shrunk, and its sides rounded up") {
  const auto small = place(100, 50, spec_of(640, 640, Fit::own), 32);
  CHECK(small.scale_x == 1);
  CHECK(small.picture == InputSize{100, 50});
  CHECK(small.canvas == InputSize{128, 64});
  const auto large = place(1280, 320, spec_of(640, 640, Fit::own), 32);
  CHECK(large.scale_x == Approx(0.5));
  CHECK(large.picture == InputSize{640, 160});
  CHECK(place(1, 100'000, spec_of(640, 640, Fit::own), 32).picture == InputSize{1, 640});
}

TEST_CASE("what was found on the canvas is put back where it is in the picture") {
  const auto placed = place(200, 100, spec_of(64, 64, Fit::centre), 32);
  auto found = box(16, 24, 32, 16);
  to_picture(found, placed);
  CHECK(found.left == Approx(50));
  CHECK(found.top == Approx(25));
  CHECK(found.width == Approx(100));
  CHECK(found.height == Approx(50));
  CHECK(found.landmarks[0] == Approx(50));
  CHECK(found.landmarks[1] == Approx(25));
}

TEST_CASE("numbers are (pixel - mean) x scale, in the network's order of colours, grey around") {
  auto spec = spec_of(4, 4, Fit::top_left);
  spec.colour = ColourOrder::rgb;
  spec.mean = {1, 2, 3};
  spec.scale = {1, 0.5F, 0.25F};
  spec.fill = 115;
  const Flat picture(4, 2, 11, 22, 33);
  InputMaker maker;
  const Blob blob = maker.make(picture.plane(), spec, place(4, 2, spec, 1));
  REQUIRE(blob.values.size() == 48);
  CHECK(blob.values[0] == Approx(32));   // red
  CHECK(blob.values[16] == Approx(10));  // green
  CHECK(blob.values[32] == Approx(2));   // blue
  CHECK(blob.values[8] == Approx(114));  // below the picture
  CHECK(blob.values[16 + 8] == Approx(56.5F));
  spec.colour = ColourOrder::bgr;
  CHECK(maker.make(picture.plane(), spec, place(4, 2, spec, 1)).values[0] == Approx(10));
}

TEST_CASE("what a network's file is shows in its name") {
  CHECK(network_format("a.onnx") == NetworkFormat::onnx);
  CHECK(network_format("a.weights") == NetworkFormat::darknet);
  CHECK(network_format("a.pb") == NetworkFormat::tensorflow);
  CHECK_FALSE(network_format("a.pt").has_value());
}

TEST_CASE("bytes that are no network are refused in words, whatever the format") {
  for (const auto format :
       {NetworkFormat::onnx, NetworkFormat::darknet, NetworkFormat::tensorflow}) {
    for (const std::string bytes : {"", "a rose", "[net]\nwidth=32\n"}) {
      const auto opened = open_network(Backend::opencv, {format, bytes, bytes});
      REQUIRE_FALSE(opened.has_value());
      CHECK_FALSE(opened.error().empty());
    }
  }
}

TEST_CASE("what OpenCV complains of is answered with what to export instead") {
  const auto has = [](std::string_view complaint, std::string_view word) {
    return export_advice(complaint).find(word) != std::string_view::npos;
  };
  CHECK(has("Unsupported data type: FLOAT16", "half=False"));
  CHECK(has("Assertion failed) !isDynamicShape in parseShape", "fixed"));
  CHECK(has("error in parseClip", "opset 10"));
  CHECK(has("blob_0.size == blob_1.size", "onnxsim"));
  CHECK(export_advice("out of memory").empty());
}
