#include "producer/capture/frame_encoder.hpp"

#include "producer/capture/av.hpp"
#include "producer/capture/decoder.hpp"
#include "producer/capture/jpeg_splitter.hpp"
#include "producer/capture/motion_view.hpp"
#include "tests/support/catch.hpp"

#include <turbojpeg.h>

#include <memory>
#include <vector>

namespace framefleet::producer {
namespace {

/// One colour all over, as H.264 cameras give it.
Av<AVFrame> picture(int width, int height, std::uint8_t y, std::uint8_t u, std::uint8_t v) {
  Av<AVFrame> frame(av_frame_alloc());
  frame->format = AV_PIX_FMT_YUV420P;
  frame->width = width;
  frame->height = height;
  REQUIRE(av_frame_get_buffer(frame.get(), 0) == 0);
  const std::uint8_t values[]{y, u, v};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? height : (height + 1) / 2;
    std::fill_n(frame->data[plane], frame->linesize[plane] * rows, values[plane]);
  }
  return frame;
}

struct Pixel {
  int blue, green, red;
};

Pixel middle_of(std::span<const std::byte> jpeg, Size size) {
  const std::unique_ptr<void, int (*)(void*)> decompressor(tjInitDecompress(), tjDestroy);
  std::vector<unsigned char> pixels(std::size_t{3} * size.width * size.height);
  REQUIRE(tjDecompress2(decompressor.get(), reinterpret_cast<const unsigned char*>(jpeg.data()),
                        jpeg.size(), pixels.data(), static_cast<int>(size.width), 0,
                        static_cast<int>(size.height), TJPF_BGR, 0) == 0);
  const auto at = 3 * (std::size_t{size.height} / 2 * size.width + size.width / 2);
  return {pixels[at], pixels[at + 1], pixels[at + 2]};
}

TEST_CASE("a picture fits into what is asked for in its own proportions and is never made larger") {
  CHECK(fitted({1920, 1080}, 0, 0) == Size{1920, 1080});
  CHECK(fitted({1920, 1080}, 640, 0) == Size{640, 360});
  CHECK(fitted({1920, 1080}, 640, 200) == Size{356, 200});
  CHECK(fitted({640, 480}, 1920, 1080) == Size{640, 480});
  CHECK(fitted({16000, 1}, 100, 100) == Size{100, 1});
}

TEST_CASE("a decoded picture becomes a JPEG of its size, in its colours") {
  FrameEncoder encoder(0, 0, 90, Chroma::yuv420);
  const auto frame = picture(321, 243, 81, 90, 240);  // red, as television writes it
  const auto encoded = encoder.encode(*frame);
  REQUIRE(encoded);
  CHECK(encoded->size == Size{321, 243});
  const auto found = JpegSplitter::whole(encoded->jpeg);
  REQUIRE(found);
  CHECK(found->width == 321);
  CHECK(found->height == 243);
  const auto pixel = middle_of(encoded->jpeg, encoded->size);
  CHECK(pixel.red > 245);
  CHECK(pixel.green < 10);
  CHECK(pixel.blue < 10);
}

TEST_CASE("one encoder takes pictures of changing sizes and scales each down") {
  FrameEncoder encoder(160, 0, 80, Chroma::yuv444);
  for (const int width : {640, 320, 160, 80, 1280}) {
    const auto encoded = encoder.encode(*picture(width, width / 2, 128, 128, 128));
    REQUIRE(encoded);
    const auto expected = static_cast<std::uint32_t>(std::min(width, 160));
    CHECK(encoded->size == Size{expected, expected / 2});
  }
}

TEST_CASE("what is no picture is not encoded") {
  FrameEncoder encoder(0, 0, 90, Chroma::yuv420);
  const Av<AVFrame> empty(av_frame_alloc());
  CHECK_FALSE(encoder.encode(*empty));
}

TEST_CASE("a JPEG can be decoded again, and one that is none is no picture") {
  FrameEncoder encoder(0, 0, 90, Chroma::yuv422);
  const auto encoded = encoder.encode(*picture(64, 48, 128, 128, 128));
  REQUIRE(encoded);
  auto decoder = Decoder::open_jpeg();
  REQUIRE(decoder);
  const auto* const frame = decoder->decode(encoded->jpeg);
  REQUIRE(frame != nullptr);
  CHECK(frame->width == 64);
  CHECK(frame->height == 48);
  CHECK(decoder->decode(encoded->jpeg.first(20)) == nullptr);
  CHECK(decoder->decode(encoded->jpeg) != nullptr);
}

TEST_CASE("the motion gate is shown brightness, of a JPEG no more than it needs") {
  MotionView view(100);
  const auto frame = picture(640, 480, 200, 128, 128);
  const auto whole = view.of(*frame);
  CHECK(whole.pixels == frame->data[0]);
  CHECK(whole.width == 640);
  CHECK(whole.channels == 1);
  FrameEncoder encoder(0, 0, 90, Chroma::yuv420);
  const auto encoded = encoder.encode(*frame);
  REQUIRE(encoded);
  const auto small = view.of(encoded->jpeg);
  CHECK(small.width == 160);
  CHECK(small.height == 120);
  REQUIRE(small.pixels != nullptr);
  CHECK(int{small.pixels[60 * 160 + 80]} == Approx(214).margin(3));
  CHECK(view.of(encoded->jpeg.first(10)).pixels == nullptr);
}

}  // namespace
}  // namespace framefleet::producer
