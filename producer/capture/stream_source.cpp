#include "producer/capture/stream_source.hpp"

#include "producer/capture/stop.hpp"
#include "producer/capture/wait_watch.hpp"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace framefleet::producer {
namespace {

/// What a broken header promises beyond this is not believed.
constexpr double kFilmFramesMax = 1e9;

Duration to_duration(std::int64_t stamp, AVRational base) {
  return std::chrono::microseconds(av_rescale_q(stamp, base, AVRational{1, 1'000'000}));
}

}  // namespace

StreamSource::StreamSource(StreamOptions options)
    : options_(std::move(options)), is_file_(options_.url.starts_with("file:")) {}

Result<void, CaptureEnding> StreamSource::open() {
  packet_.reset(av_packet_alloc());
  if (!packet_) return fail(ending_of("cannot open", AVERROR(ENOMEM)));
  return open_once();
}

Result<void, CaptureEnding> StreamSource::open_once() {
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return fail(ending_of("cannot open", AVERROR(ENOMEM)));
  context->interrupt_callback = stop_callback();
  AvOptions options;
  if (is_file_) {
    options.set("protocol_whitelist", "file");
  } else {
    context->flags |= AVFMT_FLAG_NOBUFFER;
    options.set("protocol_whitelist", "rtsp,rtsps,rtp,rtcp,udp,tcp,tls");
    options.set("rtsp_transport", std::string(to_string(options_.rtsp_transport)));
    options.set("allowed_media_types", "video");
    options.set("user_agent", "framefleet");
  }
  // On failure it frees the context itself.
  const int error = avformat_open_input(&context, options_.url.c_str(), nullptr, options.get());
  if (error < 0) return fail(ending_of("cannot open", error));
  demuxer_.reset(context);
  // What a camera's description says is enough; a file's header may not be.
  if (is_file_) avformat_find_stream_info(context, nullptr);
  stream_ = -1;
  for (unsigned i = 0; i < context->nb_streams; ++i) {
    auto* const stream = context->streams[i];
    if (stream_ < 0 && stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
      stream_ = static_cast<int>(i);
    } else {
      stream->discard = AVDISCARD_ALL;
    }
  }
  if (stream_ < 0) return fail(CaptureEnding{CaptureEnd::refused, "there is no video in it"});
  const auto& parameters = *context->streams[stream_]->codecpar;
  decoder_.reset();
  if (parameters.codec_id == AV_CODEC_ID_MJPEG) return {};
  auto decoder = Decoder::open(parameters);
  if (!decoder) return fail(decoder.error());
  decoder_ = std::move(*decoder);
  return {};
}

FilmFacts StreamSource::film_facts() const {
  const auto& stream = *demuxer_->streams[stream_];
  const auto rate = stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
  FilmFacts facts;
  if (rate.num > 0 && rate.den > 0) facts.fps = av_q2d(rate);
  double frames = static_cast<double>(stream.nb_frames);
  if (!(frames > 0)) {
    const bool known = stream.duration != AV_NOPTS_VALUE;
    frames = facts.fps * (known ? static_cast<double>(stream.duration) * av_q2d(stream.time_base)
                                : static_cast<double>(demuxer_->duration) / AV_TIME_BASE);
  }
  if (frames >= 1 && frames <= kFilmFramesMax) {
    facts.frames = static_cast<std::uint64_t>(std::llround(frames));
  }
  return facts;
}

std::string_view StreamSource::codec() const {
  if (stream_ < 0) return "";
  return avcodec_get_name(demuxer_->streams[stream_]->codecpar->codec_id);
}

Result<GrabbedPicture, CaptureEnding> StreamSource::next() {
  while (true) {
    if (auto grabbed = picture()) return *grabbed;
    if (auto read = read_packet(); !read) return fail(read.error());
  }
}

/// What has been read and not been given out; nothing: another packet is needed.
std::optional<GrabbedPicture> StreamSource::picture() {
  if (decoder_) {
    const AVFrame* const frame = decoder_->receive();
    if (frame == nullptr) return std::nullopt;
    if (is_file_) wait_until_due(frame->best_effort_timestamp);
    return GrabbedPicture{frame, {}, wall_clock_ms()};
  }
  if (packet_->size <= 0) return std::nullopt;
  if (is_file_) wait_until_due(packet_->pts);
  const auto bytes = std::as_bytes(
      std::span(std::as_const(packet_->data), static_cast<std::size_t>(packet_->size)));
  packet_->size = 0;  // given out; the memory stays until the next packet
  return GrabbedPicture{nullptr, bytes, wall_clock_ms()};
}

Result<void, CaptureEnding> StreamSource::read_packet() {
  av_packet_unref(packet_.get());
  const WaitWatch watch;
  const int error = av_read_frame(demuxer_.get(), packet_.get());
  if (error == AVERROR_EOF && is_file_) return end_of_file();
  if (error == AVERROR_EOF) {
    return fail(CaptureEnding{CaptureEnd::passing, "the camera has ended the stream"});
  }
  if (error == AVERROR(EAGAIN)) return {};
  if (error < 0) return fail(ending_of("the stream broke off", error));
  if (packet_->stream_index != stream_) {
    av_packet_unref(packet_.get());
    return {};
  }
  const bool key = !decoder_ || (packet_->flags & AV_PKT_FLAG_KEY) != 0;
  const auto own_time = packet_->pts != AV_NOPTS_VALUE ? packet_->pts : packet_->dts;
  if (!is_file_ && own_time != AV_NOPTS_VALUE) {
    const auto stamp = to_duration(own_time, demuxer_->streams[stream_]->time_base);
    if (!edge_.wanted(stamp, now(), watch.waited(), key)) {
      ++skipped_;
      gap_ = true;
      av_packet_unref(packet_.get());
      return {};
    }
  }
  if (decoder_) {
    if (std::exchange(gap_, false)) decoder_->flush();
    decoder_->send(packet_.get());
    av_packet_unref(packet_.get());
  }
  return {};
}

/// Lets out what the decoder holds, and then begins again or ends.
Result<void, CaptureEnding> StreamSource::end_of_file() {
  if (decoder_ && !std::exchange(draining_, true)) {
    decoder_->send(nullptr);
    return {};
  }
  draining_ = false;
  if (!first_at_) {
    return fail(CaptureEnding{CaptureEnd::refused, "not one picture of it can be decoded"});
  }
  if (!options_.loop) return fail(CaptureEnding{CaptureEnd::finished, "the video is over"});
  first_at_.reset();
  return open_once();
}

void StreamSource::wait_until_due(std::int64_t stamp) {
  if (stamp == AV_NOPTS_VALUE) stamp = first_stamp_;
  if (!first_at_) {
    first_at_ = now();
    first_stamp_ = stamp;
  }
  if (options_.pace == Pace::as_asked) return;
  const auto base = demuxer_->streams[stream_]->time_base;
  const Time due = *first_at_ + to_duration(stamp - first_stamp_, base);
  while (!stop_asked()) {
    const Duration left = due - now();
    if (left <= Duration::zero()) return;
    // A stop interrupts it.
    constexpr Duration kTurn = std::chrono::milliseconds{200};
    ::poll(nullptr, 0, static_cast<int>(ceil_ms(std::min(left, kTurn))));
  }
}

}  // namespace framefleet::producer
