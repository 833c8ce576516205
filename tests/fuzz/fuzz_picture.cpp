// Any bytes as a picture. What must hold:
//   - a refusal has words and a reason of the image gate, and the gate never lets through what is
//     over its limits (which also bound the memory of this program);
//   - of a BMP and a TIFF the gate alone, and what a decoder would get to see of the latter: a TIFF
//     that the gate reads the same, upright;
//   - a picture has the size that its header promises, turned upright, in every plane;
//   - the pixels are those of these bytes alone: a decoder that has just decoded another picture
//     answers the same as a new one.

#include "tests/fuzz/target.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/decoding/encoder.hpp"
#include "worker/decoding/exif.hpp"
#include "worker/decoding/image_gate.hpp"
#include "worker/decoding/tiff_directory.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <string>
#include <utility>

using namespace framefleet;
using worker::Decoder;
using worker::ImageHeader;
using worker::Picture;
using worker::PictureError;
using worker::Plane;

namespace {

/// Small, so that an input costs milliseconds: pixels are paid for by the sanitizers too.
constexpr worker::ImageLimits kLimits{.formats = worker::FormatSet::all(),
                                      .pixels_max = 64 * 1024,
                                      .bytes_max = 256 * 1024,
                                      .side_max = 4096,
                                      .jpeg_scans_max = 20,
                                      .chunks_max = 100};
constexpr worker::Planes kBoth{.grey = true, .bgr = true};

/// A JPEG in colour: of all decoders only that one is kept from picture to picture.
const std::string& other_picture() {
  constexpr int kSide = 16;
  static const std::string kPicture = [] {
    worker::PlaneBuffer buffer;
    buffer.reset(kSide, kSide, 3);
    for (std::size_t i = 0; i < std::size_t{kSide} * kSide * 3; ++i) {
      buffer.data()[i] = static_cast<std::uint8_t>(i * 7);
    }
    const auto encoded = worker::JpegEncoder().encode(buffer.plane(), 20);
    FRAMEFLEET_ASSERT(encoded.has_value());
    return *encoded;
  }();
  return kPicture;
}

bool is_of_the_gate(Reason reason) {
  return reason == Reason::empty_picture || reason == Reason::not_a_picture ||
         reason == Reason::too_large_picture || reason == Reason::undecodable;
}

void check_error(const PictureError& error) {
  FRAMEFLEET_ASSERT(!error.text.empty());
  FRAMEFLEET_ASSERT(is_of_the_gate(error.reason));
}

void check_header(const ImageHeader& header) {
  FRAMEFLEET_ASSERT(header.width > 0 && header.width <= kLimits.side_max);
  FRAMEFLEET_ASSERT(header.height > 0 && header.height <= kLimits.side_max);
  FRAMEFLEET_ASSERT(std::uint64_t{header.width} * header.height <= kLimits.pixels_max);
  FRAMEFLEET_ASSERT(header.orientation >= 1 && header.orientation <= 8);
}

void check_plane(const Picture& picture, const Plane& plane, int channels) {
  FRAMEFLEET_ASSERT(plane.width == picture.width && plane.height == picture.height);
  FRAMEFLEET_ASSERT(plane.channels == channels);
  FRAMEFLEET_ASSERT(plane.stride >= static_cast<std::size_t>(plane.width * channels));
}

void check_size(const Picture& picture, const ImageHeader& header) {
  auto width = static_cast<int>(header.width);
  auto height = static_cast<int>(header.height);
  if (worker::exchanges_sides(header.orientation)) std::swap(width, height);
  FRAMEFLEET_ASSERT(picture.width == width && picture.height == height);
  check_plane(picture, picture.grey, 1);
  check_plane(picture, picture.bgr, 3);
}

bool same_pixels(const Plane& a, const Plane& b) {
  const auto row_bytes = static_cast<std::size_t>(a.width * a.channels);
  for (std::size_t y = 0; y < static_cast<std::size_t>(a.height); ++y) {
    const auto* row = a.pixels + y * a.stride;
    if (!std::equal(row, row + row_bytes, b.pixels + y * b.stride)) return false;
  }
  return true;
}

/// What a decoder gets to see of a TIFF is the same picture, as stored.
void check_pixels_alone(std::span<const std::byte> tiff, ImageHeader header) {
  const auto directory = worker::TiffDirectory::read(worker::ByteView(tiff));
  FRAMEFLEET_ASSERT(directory.has_value());
  const auto seen = directory->bytes_of_pixels_alone();
  const auto again = worker::inspect_image(std::as_bytes(std::span(seen)), kLimits);
  header.orientation = 1;
  FRAMEFLEET_ASSERT(again.has_value() && *again == header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = test::as_input(data, size);
  const auto header = worker::inspect_image(input, kLimits);
  Decoder fresh(kLimits);
  const auto picture = fresh.decode(input, kBoth);
  if (!header) {
    check_error(header.error());
    FRAMEFLEET_ASSERT(!picture && picture.error().reason == header.error().reason);
    return 0;
  }
  check_header(*header);
  if (header->format == worker::ImageFormat::tiff) check_pixels_alone(input, *header);

  Decoder used(kLimits);
  FRAMEFLEET_ASSERT(used.decode(std::as_bytes(std::span(other_picture())), kBoth).has_value());
  const auto again = used.decode(input, kBoth);
  FRAMEFLEET_ASSERT(picture.has_value() == again.has_value());
  if (!picture) {
    check_error(picture.error());
    return 0;
  }
  check_size(*picture, *header);
  check_size(*again, *header);
  FRAMEFLEET_ASSERT(picture->damaged == again->damaged);
  FRAMEFLEET_ASSERT(same_pixels(picture->grey, again->grey));
  FRAMEFLEET_ASSERT(same_pixels(picture->bgr, again->bgr));
  return 0;
}
