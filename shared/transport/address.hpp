#pragma once
// Internal: what is wrong with an address that libzmq would take nevertheless (it reads the port
// 99999 as 34463), and who sits at the other end of one. Threads: any.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace framefleet::transport {

/// "" for tcp://HOST:PORT (PORT up to 65535, or *) and ipc://PATH (up to 107 bytes); else what such
/// an address is, for people.
std::string fault_of_address(const std::string& endpoint);

/// The same for an address to connect to, whose host libzmq must take for a name or a number.
std::string fault_of_peer_address(const std::string& endpoint);

/// The user id in libzmq's word for the other end of an ipc connection, "<host>:<uid>:<gid>:<pid>".
/// Nothing for the addresses of tcp peers: one of IPv6 with three colons has an empty group.
std::optional<std::uint32_t> user_of_peer(std::string_view peer_address);

}  // namespace framefleet::transport
