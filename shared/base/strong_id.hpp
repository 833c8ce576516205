#pragma once
// An integer that cannot be mistaken for another one: StrongId<struct PeerTag> is not
// StrongId<struct PayloadTag>, and neither is an int.

#include <compare>
#include <cstdint>
#include <functional>

namespace framefleet {

template <class Tag, class Rep = std::uint64_t>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  /// Ids start at 1; 0 stands for "none".
  constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Rep value_{0};
};

/// A connection as one process sees it. Never travels.
using PeerId = StrongId<struct PeerTag>;
/// The payload frames of one task, kept by the shell that received them. Never travels.
using PayloadId = StrongId<struct PayloadTag>;

}  // namespace framefleet

template <class Tag, class Rep>
struct std::hash<framefleet::StrongId<Tag, Rep>> {
  std::size_t operator()(framefleet::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
