#pragma once
// Internal: Z85 (ZeroMQ RFC 32), in which keys are written: four bytes as five characters. Writes
// into memory of the caller's, so that no copy of a secret is left behind. Threads: any.

#include <span>
#include <string_view>

namespace framefleet::security {

/// Requires: bytes.size() is a multiple of four and text.size() five quarters of it.
void encode_z85(std::span<const unsigned char> bytes, std::span<char> text);
/// False for a character or a group that is none, or where the sizes do not fit.
bool decode_z85(std::string_view text, std::span<unsigned char> bytes);

}  // namespace framefleet::security
