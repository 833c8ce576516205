#pragma once
// Internal: a camera at this machine, by Video4Linux2: JPEG pictures where it gives them, else
// YUYV. Four buffers of the driver's, mapped; a picture goes back to the driver when the next one
// is asked for.

#include "producer/capture/av.hpp"
#include "producer/capture/frame_source.hpp"

#include "shared/base/file_descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::producer {

class DeviceSource final : public FrameSource {
 public:
  /// `device`: its path. Of the options: width and height are asked of the camera (which gives what
  /// it can), fps too, and its codec says whether JPEG is wanted.
  DeviceSource(std::string device, const CameraOptions& options)
      : device_(std::move(device)), options_(options) {}
  ~DeviceSource() override;

  Result<void, CaptureEnding> open() override;
  Result<GrabbedPicture, CaptureEnding> next() override;
  std::string_view codec() const override { return is_jpeg_ ? "mjpeg" : "yuyv422"; }

 private:
  struct Mapped {
    void* bytes;
    std::size_t size;
  };
  bool choose_format();
  void choose_rate();
  Result<void, CaptureEnding> map_buffers();
  CaptureEnding failed(const char* what) const;

  std::string device_;
  const CameraOptions& options_;
  FileDescriptor file_;
  bool is_jpeg_{false};
  std::uint32_t width_{0};
  std::uint32_t height_{0};
  std::uint32_t stride_{0};
  std::vector<Mapped> buffers_;
  std::optional<std::uint32_t> held_;  // not yet given back
  Av<AVFrame> frame_;                  // over a buffer of YUYV
};

}  // namespace framefleet::producer
