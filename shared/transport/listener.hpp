#pragma once
// Internal: changing the guard at a door that stays open. libzmq ends the connections of a listener
// with the listener, so that a broker with a new key cannot just bind anew. Instead a second socket
// listens at the same address, and the kernel gives it every new connection; the first one keeps
// those it has. Linux alone knows this. Threads: any. Errors: words for people.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <string>

namespace framefleet::transport {

/// A socket that listens where the tcp socket `listener` does and gets all connections from now on.
/// `count`: how many listen there, this way, already.
Result<FileDescriptor, std::string> listen_beside(int listener, std::uint32_t count);

}  // namespace framefleet::transport
