#include "shared/security/digest.hpp"

#include "shared/security/sodium.hpp"

#include <sodium.h>

#include <array>

namespace framefleet::security {
namespace {

constexpr std::size_t kDigestBytes = 16;
static_assert(kDigestBytes >= crypto_generichash_BYTES_MIN);

/// BLAKE2b-128 of what is fed to it.
class Blake2b {
 public:
  Blake2b() {
    ensure_sodium();
    crypto_generichash_init(&state_, nullptr, 0, kDigestBytes);
  }
  void feed(const void* bytes, std::size_t count) {
    crypto_generichash_update(&state_, static_cast<const unsigned char*>(bytes), count);
  }
  std::array<unsigned char, kDigestBytes> finish() {
    std::array<unsigned char, kDigestBytes> digest{};
    crypto_generichash_final(&state_, digest.data(), digest.size());
    return digest;
  }

 private:
  crypto_generichash_state state_{};
};

}  // namespace

std::uint64_t source_hash(std::string_view name) {
  Blake2b hash;
  hash.feed(name.data(), name.size());
  const auto digest = hash.finish();
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < sizeof first; ++i) first = (first << 8U) | digest.at(i);
  return first;
}

std::string payload_digest(std::span<const std::span<const std::byte>> frames) {
  Blake2b hash;
  for (const auto frame : frames) hash.feed(frame.data(), frame.size());
  const auto digest = hash.finish();
  return std::string(digest.begin(), digest.end());
}

}  // namespace framefleet::security
