#pragma once
// Internal: what is checked of an address before it is bound, and how libzmq and people spell it.
// Threads: any. Errors: 78 for an address that is none or not allowed, 69 for one in use.

#include "shared/base/result.hpp"

#include <string>

namespace framefleet::transport {

/// `may_be_open`: also tcp addresses that are not loopback. libzmq removes whatever has the path of
/// an ipc address before it binds: a second broker would take the address from the first one
/// without a word, and a file would be lost. Only a dead socket may go.
Result<void, Error> check_bindable(const std::string& endpoint, bool may_be_open);

/// libzmq resolves no names for addresses that it binds.
std::string bindable(const std::string& endpoint);

/// With IPv6 on, libzmq spells an IPv4 address as [::ffff:127.0.0.1], which nobody would type.
std::string spelled_plainly(const std::string& endpoint);

}  // namespace framefleet::transport
