#include "shared/security/token.hpp"

#include "shared/security/sodium.hpp"

#include <sodium.h>

#include <tuple>

namespace framefleet::security {

static_assert(std::tuple_size_v<TokenMint::Key> == crypto_auth_hmacsha256_KEYBYTES);
static_assert(TokenMint::kTokenBytes <= crypto_auth_hmacsha256_BYTES);

TokenMint::TokenMint() {
  ensure_sodium();
  randombytes_buf(key_.data(), key_.size());
}

std::string TokenMint::mint(const TaskId& id, const LeaseId& lease,
                            std::string_view worker_name) const {
  // The parts are joined by '/', which the first two cannot contain: no two triples read alike.
  std::string text = to_string(id);
  text += '/';
  text += std::to_string(lease.incarnation) + '.' + std::to_string(lease.counter);
  text += '/';
  text += worker_name;

  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256(mac.data(), reinterpret_cast<const unsigned char*>(text.data()),
                         text.size(), key_.data());
  return std::string(mac.begin(), mac.begin() + kTokenBytes);
}

bool TokenMint::verify(std::string_view token, const TaskId& id, const LeaseId& lease,
                       std::string_view worker_name) const {
  if (token.size() != kTokenBytes) return false;
  const auto expected = mint(id, lease, worker_name);
  return sodium_memcmp(token.data(), expected.data(), kTokenBytes) == 0;
}

}  // namespace framefleet::security
