#include "producer/cameras/capture_wire.hpp"

#include "shared/processes/fields.hpp"

#include <bit>
#include <utility>

namespace framefleet::producer {
namespace {

enum class Word : std::uint8_t { beat = 1, ending = 2 };

template <class E>
E choice(FieldReader& in, E last) {
  const auto value = in.get<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) {
    in.refuse();
    return E{};
  }
  return static_cast<E>(value);
}

Duration duration(FieldReader& in) { return Duration(in.get<Duration::rep>()); }

void put(FieldWriter& out, double value) { out.put(std::bit_cast<std::uint64_t>(value)); }
double real(FieldReader& in) { return std::bit_cast<double>(in.get<std::uint64_t>()); }

void put(FieldWriter& out, const MotionOptions& motion) {
  out.put(motion.method).put(motion.width);
  put(out, motion.min_area);
  out.put(motion.warm_up.count()).put(motion.hold.count()).put(motion.forced_interval.count());
  out.put(static_cast<std::uint32_t>(motion.masks.size()));
  for (const auto& mask : motion.masks) {
    out.put(static_cast<std::uint32_t>(mask.size()));
    for (const auto& point : mask) {
      put(out, point.x);
      put(out, point.y);
    }
  }
}

MotionOptions read_motion(FieldReader& in) {
  MotionOptions motion;
  motion.method = choice(in, MotionMethod::difference);
  motion.width = in.get<std::uint32_t>();
  motion.min_area = real(in);
  motion.warm_up = duration(in);
  motion.hold = duration(in);
  motion.forced_interval = duration(in);
  motion.masks.resize(in.count(kMotionMasksMax));
  for (auto& mask : motion.masks) {
    mask.resize(in.count(kMaskPointsMax));
    for (auto& point : mask) point = {real(in), real(in)};
  }
  return motion;
}

}  // namespace

std::string encode_order(const CameraOptions& options) {
  FieldWriter out;
  out.put(std::string_view(options.url.reveal())).put(options.rtsp_transport);
  put(out, options.fps);
  out.put(options.width).put(options.height);
  out.put(options.quality).put(options.chroma).put(options.codec);
  out.put(std::uint8_t{options.loop}).put(options.camera_timeout.count());
  out.put(options.open_timeout.count());
  out.put(std::uint8_t{options.motion.has_value()});
  if (options.motion) put(out, *options.motion);
  return out.take();
}

std::optional<CameraOptions> decode_order(std::string_view bytes) {
  FieldReader in(bytes);
  CameraOptions options;
  options.url = Secret(in.text());
  options.rtsp_transport = choice(in, RtspTransport::udp);
  options.fps = real(in);
  options.width = in.get<std::uint32_t>();
  options.height = in.get<std::uint32_t>();
  options.quality = in.get<int>();
  options.chroma = choice(in, Chroma::yuv444);
  options.codec = choice(in, Codec::passthrough);
  options.loop = in.get<std::uint8_t>() != 0;
  options.camera_timeout = duration(in);
  options.open_timeout = duration(in);
  if (in.get<std::uint8_t>() != 0) options.motion = read_motion(in);
  if (!in.done() || (options.motion && !check(*options.motion))) return std::nullopt;
  return options;
}

std::string encode_report(const CaptureReport& report) {
  FieldWriter out;
  if (const auto* ending = std::get_if<CaptureEnding>(&report)) {
    out.put(Word::ending).put(ending->end);
    out.put(std::string_view(ending->text).substr(0, kEndingTextBytesMax));
  } else {
    out.put(Word::beat);
  }
  return out.take();
}

std::optional<CaptureReport> decode_report(std::string_view bytes) {
  FieldReader in(bytes);
  const auto word = in.get<std::uint8_t>();
  if (word == static_cast<std::uint8_t>(Word::beat)) {
    return in.done() ? std::optional<CaptureReport>(CaptureBeat{}) : std::nullopt;
  }
  if (word != static_cast<std::uint8_t>(Word::ending)) return std::nullopt;
  CaptureEnding ending;
  ending.end = choice(in, CaptureEnd::finished);
  ending.text = in.text();
  if (!in.done() || ending.text.size() > kEndingTextBytesMax) return std::nullopt;
  return ending;
}

}  // namespace framefleet::producer
