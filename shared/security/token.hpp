#pragma once
// The proof that a lease was given to this worker: a broker puts a token into every assignment and
// checks it when the result comes back, so that no peer can close another one's lease.
//
// Invariant: the key never leaves the object except through key(), which is for the journal alone.
// Threads: const after construction. Errors: none; a wrong token is `false`.

#include "shared/base/task_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace framefleet::security {

class TokenMint {
 public:
  using Key = std::array<unsigned char, 32>;
  static constexpr std::size_t kTokenBytes = 16;

  /// With a new random key: tokens of an earlier mint are refused.
  TokenMint();
  /// With the key of an earlier incarnation: its tokens stay good.
  explicit TokenMint(const Key& key) : key_(key) {}

  /// 16 raw bytes: keyed BLAKE2b over id, lease and name. Made and checked for every task; an HMAC
  /// of SHA-256 took five times as long.
  std::string mint(const TaskId& id, const LeaseId& lease, std::string_view worker_name) const;
  /// True if `token` is what mint() gives for these; takes the same time wherever it differs.
  bool verify(std::string_view token, const TaskId& id, const LeaseId& lease,
              std::string_view worker_name) const;

  const Key& key() const { return key_; }

 private:
  using Token = std::array<unsigned char, kTokenBytes>;
  Token token_of(const TaskId& id, const LeaseId& lease, std::string_view worker_name) const;

  Key key_{};
};

}  // namespace framefleet::security
