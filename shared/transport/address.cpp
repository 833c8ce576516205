#include "shared/transport/address.hpp"

#include <sys/un.h>

#include <algorithm>
#include <array>
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

std::string fault_of_peer_address(const std::string& endpoint) {
  if (auto fault = fault_of_address(endpoint); !fault.empty() || endpoint.starts_with(kIpc)) {
    return fault;
  }
  const auto colon = endpoint.rfind(':');
  const auto port = std::string_view{endpoint}.substr(colon + 1);
  const auto host = std::string_view{endpoint}.substr(kTcp.size(), colon - kTcp.size());
  constexpr std::string_view kPunctuation = ".-:%[]_";
  const bool is_host = std::all_of(host.begin(), host.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
  if (is_host && port != "*" && port != "0") return {};
  return "after tcp:// come the name or number of a host, a colon and a port from 1 to 65535";
}

std::optional<std::uint32_t> user_of_peer(std::string_view peer_address) {
  std::array<std::uint32_t, 3> user_group_process{};
  for (std::size_t i = user_group_process.size(); i-- > 0;) {
    const auto colon = peer_address.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto text = peer_address.substr(colon + 1);
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, user_group_process.at(i));
    if (error != std::errc{} || stop != end) return std::nullopt;
    peer_address = peer_address.substr(0, colon);
  }
  if (peer_address.find(':') != std::string_view::npos) return std::nullopt;
  return user_group_process.front();
}

}  // namespace framefleet::transport
