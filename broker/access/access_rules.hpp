#pragma once
// Who may say what: a message against the roles of its sender, asked for every message.
//
// What only a broker says is nobody's to say; the dispatcher, which knows what a peer called
// itself, turns that away, as it does a producer's `result`. Pure. Threads: any.

#include "shared/access/allow_list.hpp"
#include "shared/base/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace framefleet::broker {

/// Who sends, as far as the rules care.
struct Standing {
  access::Roles roles;
  /// Of the sender's key, in the allow-list; "": it came without one.
  std::string_view identity;
};

/// Of a peer without a key: it may be what it likes, but operating is for the broker's own user.
Standing standing_without_key(bool own_user);

/// Why the message may not be said, for people; nothing: it may. Operators also submit, to revive
/// dead letters, and that alone.
std::optional<std::string> denial_of(const Message& message, const Standing& sender);

}  // namespace framefleet::broker
