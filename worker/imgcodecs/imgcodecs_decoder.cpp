#include "worker/imgcodecs/imgcodecs_decoder.hpp"

#include "worker/decoding/tiff_directory.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <new>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

tl::unexpected<PictureError> refuse(const ImageHeader& header, const std::string& what) {
  return fail(
      PictureError{Reason::undecodable, std::string(to_string(header.format)) + ": " + what});
}

/// Into `out` itself. Nothing where imgcodecs says that it cannot, or made something else of it.
bool decode_into(const cv::Mat& encoded, int channels, PlaneBuffer& out) {
  const Plane plane = out.plane();
  cv::Mat pixels(plane.height, plane.width, CV_8UC(channels), out.data(), plane.stride);
  const int colours = channels == 1 ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR;
  cv::imdecode(encoded, colours | cv::IMREAD_IGNORE_ORIENTATION, &pixels);
  return pixels.data == out.data() && pixels.rows == plane.height && pixels.cols == plane.width &&
         pixels.channels() == channels;
}

}  // namespace

Result<void, PictureError> decode_by_imgcodecs(std::span<const std::byte> bytes,
                                               const ImageHeader& header, int channels,
                                               PlaneBuffer& out) {
  std::vector<std::uint8_t> cleaned;
  if (header.format == ImageFormat::tiff) {
    const auto tiff = TiffDirectory::read(ByteView(bytes));
    if (!tiff) return refuse(header, tiff.error().text);
    cleaned = tiff->bytes_of_pixels_alone();
    bytes = std::as_bytes(std::span(cleaned));
  }
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1,
                        const_cast<std::byte*>(bytes.data()));
  out.reset(static_cast<int>(header.width), static_cast<int>(header.height), channels);
  try {
    if (decode_into(encoded, channels, out)) return {};
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    return refuse(header, error.err);
  }
  return refuse(header, "the pixels are corrupt or cut short");
}

}  // namespace framefleet::worker
