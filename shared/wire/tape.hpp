#pragma once
// A MessagePack document read once, front to back, into a flat list of nodes that point into its
// bytes. Reading enforces the document's limits as it goes.
//
// Invariants of a Tape: it is complete and has nothing behind it; it is within its limits; every
// map's keys are text and no key is there twice. Nothing is allocated for a size that is only
// claimed: a node costs its document at least one byte.
// Threads: any. Errors: CodecError. Lifetime: a Tape points into the bytes it was read from.

#include "shared/base/result.hpp"
#include "shared/wire/codec.hpp"
#include "shared/wire/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace framefleet::wire {

struct Node {
  enum class Kind : std::uint8_t {
    nil,
    flag,
    positive,
    negative,
    real,
    text,
    bytes,
    list,
    map,
    other
  };

  Kind kind{Kind::nil};
  std::uint32_t count{0};  ///< text, bytes: length. list: items. map: pairs.
  std::uint32_t end{0};    ///< Index of the node after this one and all that is inside it.
  union {
    std::uint64_t positive{0};  ///< positive; flag: 0 or 1.
    std::int64_t negative;
    double real;
    const char* chars;  ///< text, bytes.
  };

  std::string_view view() const {
    return count == 0 ? std::string_view{} : std::string_view{chars, count};
  }
};

using Tape = std::vector<Node>;

/// Reads all of `bytes`. `what` begins the text of an error ("header", "task", "record").
Result<Tape, CodecError> read_tape(std::span<const std::byte> bytes, const DocumentLimits& limits,
                                   std::string_view what);

}  // namespace framefleet::wire
