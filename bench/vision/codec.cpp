// bench-codec: what a frame costs on its way from a camera's decoder to the broker's door: encoded
// as JPEG by the capture program's encoder (YUV 4:2:0 in, as H.264 gives it; the conversion is part
// of it), against the two ways that encode nothing: a JPEG passed through as it came, and its
// pixels copied raw. Columns and how to read them: bench/METHOD.md.

#include "producer/capture/frame_encoder.hpp"
#include "producer/motion/motion_gate.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "bench/vision/pictures.hpp"

extern "C" {
#include <libavutil/frame.h>
}

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {
namespace {

using producer::Chroma;

struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};

/// One picture in every shape that a link can carry.
struct Shapes {
  std::string jpeg;
  cv::Mat bgr;
  std::unique_ptr<AVFrame, FreeFrame> yuv;
};

Shapes shapes_of(int width, int height) {
  Shapes shapes;
  shapes.jpeg = make_picture(width, height, 1);
  const std::vector<unsigned char> bytes(shapes.jpeg.begin(), shapes.jpeg.end());
  shapes.bgr = cv::imdecode(bytes, cv::IMREAD_COLOR);
  cv::Mat planes;
  cv::cvtColor(shapes.bgr, planes, cv::COLOR_BGR2YUV_I420);
  shapes.yuv.reset(av_frame_alloc());
  AVFrame& frame = *shapes.yuv;
  frame.format = AV_PIX_FMT_YUV420P;
  frame.width = width;
  frame.height = height;
  if (av_frame_get_buffer(&frame, 0) != 0) throw std::bad_alloc();
  const unsigned char* from = planes.data;
  for (int plane = 0; plane < 3; ++plane) {
    const int columns = plane == 0 ? width : width / 2;
    const int rows = plane == 0 ? height : height / 2;
    for (int y = 0; y < rows; ++y) {
      std::memcpy(frame.data[plane] + std::ptrdiff_t{y} * frame.linesize[plane], from,
                  static_cast<std::size_t>(columns));
      from += columns;
    }
  }
  return shapes;
}

/// Of what crosses the link, next to the pixels.
void count_bytes(::benchmark::State& state, std::size_t bytes, const cv::Mat& bgr) {
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["of_raw"] =
      static_cast<double>(bytes) / static_cast<double>(bgr.total() * bgr.elemSize());
}

void copy(::benchmark::State& state, const Shapes& shapes, const void* from, std::size_t bytes) {
  std::vector<char> to(bytes);
  for (auto _ : state) {
    std::memcpy(to.data(), from, bytes);
    ::benchmark::DoNotOptimize(to.data());
    ::benchmark::ClobberMemory();
  }
  count_bytes(state, bytes, shapes.bgr);
}

void encode(::benchmark::State& state, const Shapes& shapes, int quality, Chroma chroma) {
  producer::FrameEncoder encoder(0, 0, quality, chroma);
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto encoded = encoder.encode(*shapes.yuv);
    if (!encoded) {
      state.SkipWithError("the frame cannot be encoded");
      return;
    }
    bytes = encoded->jpeg.size();
  }
  count_bytes(state, bytes, shapes.bgr);
}

/// Of the luma, as the capture program shows it; nothing moves.
void gate(::benchmark::State& state, const Shapes& shapes, producer::MotionMethod method) {
  producer::MotionOptions options;
  options.method = method;
  producer::MotionGate gate(options);
  const AVFrame& frame = *shapes.yuv;
  const producer::FrameView view{frame.data[0], static_cast<std::uint32_t>(frame.width),
                                 static_cast<std::uint32_t>(frame.height), 1,
                                 static_cast<std::size_t>(frame.linesize[0])};
  Time now{};
  for (auto _ : state) {
    ::benchmark::DoNotOptimize(gate.pass(view, now += std::chrono::milliseconds{40}));
  }
}

void add(const std::string& name, const Shapes& shapes) {
  const auto in_ms = [](::benchmark::internal::Benchmark* each) {
    each->Unit(::benchmark::kMillisecond);
  };
  in_ms(::benchmark::RegisterBenchmark(
      fmt::format("raw/{}", name).c_str(), [&shapes](::benchmark::State& state) {
        copy(state, shapes, shapes.bgr.data, shapes.bgr.total() * shapes.bgr.elemSize());
      }));
  in_ms(::benchmark::RegisterBenchmark(
      fmt::format("passthrough/{}", name).c_str(), [&shapes](::benchmark::State& state) {
        copy(state, shapes, shapes.jpeg.data(), shapes.jpeg.size());
      }));
  for (const auto method : {producer::MotionMethod::mog2, producer::MotionMethod::difference}) {
    const auto* const word = method == producer::MotionMethod::mog2 ? "mog2" : "difference";
    in_ms(::benchmark::RegisterBenchmark(
        fmt::format("motion/{}/{}", name, word).c_str(),
        [&shapes, method](::benchmark::State& state) { gate(state, shapes, method); }));
  }
  for (const auto chroma : {Chroma::yuv420, Chroma::yuv444}) {
    for (const int quality : {75, 90, 95}) {
      in_ms(::benchmark::RegisterBenchmark(
          fmt::format("jpeg/{}/{}/quality:{}", name, to_string(chroma), quality).c_str(),
          [&shapes, quality, chroma](::benchmark::State& state) {
            encode(state, shapes, quality, chroma);
          }));
    }
  }
}

}  // namespace
}  // namespace framefleet::bench

int main(int argc, char** argv) {
  using namespace framefleet::bench;
  cv::setNumThreads(1);
  const auto small = shapes_of(1280, 720);
  const auto large = shapes_of(1920, 1080);
  add("720p", small);
  add("1080p", large);
  ::benchmark::Initialize(&argc, argv);
  if (::benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  ::benchmark::RunSpecifiedBenchmarks();
  return 0;
}
