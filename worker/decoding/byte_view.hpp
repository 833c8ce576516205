#pragma once
// Bounds-checked reading of bytes that nobody vouches for. A read over the end gives 0 and a slice
// is cut to what is there, so that no parser can be walked out of its buffer; has() tells the
// difference.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace framefleet::worker {

class ByteView {
 public:
  ByteView() = default;
  explicit ByteView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }
  bool has(std::size_t at, std::size_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }

  std::uint8_t u8(std::size_t at) const {
    return at < bytes_.size() ? std::to_integer<std::uint8_t>(bytes_[at]) : std::uint8_t{0};
  }
  std::uint32_t be16(std::size_t at) const { return big(at, 2); }
  std::uint32_t be32(std::size_t at) const { return big(at, 4); }
  std::uint32_t le16(std::size_t at) const { return little(at, 2); }
  std::uint32_t le24(std::size_t at) const { return little(at, 3); }
  std::uint32_t le32(std::size_t at) const { return little(at, 4); }

  bool holds(std::size_t at, std::string_view text) const {
    return has(at, text.size()) && std::memcmp(bytes_.data() + at, text.data(), text.size()) == 0;
  }
  /// Where `value` is next at or after `from`; size() where it is not.
  std::size_t find(std::uint8_t value, std::size_t from) const {
    if (from >= size()) return size();
    const void* found = std::memchr(bytes_.data() + from, value, size() - from);
    if (found == nullptr) return size();
    return static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes_.data());
  }
  /// Requires: has(at, count).
  void copy(std::size_t at, void* to, std::size_t count) const {
    if (count > 0) std::memcpy(to, bytes_.data() + at, count);
  }
  ByteView slice(std::size_t at, std::size_t count) const {
    if (at >= size()) return {};
    return ByteView(bytes_.subspan(at, std::min(count, size() - at)));
  }

 private:
  std::uint32_t big(std::size_t at, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = (value << 8U) | u8(at + i);
    return value;
  }
  std::uint32_t little(std::size_t at, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t i = count; i > 0; --i) value = (value << 8U) | u8(at + i - 1);
    return value;
  }

  std::span<const std::byte> bytes_;
};

}  // namespace framefleet::worker
