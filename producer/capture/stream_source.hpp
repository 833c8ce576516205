#pragma once
// Internal: what FFmpeg demuxes and decodes: RTSP cameras as fast as they send, video files at
// their own speed or a picture whenever one is asked for.

#include "producer/cameras/film_wire.hpp"
#include "producer/capture/av.hpp"
#include "producer/capture/decoder.hpp"
#include "producer/capture/frame_source.hpp"
#include "producer/capture/live_edge.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::producer {

/// Of a file: as it says itself, or a picture whenever the next one is asked for.
enum class Pace : std::uint8_t { own, as_asked };

struct StreamOptions {
  std::string url;  ///< rtsp://, rtsps:// or file:
  RtspTransport rtsp_transport{RtspTransport::tcp};
  bool loop{true};  ///< A file.
  Pace pace{Pace::own};
};

class StreamSource final : public FrameSource {
 public:
  explicit StreamSource(StreamOptions options);

  Result<void, CaptureEnding> open() override;
  Result<GrabbedPicture, CaptureEnding> next() override;
  std::string_view codec() const override;
  std::uint64_t skipped() const override { return skipped_; }
  std::uint64_t damaged() const override { return decoder_ ? decoder_->damaged() : 0; }
  /// Of an open file.
  FilmFacts film_facts() const;

 private:
  Result<void, CaptureEnding> open_once();
  Result<void, CaptureEnding> read_packet();
  std::optional<GrabbedPicture> picture();
  Result<void, CaptureEnding> end_of_file();
  void wait_until_due(std::int64_t stamp);

  StreamOptions options_;
  bool is_file_;
  Av<AVFormatContext> demuxer_;
  int stream_{-1};
  std::optional<Decoder> decoder_;  // nothing: packets are JPEG pictures already
  Av<AVPacket> packet_;
  LiveEdge edge_;
  std::uint64_t skipped_{0};
  bool gap_{false};  // packets were dropped since the last one that was decoded
  // A file: when its first picture was shown, and with which stamp; and whether it has any.
  std::optional<Time> first_at_;
  std::int64_t first_stamp_{0};
  bool draining_{false};
};

}  // namespace framefleet::producer
