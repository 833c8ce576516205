#pragma once
// A decoded picture: 8-bit pixels, upright (EXIF orientation applied), as grey, as BGR, or as both.
//
// A Plane is a view and owns nothing; a PlaneBuffer owns the pixels of one plane and is reused from
// picture to picture, because fresh pages cost more than decoding into warm ones. Not shared
// between threads. Sizes are in pixels, strides in bytes.

#include "shared/base/reason.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace framefleet::worker {

/// Why a picture could not be used, in words for people.
struct PictureError {
  Reason reason{Reason::undecodable};
  std::string text;
};

/// How much smaller than it is a picture is decoded: a divisor of both sides, rounded up.
enum class DecodeScale : std::uint8_t { full = 1, half = 2, quarter = 4, eighth = 8 };
/// "1", "1/2" …
std::string_view to_string(DecodeScale scale);

/// Pixels somebody else owns. `channels` is 1 (grey) or 3 (blue, green, red); 0 means "no plane".
struct Plane {
  const std::uint8_t* pixels{nullptr};
  int width{0};
  int height{0};
  int channels{0};
  std::size_t stride{0};

  explicit operator bool() const { return channels != 0; }
};

/// What a Decoder hands out. The planes stay valid until its next decode.
struct Picture {
  int width{0};  ///< Of the full picture: what boxes are in pixels of.
  int height{0};
  DecodeScale scale{DecodeScale::full};  ///< Of the planes.
  Plane grey;                            ///< Empty where it was not asked for.
  Plane bgr;                             ///< Empty where it was not asked for.
  bool damaged{false};  ///< Decoded as far as its bytes go; the rest is filled with grey.
};

/// The pixels of one plane, without gaps between rows.
class PlaneBuffer {
 public:
  /// Makes room for width x height x channels bytes; what was in it is gone.
  /// Requires: sizes that passed the image gate. Throws std::bad_alloc.
  void reset(int width, int height, int channels);
  /// For a picture that has no use for this plane: gives back what is too much to keep. What was in
  /// it may be gone.
  void give_back_excess();

  std::uint8_t* data() { return bytes_.get(); }
  std::uint8_t* row(int y) { return bytes_.get() + static_cast<std::size_t>(y) * plane_.stride; }
  Plane plane() const { return plane_; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_{0};
  Plane plane_;
};

}  // namespace framefleet::worker
