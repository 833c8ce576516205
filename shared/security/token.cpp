#include "shared/security/token.hpp"

#include "shared/security/sodium.hpp"

#include <sodium.h>

#include <cstring>
#include <tuple>

namespace framefleet::security {

static_assert(std::tuple_size_v<TokenMint::Key> == crypto_generichash_KEYBYTES);
static_assert(TokenMint::kTokenBytes >= crypto_generichash_BYTES_MIN);

TokenMint::TokenMint() {
  ensure_sodium();
  randombytes_buf(key_.data(), key_.size());
}

std::string TokenMint::mint(const TaskId& id, const LeaseId& lease,
                            std::string_view worker_name) const {
  const auto token = token_of(id, lease, worker_name);
  return std::string(token.begin(), token.end());
}

TokenMint::Token TokenMint::token_of(const TaskId& id, const LeaseId& lease,
                                     std::string_view worker_name) const {
  // The numbers have one length each and the name is the rest: no two triples read alike.
  std::array<unsigned char, 34> numbers{};
  auto* at = numbers.data();
  const auto put = [&at](const auto& number) {
    std::memcpy(at, &number, sizeof number);
    at += sizeof number;
  };
  put(id.source);
  put(id.epoch);
  put(id.sequence);
  put(id.part);
  put(lease.incarnation);
  put(lease.counter);
  static_assert(sizeof id.source + sizeof id.epoch + sizeof id.sequence + sizeof id.part +
                    sizeof lease.incarnation + sizeof lease.counter ==
                sizeof numbers);

  crypto_generichash_state state;
  crypto_generichash_init(&state, key_.data(), key_.size(), kTokenBytes);
  crypto_generichash_update(&state, numbers.data(), numbers.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(worker_name.data()),
                            worker_name.size());
  Token token{};
  crypto_generichash_final(&state, token.data(), token.size());
  return token;
}

bool TokenMint::verify(std::string_view token, const TaskId& id, const LeaseId& lease,
                       std::string_view worker_name) const {
  if (token.size() != kTokenBytes) return false;
  const auto expected = token_of(id, lease, worker_name);
  return sodium_memcmp(token.data(), expected.data(), kTokenBytes) == 0;
}

}  // namespace framefleet::security
