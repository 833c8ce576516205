#pragma once
// JPEG pictures in a stream of anything: what an HTTP camera sends as multipart/x-mixed-replace.
//
// The markers of JPEG say where a picture begins and ends; the boundaries and lengths that servers
// write around it often say something else (wrong lengths, boundaries with dashes too many, none)
// and would let a picture go only when the next one begins. So what is between pictures is skipped,
// whatever it is, and a picture that breaks off is dropped where the next one begins.
// Pure. Memory: the caps below. Threads: one at a time.

#include "producer/cameras/frame_slots.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace framefleet::producer {

/// A complete JPEG: from its first marker to its last.
struct FoundJpeg {
  std::span<const std::byte> bytes;  ///< Until the next call.
  std::uint32_t width{0};            ///< 1 to kFrameSideMax.
  std::uint32_t height{0};
};

class JpegSplitter {
 public:
  /// `picture_bytes_max`: a larger picture is dropped.
  explicit JpegSplitter(std::size_t picture_bytes_max = kFrameBytesMax)
      : picture_bytes_max_(picture_bytes_max) {}

  void feed(std::span<const std::byte> bytes);
  /// The next picture; nothing: more bytes are needed.
  std::optional<FoundJpeg> next();
  /// The picture that begins with the first of `bytes`, if one does.
  static std::optional<FoundJpeg> whole(std::span<const std::byte> bytes);
  /// Bytes that wait for the rest of their picture.
  std::size_t held_bytes() const { return bytes_.size() - taken_; }

 private:
  enum class Step : std::uint8_t { more, found, broken };
  Step walk();
  Step segment(std::uint8_t marker);
  void drop();
  bool find_start();
  bool find_mark();

  std::size_t picture_bytes_max_;
  std::vector<std::byte> bytes_;
  std::size_t taken_{0};  // of bytes_: the present picture begins here, if any
  std::size_t at_{0};     // of bytes_: looked at up to here
  bool in_picture_{false};
  bool in_scan_{false};  // between a start of scan and the next marker
  std::uint32_t width_{0};
  std::uint32_t height_{0};
};

}  // namespace framefleet::producer
