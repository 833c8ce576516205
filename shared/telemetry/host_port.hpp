#pragma once
// "HOST:PORT" and "[IPV6]:PORT", as options and arguments name an HTTP window. Threads: any.

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::telemetry {

struct HostPort {
  std::string host;  ///< Never empty; of IPv6 without the brackets.
  std::uint16_t port{0};
};

/// Nothing where it is neither form.
std::optional<HostPort> parse_host_port(const std::string& text);

}  // namespace framefleet::telemetry
