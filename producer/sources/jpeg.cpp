#include "producer/sources/jpeg.hpp"

#include <opencv2/imgcodecs.hpp>

#include <vector>

namespace framefleet::producer {

Result<std::string, std::string> encode_jpeg(const cv::Mat& picture, int quality) {
  try {
    std::vector<unsigned char> bytes;
    if (!cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, quality})) {
      return fail(std::string("it cannot be encoded as JPEG"));
    }
    return std::string(bytes.begin(), bytes.end());
  } catch (const cv::Exception& error) {
    return fail(std::string(error.what()));
  }
}

}  // namespace framefleet::producer
