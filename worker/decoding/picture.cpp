#include "worker/decoding/picture.hpp"

namespace framefleet::worker {
namespace {

/// One large picture must not hold its memory for ever: a buffer above this (a 4K picture in colour
/// is 25 MB) is given back as soon as a picture needs less than a quarter of it, or nothing.
constexpr std::size_t kKeepBytesMax = std::size_t{32} << 20U;

}  // namespace

std::string_view to_string(DecodeScale scale) {
  switch (scale) {
    case DecodeScale::full:
      return "1";
    case DecodeScale::half:
      return "1/2";
    case DecodeScale::quarter:
      return "1/4";
    case DecodeScale::eighth:
      return "1/8";
  }
  return "";
}

void PlaneBuffer::reset(int width, int height, int channels) {
  const std::size_t stride = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  const std::size_t needed = stride * static_cast<std::size_t>(height);
  const bool oversized = capacity_ > kKeepBytesMax && needed < capacity_ / 4;
  if (needed > capacity_ || oversized) {
    bytes_.reset();  // Before the new one is taken: both at once would double the peak.
    capacity_ = 0;
    plane_ = {};
    bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(needed);
    capacity_ = needed;
  }
  plane_ = Plane{bytes_.get(), width, height, channels, stride};
}

void PlaneBuffer::give_back_excess() {
  if (capacity_ > kKeepBytesMax) *this = {};
}

}  // namespace framefleet::worker
