#pragma once
// Documents: maps that begin with their version, and are kept or travel inside messages. Used by
// the codecs alone. Threads: any; there is no state.

#include "shared/wire/codec.hpp"
#include "shared/wire/reader.hpp"
#include "shared/wire/writer.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::wire {

/// One map of `value`'s fields behind its version.
template <class T>
Result<std::string, CodecError> encode_document(const T& value, std::string_view name,
                                                std::uint16_t version,
                                                const DocumentLimits& limits) {
  Trail trail(name);
  Writer writer(trail, limits);
  writer.map([&] {
    writer.must("version", version, kVersion);
    fields(writer, value);
  });
  auto bytes = writer.finish();
  if (trail.failed()) return fail(trail.take_error());
  return bytes;
}

template <class T>
Result<T, CodecError> decode_document(std::span<const std::byte> bytes, std::string_view name,
                                      VersionRange versions, const DocumentLimits& limits) {
  const auto tape = read_tape(bytes, limits, name);
  if (!tape) return fail(tape.error());
  Trail trail(name);
  Reader reader(trail, *tape);
  std::uint16_t version = 0;
  reader.must("version", version, Range{});
  if (!trail.failed() && (version < versions.min || version > versions.max)) {
    trail.fail(
        fmt::format("version {}, this build reads {} to {}", version, versions.min, versions.max),
        CodecError::Kind::unknown_version);
  }
  T value;
  if (!trail.failed()) fields(reader, value);
  if (trail.failed()) return fail(trail.take_error());
  return value;
}

}  // namespace framefleet::wire
