#include "cli/loopback_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace framefleet::cli {
Result<LoopbackPort, Error> LoopbackPort::reserve() {
  const auto unavailable = [](const char* step) {
    return fail(Error{
        .text = std::string("no free port on 127.0.0.1: ") + step + ": " + std::strerror(errno),
        .exit_code = exit_code::kUnavailable});
  };
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return unavailable("socket");
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return unavailable("setsockopt");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);  // The sockets interface asks for it.
  if (::bind(socket.get(), any, size) != 0) return unavailable("bind");
  if (::getsockname(socket.get(), any, &size) != 0) return unavailable("getsockname");
  return LoopbackPort(std::move(socket), ntohs(address.sin_port));
}

}  // namespace framefleet::cli
