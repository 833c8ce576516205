#pragma once
// How a field may look on the wire. A `fields` template (fields_*.hpp) names each key of a message
// once, with its value and its rule; Reader and Writer both walk it, so the two directions cannot
// drift apart.
//
//   template <class V, Of<Nack> M>
//   void fields(V& v, M& m) {
//     v.must("id", m.id);                // required
//     v.may("text", m.text, Prose{});    // optional: absent means T{}; T{} is not written
//   }
//
// Invariants: a key is once in a `fields`; the default of an optional key is its type's T{}.

#include "shared/wire/limits.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace framefleet::wire {

/// M is T, const for the writer.
template <class M, class T>
concept Of = std::same_as<std::remove_const_t<M>, T>;

/// The type says it all: ids as their printed text, leases as [incarnation, counter], versions as
/// [min, max], enums as their words, boxes as [x, y, width, height], structs as maps of their
/// fields.
struct Plain {};

/// UTF-8 text that stands for something; refused when longer.
struct Text {
  std::size_t bytes_max{kNameBytesMax};
  std::size_t bytes_min{0};
};

/// UTF-8 text for people; the writer cuts what is longer, the reader refuses it.
struct Prose {
  std::size_t bytes_max{kTextBytesMax};
};

/// Lower-case letters, digits, '-' and '_', at least one: safe as the name of a file or folder.
struct Slug {};

/// Opaque bytes (MessagePack bin).
struct Bytes {
  std::size_t bytes_max;
  std::size_t bytes_min{0};
};

/// An integer.
struct Range {
  std::uint64_t max{kCountMax};
  std::uint64_t min{0};
};

/// Of the wire, a description or a record; 0 stands for none and never travels.
inline constexpr Range kVersion{0xFFFF, 1};

/// Payload frames of one entry.
inline constexpr Range kFrames{kPayloadFramesMax};

/// The number of a question, chosen by whoever asks: any 64 bits.
inline constexpr Range kAsker{std::numeric_limits<std::uint64_t>::max()};

/// Durations from 0 to kDurationMax, as integers, rounded up: what is not nothing never becomes 0.
struct Millis {};
struct Micros {};

/// A list; where no count is given the elements of the whole document are the limit.
template <class Item = Plain>
struct ListOf {
  std::size_t count_max{std::numeric_limits<std::uint32_t>::max()};
  Item item{};
};

/// A list that the reader sorts and frees of repeats.
template <class Item>
struct SetOf {
  std::size_t count_max;
  Item item{};
  std::size_t count_min{0};
};

}  // namespace framefleet::wire
