#include "shared/transport/bind_address.hpp"

#include "shared/transport/address.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace framefleet::transport {
namespace {

bool is_loopback(const std::string& endpoint) {
  return endpoint.starts_with("tcp://127.") || endpoint.starts_with("tcp://localhost:") ||
         endpoint.starts_with("tcp://[::1]:");
}

/// Whether a socket at this path has somebody who accepts connections.
bool is_served(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  // EAGAIN: it is there and has too many connections waiting.
  const bool served = ::connect(probe, generic, sizeof address) == 0 || errno == EAGAIN;
  ::close(probe);
  return served;
}

/// libzmq removes whatever has the path of an ipc address before it binds: a second broker would
/// take the address from the first one without a word, and a file would be lost. Only a dead socket
/// may go.
Result<void, Error> check_path(const std::string& endpoint) {
  constexpr std::string_view kScheme = "ipc://";
  if (!endpoint.starts_with(kScheme)) return {};
  const std::string path = endpoint.substr(kScheme.size());
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) {
    return fail(
        Error{fmt::format("cannot bind {}: {} is there and is no socket; choose another path",
                          endpoint, path),
              exit_code::kUnavailable});
  }
  if (!is_served(path)) return {};
  return fail(
      Error{fmt::format("cannot bind {}: Address already in use (is another broker running? "
                        "choose another address)",
                        endpoint),
            exit_code::kUnavailable});
}

}  // namespace

Result<void, Error> check_bindable(const std::string& endpoint, bool may_be_open) {
  if (const auto fault = fault_of_address(endpoint); !fault.empty()) {
    return fail(
        Error{fmt::format("'{}' is no address to bind: {}", endpoint, fault), exit_code::kConfig});
  }
  if (endpoint.starts_with("ipc://")) return check_path(endpoint);
  if (may_be_open || is_loopback(endpoint)) return {};
  return fail(Error{fmt::format("'{}' is not a loopback address, and without keys its connections "
                                "are neither encrypted nor authenticated: give --keys DIR (docs/"
                                "OPERATIONS.md, \"Keys\"), or bind tcp://127.0.0.1 or ipc://, or "
                                "give --insecure if the network is yours alone",
                                endpoint),
                    exit_code::kConfig});
}

std::string bindable(const std::string& endpoint) {
  constexpr std::string_view kLocal = "tcp://localhost:";
  if (!endpoint.starts_with(kLocal)) return endpoint;
  return "tcp://127.0.0.1:" + endpoint.substr(kLocal.size());
}

std::string spelled_plainly(const std::string& endpoint) {
  constexpr std::string_view kMapped = "tcp://[::ffff:";
  const auto close = endpoint.find(']');
  if (!endpoint.starts_with(kMapped) || close == std::string::npos) return endpoint;
  return "tcp://" + endpoint.substr(kMapped.size(), close - kMapped.size()) +
         endpoint.substr(close + 1);
}

}  // namespace framefleet::transport
