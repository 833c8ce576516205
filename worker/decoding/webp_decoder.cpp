#include "worker/decoding/codecs.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <webp/decode.h>

namespace framefleet::worker {

Result<void, PictureError> decode_webp(std::span<const std::byte> bytes, const ImageHeader& header,
                                       PlaneBuffer& out) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const int width = static_cast<int>(header.width);
  const int height = static_cast<int>(header.height);
  int seen_width = 0;
  int seen_height = 0;
  if (WebPGetInfo(data, bytes.size(), &seen_width, &seen_height) == 0 || seen_width != width ||
      seen_height != height) {
    return undecodable("WebP contradicts its own header");
  }
  out.reset(width, height, 3);
  const std::size_t stride = out.plane().stride;
  if (WebPDecodeBGRInto(data, bytes.size(), out.data(), stride * header.height,
                        static_cast<int>(stride)) == nullptr) {
    return undecodable("WebP: the pixels are corrupt or cut short");
  }
  return {};
}

}  // namespace framefleet::worker
