#pragma once
// Internal: FFmpeg's objects with owners, and its errors as words. Threads: one at a time.

#include "producer/cameras/capture_wire.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/time.h>
}

#include <cstdint>
#include <memory>
#include <string>

namespace framefleet::producer {

struct AvDelete {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
  void operator()(AVIOContext* context) const { avio_closep(&context); }
};
template <class T>
using Av = std::unique_ptr<T, AvDelete>;

class AvOptions {
 public:
  AvOptions() = default;
  ~AvOptions() { av_dict_free(&entries_); }
  AvOptions(const AvOptions&) = delete;
  AvOptions& operator=(const AvOptions&) = delete;

  void set(const char* key, const std::string& value) {
    av_dict_set(&entries_, key, value.c_str(), 0);
  }
  AVDictionary** get() { return &entries_; }

 private:
  AVDictionary* entries_{nullptr};
};

/// `error` of FFmpeg's as the end of a capture: "what: why". What the camera or the system refuses
/// for good is refused, all else may pass.
CaptureEnding ending_of(const std::string& what, int error);

/// Ends what waits in FFmpeg once a stop was asked for.
AVIOInterruptCB stop_callback();

/// CLOCK_MONOTONIC, and Unix time in ms.
inline Time now() { return Time(std::chrono::microseconds(av_gettime_relative())); }
inline std::int64_t wall_clock_ms() { return av_gettime() / 1000; }

}  // namespace framefleet::producer
