#pragma once
// A fuzzer's bytes as a row of decisions. Mutating the bytes changes decisions, so a target that
// asks for them makes well-formed things of an odd kind instead of noise.
//
// Invariants: what is asked for beyond the end is 0, so every recipe ends. Threads: one.

#include <cstddef>
#include <cstdint>
#include <span>

namespace framefleet::test {

class Recipe {
 public:
  explicit Recipe(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return value;
  }
  /// 0 to `count` - 1. Requires: 0 < count <= 256.
  std::size_t pick(std::size_t count) { return byte() % count; }
  /// One of `all`.
  template <class List>
  const auto& one_of(const List& all) {
    return all[pick(std::size(all))];
  }
  /// True for one byte in `count`; false at the end.
  bool one_in(std::size_t count) { return pick(count) == count - 1; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace framefleet::test
