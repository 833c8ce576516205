#include "producer/capture/open_source.hpp"

#include "producer/capture/device_source.hpp"
#include "producer/capture/mjpeg_source.hpp"
#include "producer/capture/stream_source.hpp"

#include <string_view>

namespace framefleet::producer {

std::unique_ptr<FrameSource> open_source(const CameraOptions& options) {
  const std::string& url = options.url.reveal();
  constexpr std::string_view kDevice = "v4l2:";
  if (url.starts_with("http://") || url.starts_with("https://")) {
    return std::make_unique<MjpegSource>(url);
  }
  if (url.starts_with(kDevice)) {
    return std::make_unique<DeviceSource>(url.substr(kDevice.size()), options);
  }
  return std::make_unique<StreamSource>(StreamOptions{url, options.rtsp_transport, options.loop});
}

}  // namespace framefleet::producer
