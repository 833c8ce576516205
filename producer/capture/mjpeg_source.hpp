#pragma once
// Internal: an HTTP camera's stream of JPEG pictures, each taken out untouched. FFmpeg speaks HTTP
// (chunks, Basic and Digest authentication, TLS, redirects); the pictures are found by
// jpeg_splitter.hpp.

#include "producer/capture/av.hpp"
#include "producer/capture/frame_source.hpp"
#include "producer/capture/jpeg_splitter.hpp"

#include <string>
#include <vector>

namespace framefleet::producer {

class MjpegSource final : public FrameSource {
 public:
  explicit MjpegSource(std::string url) : url_(std::move(url)) {}

  Result<void, CaptureEnding> open() override;
  Result<GrabbedPicture, CaptureEnding> next() override;
  std::string_view codec() const override { return "mjpeg"; }
  std::uint64_t skipped() const override { return skipped_; }

 private:
  bool is_late();

  std::string url_;
  Av<AVIOContext> connection_;
  JpegSplitter splitter_;
  std::vector<unsigned char> buffer_;
  int unwaited_{0};  // pictures, since the last read that waited
  Time given_at_{};
  std::uint64_t skipped_{0};
};

}  // namespace framefleet::producer
