#include "shared/transport/address.hpp"

#include <sys/un.h>

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace framefleet::transport {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";
/// One byte is the zero at its end.
constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

bool is_port(std::string_view text) {
  if (text == "*") return true;
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stop == end;
}

}  // namespace

std::string fault_of_address(const std::string& endpoint) {
  if (endpoint.starts_with(kIpc)) {
    const std::size_t path_bytes = endpoint.size() - kIpc.size();
    if (path_bytes > 0 && path_bytes <= kPathBytesMax) return {};
    return "after ipc:// comes a path of at most " + std::to_string(kPathBytesMax) + " bytes";
  }
  if (!endpoint.starts_with(kTcp)) return "it begins with tcp:// or ipc://";
  const auto colon = endpoint.rfind(':');
  if (colon > kTcp.size() && is_port(std::string_view{endpoint}.substr(colon + 1))) return {};
  return "after tcp:// come an address, a colon and a port up to 65535";
}

}  // namespace framefleet::transport
