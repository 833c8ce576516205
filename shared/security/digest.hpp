#pragma once
// The two digests of the protocol: of a source's name and of a task's payload. Both are BLAKE2b-128
// without a key, so any client can compute them (Python: hashlib.blake2b(x, digest_size=16)).
// Threads: any. Errors: none.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::security {

/// First 8 bytes, big-endian, of the digest of `name`: TaskId::source.
std::uint64_t source_hash(std::string_view name);

/// Digest (16 raw bytes) of all frames one after the other: SubmittedTask::digest.
std::string payload_digest(std::span<const std::span<const std::byte>> frames);

}  // namespace framefleet::security
