#include "producer/cameras/capture_wire.hpp"

#include "producer/cameras/film_wire.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <string>

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

CameraOptions full() {
  CameraOptions options;
  options.url = Secret("rtsp://user:pass@camera/live");
  options.rtsp_transport = RtspTransport::udp;
  options.fps = 7.5;
  options.width = 640;
  options.height = 480;
  options.quality = 71;
  options.chroma = Chroma::yuv444;
  options.codec = Codec::passthrough;
  options.loop = false;
  options.camera_timeout = 3s;
  options.open_timeout = 4s;
  options.motion = MotionOptions{};
  options.motion->method = MotionMethod::difference;
  options.motion->hold = 9s;
  options.motion->masks = {{{0, 0}, {0.5, 0.25}, {1, 1}}, {{0, 1}, {1, 0}, {1, 1}}};
  return options;
}

TEST_CASE("an order comes back as it was given") {
  CHECK(decode_order(encode_order(full())) == full());
  CHECK(decode_order(encode_order(CameraOptions{})) == CameraOptions{});
}

TEST_CASE("an order that is cut short or has a tail is none") {
  const auto order = encode_order(full());
  for (std::size_t length = 0; length < order.size(); ++length) {
    CHECK_FALSE(decode_order(std::string_view(order).substr(0, length)));
  }
  CHECK_FALSE(decode_order(order + 'x'));
}

TEST_CASE("reports come back as they were made") {
  const CaptureReport beat = CaptureBeat{};
  const CaptureReport ending = CaptureEnding{CaptureEnd::finished, "the video is over"};
  CHECK(decode_report(encode_report(beat)) == beat);
  CHECK(decode_report(encode_report(ending)) == ending);
}

TEST_CASE("what a capture process says is checked to the last byte") {
  const auto ending = encode_report(CaptureEnding{CaptureEnd::refused, "text"});
  CHECK_FALSE(decode_report(""));
  CHECK_FALSE(decode_report("?"));
  CHECK_FALSE(decode_report(encode_report(CaptureBeat{}) + "x"));
  CHECK_FALSE(decode_report(ending + "x"));
  for (std::size_t length = 0; length < ending.size(); ++length) {
    CHECK_FALSE(decode_report(std::string_view(ending).substr(0, length)));
  }
  auto other = ending;
  other[1] = 3;  // no way to end
  CHECK_FALSE(decode_report(other));
}

TEST_CASE("an ending says no more than its cap") {
  const auto said =
      decode_report(encode_report(CaptureEnding{CaptureEnd::passing, std::string(100'000, 'a')}));
  REQUIRE(said);
  CHECK(std::get<CaptureEnding>(*said).text.size() == kEndingTextBytesMax);
}

TEST_CASE("what is said of a film comes back as it was said, and nothing else does") {
  for (const auto& report :
       {FilmReport{FilmFacts{795, 10.0}}, FilmReport{FilmBusy{}}, FilmReport{FilmFrame{7}},
        FilmReport{FilmOver{795}}, FilmReport{CaptureEnding{CaptureEnd::refused, "text"}}}) {
    const auto bytes = encode_film_report(report);
    CHECK(decode_film_report(bytes) == report);
    CHECK_FALSE(decode_film_report(bytes + "x"));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CHECK_FALSE(decode_film_report(std::string_view(bytes).substr(0, length)));
    }
  }
  CHECK_FALSE(decode_film_report("?"));
  CHECK(decode_ask(encode_ask(7)) == 7);
  CHECK_FALSE(decode_ask(encode_ask(7).substr(1)));
  CHECK_FALSE(decode_ask(encode_ask(7) + "x"));
}

}  // namespace
}  // namespace framefleet::producer
