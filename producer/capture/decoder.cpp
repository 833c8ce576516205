#include "producer/capture/decoder.hpp"

#include <string>
#include <utility>

namespace framefleet::producer {
namespace {

/// What the decoder made up because packets were lost, or what lies beyond its last key frame.
bool is_damaged(const AVFrame& frame) {
  return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0;
}

}  // namespace

Result<Decoder, CaptureEnding> Decoder::open(const AVCodecParameters& parameters) {
  return open(parameters.codec_id, &parameters);
}

Result<Decoder, CaptureEnding> Decoder::open_jpeg() { return open(AV_CODEC_ID_MJPEG, nullptr); }

Result<Decoder, CaptureEnding> Decoder::open(AVCodecID id, const AVCodecParameters* parameters) {
  const AVCodec* const codec = avcodec_find_decoder(id);
  if (codec == nullptr) {
    return fail(CaptureEnding{CaptureEnd::refused, std::string("the camera sends ") +
                                                       avcodec_get_name(id) +
                                                       ", for which FFmpeg has no decoder here"});
  }
  Decoder decoder;
  decoder.context_.reset(avcodec_alloc_context3(codec));
  decoder.frame_.reset(av_frame_alloc());
  decoder.packet_.reset(av_packet_alloc());
  if (!decoder.context_ || !decoder.frame_ || !decoder.packet_) {
    return fail(ending_of("cannot decode", AVERROR(ENOMEM)));
  }
  auto& context = *decoder.context_;
  if (parameters != nullptr) {
    const int error = avcodec_parameters_to_context(&context, parameters);
    if (error < 0) return fail(ending_of("cannot decode", error));
  }
  context.flags |= AV_CODEC_FLAG_LOW_DELAY;
  // Threads that take a frame each hold frames back; with threads that take a slice each, the
  // decoder of H.264 does not say which pictures are damaged.
  context.thread_count = 1;
  context.max_pixels = kPixelsMax;
  if (const int error = avcodec_open2(&context, codec, nullptr); error < 0) {
    return fail(ending_of("cannot decode", error));
  }
  return decoder;
}

void Decoder::send(const AVPacket* packet) { avcodec_send_packet(context_.get(), packet); }

void Decoder::flush() { avcodec_flush_buffers(context_.get()); }

const AVFrame* Decoder::receive() {
  while (true) {
    const int got = avcodec_receive_frame(context_.get(), frame_.get());
    if (got < 0) return nullptr;
    if (!is_damaged(*frame_)) return frame_.get();
    ++damaged_;
  }
}

const AVFrame* Decoder::decode(std::span<const std::byte> jpeg) {
  if (av_new_packet(packet_.get(), static_cast<int>(jpeg.size())) < 0) return nullptr;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size(), packet_->data);
  packet_->flags |= AV_PKT_FLAG_KEY;
  send(packet_.get());
  av_packet_unref(packet_.get());
  return receive();
}

}  // namespace framefleet::producer
