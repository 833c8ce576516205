#pragma once
// Who may do what: the public keys that a broker lets in, with the identity, the roles and the
// limits of each. It is the file `allowed.toml` of the broker's folder of keys:
//
//   [front-door]                      # the identity, which stays when the key is replaced
//   public = "…"                      # 40 characters of Z85
//   roles = ["producer"]              # producer, worker, sink, operator
//   tasks_per_second = 50             # limits: 0 is none
//
// Plain values, const once read. Invariants: no two entries have one identity or one key. Threads:
// any. Errors: 78 with FILE:LINE:COLUMN for each mistake, and then nothing of the file counts.

#include "shared/base/result.hpp"
#include "shared/config/option_set.hpp"
#include "shared/security/keys.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::access {

/// The files of a broker's folder of keys.
inline constexpr std::string_view kAllowListName = "allowed.toml";
inline constexpr std::string_view kBrokerKeyName = "broker.key";
/// Of one file.
inline constexpr std::size_t kEntriesMax = 4096;
inline constexpr std::size_t kIdentityBytesMax = 64;

/// What the owner of a key may be.
struct Roles {
  bool producer{false};
  bool worker{false};
  bool sink{false};
  bool operating{false};  ///< "operator": may look at the fleet and steer it.
  friend bool operator==(const Roles&, const Roles&) = default;
};

/// "producer", "worker", "sink", "operator".
const std::vector<std::string>& role_words();
/// Those of the roles, in that order.
std::vector<std::string> words_of(const Roles& roles);
/// Words that are none count for nothing.
Roles roles_of(const std::vector<std::string>& words);

/// What an identity may use, all its connections together. 0: no limit.
struct Limits {
  double tasks_per_second{0};
  std::uint64_t bytes_per_second{0};  ///< Of payloads.
  std::uint64_t unsettled_max{0};     ///< Tasks that are admitted and not settled.
  double backlog_share{0.5};          ///< Of the backlog's tasks and bytes and of the journal.
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Entry {
  std::string identity;
  security::PublicKey key;
  Roles roles;
  Limits limits;
};

class AllowList {
 public:
  AllowList() = default;
  /// Requires: identities and keys are unique.
  explicit AllowList(std::vector<Entry> entries);

  /// nullptr: it is not let in.
  const Entry* find(const security::PublicKey& key) const;
  const Entry* find(std::string_view identity) const;
  /// By key.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // sorted by key
};

/// Binds `roles` and an option for each limit, as the file has them. `roles`: words.
void add_right_options(config::Section section, std::vector<std::string>& roles, Limits& limits);

/// Whether a name can be an identity: 1 to 64 letters, digits and ._-
bool is_identity(std::string_view name);

Result<AllowList, Error> read_allow_list(const std::filesystem::path& file);

}  // namespace framefleet::access
