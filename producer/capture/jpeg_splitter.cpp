#include "producer/capture/jpeg_splitter.hpp"

#include <algorithm>
#include <cstring>

namespace framefleet::producer {
namespace {

constexpr std::uint8_t kStartOfImage = 0xD8;
constexpr std::uint8_t kEndOfImage = 0xD9;
constexpr std::uint8_t kStartOfScan = 0xDA;
/// What stands before the first scan; real cameras need some KiB.
constexpr std::size_t kHeadersBytesMax = std::size_t{1} << 20U;

bool is_start_of_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool has_no_length(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

}  // namespace

void JpegSplitter::feed(std::span<const std::byte> bytes) {
  if (taken_ > 0) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
    at_ -= taken_;
    taken_ = 0;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::optional<FoundJpeg> JpegSplitter::next() {
  while (true) {
    if (!in_picture_ && !find_start()) return std::nullopt;
    switch (walk()) {
      case Step::more:
        if (bytes_.size() - taken_ <= picture_bytes_max_) return std::nullopt;
        drop();
        break;
      case Step::found: {
        const FoundJpeg found{std::span(bytes_).subspan(taken_, at_ - taken_), width_, height_};
        in_picture_ = false;
        taken_ = at_;
        if (width_ > 0 && found.bytes.size() <= picture_bytes_max_) return found;
        break;
      }
      case Step::broken:
        drop();
        break;
    }
  }
}

/// From one 0xFF to the next, until one of them begins a picture.
bool JpegSplitter::find_start() {
  while (find_mark() && at_ + 1 < bytes_.size() && bytes_[at_ + 1] != std::byte{kStartOfImage}) {
    ++at_;
  }
  taken_ = at_;
  if (at_ + 1 >= bytes_.size()) return false;
  in_picture_ = true;
  in_scan_ = false;
  width_ = height_ = 0;
  at_ += 2;
  return true;
}

/// To the next 0xFF, or the end.
bool JpegSplitter::find_mark() {
  const auto rest = std::span(bytes_).subspan(at_);
  const auto* mark = rest.empty() ? nullptr : std::memchr(rest.data(), 0xFF, rest.size());
  at_ = mark == nullptr
            ? bytes_.size()
            : static_cast<std::size_t>(static_cast<const std::byte*>(mark) - bytes_.data());
  return mark != nullptr;
}

/// Over markers and scans, as far as there are bytes.
JpegSplitter::Step JpegSplitter::walk() {
  while (at_ + 1 < bytes_.size()) {
    if (in_scan_) {
      if (!find_mark()) return Step::more;
      if (at_ + 1 >= bytes_.size()) return Step::more;
      const auto after = std::to_integer<std::uint8_t>(bytes_[at_ + 1]);
      if (after == 0x00 || has_no_length(after)) {
        at_ += 2;
        continue;
      }
      if (after == 0xFF) {  // fill
        ++at_;
        continue;
      }
      in_scan_ = false;
    }
    if (bytes_[at_] != std::byte{0xFF}) return Step::broken;
    const auto marker = std::to_integer<std::uint8_t>(bytes_[at_ + 1]);
    if (marker == 0xFF) {  // fill
      ++at_;
    } else if (marker == kEndOfImage) {
      at_ += 2;
      return Step::found;
    } else if (has_no_length(marker)) {
      at_ += 2;
    } else if (marker == 0x00 || marker == kStartOfImage) {
      return Step::broken;
    } else if (const auto step = segment(marker); step != Step::found) {
      return step;
    }
  }
  return Step::more;
}

/// Over a marker with a length; `found`: it is all there, and sound.
JpegSplitter::Step JpegSplitter::segment(std::uint8_t marker) {
  if (at_ + 4 > bytes_.size()) return Step::more;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes_[at_ + i]); };
  const std::size_t length = (byte(2) << 8U) | byte(3);
  if (length < 2 || (width_ == 0 && at_ - taken_ > kHeadersBytesMax)) return Step::broken;
  if (at_ + 2 + length > bytes_.size()) return Step::more;
  if (is_start_of_frame(marker)) {
    if (length < 8 || width_ != 0) return Step::broken;
    height_ = (byte(5) << 8U) | byte(6);
    width_ = (byte(7) << 8U) | byte(8);
    if (width_ == 0 || height_ == 0 || width_ > kFrameSideMax || height_ > kFrameSideMax) {
      return Step::broken;
    }
  }
  if (marker == kStartOfScan) {
    if (width_ == 0) return Step::broken;
    in_scan_ = true;
  }
  at_ += 2 + length;
  return Step::found;
}

/// What began was no picture, or never ended. It is not looked at again: a thumbnail inside it is
/// no picture of the camera's.
void JpegSplitter::drop() {
  at_ = std::max(at_, taken_ + 2);
  taken_ = at_;
  in_picture_ = false;
}

std::optional<FoundJpeg> JpegSplitter::whole(std::span<const std::byte> bytes) {
  JpegSplitter splitter;
  splitter.feed(bytes);
  auto found = splitter.next();
  if (!found || found->bytes.data() != splitter.bytes_.data()) return std::nullopt;
  found->bytes = bytes.first(found->bytes.size());
  return found;
}

}  // namespace framefleet::producer
