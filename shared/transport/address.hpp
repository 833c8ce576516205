#pragma once
// Internal: what is wrong with an address that libzmq would take nevertheless (it reads the port
// 99999 as 34463). Threads: any.

#include <string>

namespace framefleet::transport {

/// "" for tcp://HOST:PORT (PORT up to 65535, or *) and ipc://PATH (up to 107 bytes); else what such
/// an address is, for people.
std::string fault_of_address(const std::string& endpoint);

}  // namespace framefleet::transport
