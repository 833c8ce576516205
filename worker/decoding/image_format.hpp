#pragma once
// The formats of pictures that a worker can be told to take, and how bytes are told apart by their
// first ones. Pure functions, any thread.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::worker {

enum class ImageFormat : std::uint8_t { jpeg, png, webp, bmp, tiff };
std::string_view to_string(ImageFormat format);
/// As options and metrics write it: "jpeg".
std::string_view word_of(ImageFormat format);

/// From the magic at their beginning, and nothing else about them.
std::optional<ImageFormat> format_of(std::span<const std::byte> bytes);

class FormatSet {
 public:
  constexpr FormatSet() = default;
  constexpr FormatSet(std::initializer_list<ImageFormat> formats) {
    for (const auto format : formats) add(format);
  }
  static constexpr FormatSet all() {
    return {ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp, ImageFormat::bmp,
            ImageFormat::tiff};
  }
  /// Those that only imgcodecs decodes (worker/imgcodecs).
  static constexpr FormatSet of_imgcodecs() { return {ImageFormat::bmp, ImageFormat::tiff}; }

  constexpr void add(ImageFormat format) { bits_ = bits_ | bit(format); }
  constexpr bool has(ImageFormat format) const { return (bits_ & bit(format)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr FormatSet both(FormatSet other) const { return of_bits(bits_ & other.bits_); }

  /// One bit each, for packets between processes of one build. Bits of no format are dropped.
  constexpr std::uint32_t bits() const { return bits_; }
  static constexpr FormatSet of_bits(std::uint32_t bits) {
    FormatSet set;
    set.bits_ = bits & all().bits_;
    return set;
  }

  friend constexpr bool operator==(FormatSet, FormatSet) = default;

 private:
  static constexpr std::uint32_t bit(ImageFormat format) {
    return std::uint32_t{1} << static_cast<unsigned>(format);
  }

  std::uint32_t bits_{0};
};

/// "JPEG, PNG, WebP"
std::string to_string(FormatSet formats);

}  // namespace framefleet::worker
