#pragma once
// Sound pictures of every kind that the worker accepts, made by the codecs themselves and therefore
// the same on every run, and the pieces that files are put together from. Bytes are strings here:
// they are cut and joined all the time.

#include <opencv2/core.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::test {

enum class SeedFormat { jpeg, png, webp, bmp, tiff };

struct Seed {
  std::string name;
  SeedFormat format;
  std::string bytes;
};

inline constexpr int kSeedWidth = 52;  // No multiple of a block, so that edges are met.
inline constexpr int kSeedHeight = 37;

std::vector<Seed> picture_seeds();

/// The one kind of JPEG that OpenCV reads and does not write. `bgr` comes out nearly as it went in.
std::string cmyk_jpeg_of(const cv::Mat& bgr);

std::string be16(std::uint32_t value);
std::string be32(std::uint32_t value);
std::string le24(std::uint32_t value);
std::string le32(std::uint32_t value);

/// `marker` is the byte behind FF. Requires: a body that a segment can hold.
std::string jpeg_segment(std::uint8_t marker, std::string_view body);
/// Frame header of 8 bits and these components, all with sampling 1x1 and table 0.
std::string jpeg_frame(std::uint8_t marker, std::uint32_t width, std::uint32_t height,
                       std::uint32_t components);
/// With a right checksum.
std::string png_chunk(std::string_view name, std::string_view body);
std::string png_header(std::uint32_t width, std::uint32_t height, std::uint8_t depth,
                       std::uint8_t colour_type, bool interlaced);
std::string deflated_zeros(std::uint64_t count);
std::string webp_chunk(std::string_view name, std::string_view body);
std::string webp_file(std::string_view chunks);
/// The chunks of an extended WebP's header.
std::string webp_canvas(std::uint8_t flags, std::uint32_t width, std::uint32_t height);
/// A TIFF block, big endian, with the orientation as its only entry.
std::string tiff_with_orientation(int orientation);

/// A segment or chunk inside a file.
struct Part {
  std::size_t begin;
  std::size_t length_at;  ///< Where its length is written.
  std::size_t end;
};
/// In the order of the file; a JPEG's scan data belongs to no part.
std::vector<Part> parts_of(const Seed& seed);

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace framefleet::test
