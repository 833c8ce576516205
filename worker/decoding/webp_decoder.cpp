#include "worker/decoding/codecs.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <opencv2/imgproc.hpp>
#include <webp/decode.h>

#include <string>

namespace framefleet::worker {

Result<void, PictureError> decode_webp(std::span<const std::byte> bytes, const ImageHeader& header,
                                       int channels, PlaneBuffer& out) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const int width = static_cast<int>(header.width);
  const int height = static_cast<int>(header.height);
  int seen_width = 0;
  int seen_height = 0;
  if (WebPGetInfo(data, bytes.size(), &seen_width, &seen_height) == 0 || seen_width != width ||
      seen_height != height) {
    return undecodable("WebP contradicts its own header");
  }
  PlaneBuffer colour;
  PlaneBuffer& bgr = channels == 3 ? out : colour;
  bgr.reset(width, height, 3);
  const std::size_t stride = bgr.plane().stride;
  if (WebPDecodeBGRInto(data, bytes.size(), bgr.data(), stride * header.height,
                        static_cast<int>(stride)) == nullptr) {
    return undecodable("WebP: the pixels are corrupt or cut short");
  }
  if (channels == 1) {
    out.reset(width, height, 1);
    cv::Mat grey(height, width, CV_8UC1, out.data());
    cv::cvtColor(cv::Mat(height, width, CV_8UC3, bgr.data()), grey, cv::COLOR_BGR2GRAY);
  }
  return {};
}

}  // namespace framefleet::worker
