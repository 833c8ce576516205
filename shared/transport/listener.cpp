#include "shared/transport/listener.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace framefleet::transport {
namespace {

/// As many as libzmq has them wait.
constexpr int kBacklog = 100;

bool set_flag(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// Has the kernel choose the `index`th of the sockets that share an address, always.
bool steer_to(int fd, std::uint32_t index) {
  sock_filter answer{BPF_RET | BPF_K, 0, 0, index};
  const sock_fprog program{1, &answer};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

}  // namespace

Result<FileDescriptor, std::string> listen_beside(int listener, std::uint32_t count) {
  const auto failed = [](const char* what) {
    return fail(fmt::format("{}: {}", what, std::strerror(errno)));
  };
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = static_cast<sockaddr*>(static_cast<void*>(&storage));
  if (::getsockname(listener, address, &size) != 0) return failed("where it listens is not known");
  // Who binds the address without this flag, as every broker does, is refused as ever.
  if (!set_flag(listener, SOL_SOCKET, SO_REUSEPORT, 1)) return failed("the address is not shared");
  FileDescriptor beside{
      ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)};
  if (!beside) return failed("there is no socket");
  if (storage.ss_family == AF_INET6) {
    int only = 0;
    socklen_t only_size = sizeof only;
    if (::getsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &only, &only_size) != 0 ||
        !set_flag(beside.get(), IPPROTO_IPV6, IPV6_V6ONLY, only)) {
      return failed("the address cannot be taken over");
    }
  }
  const bool listens = set_flag(beside.get(), SOL_SOCKET, SO_REUSEADDR, 1) &&
                       set_flag(beside.get(), SOL_SOCKET, SO_REUSEPORT, 1) &&
                       ::bind(beside.get(), address, size) == 0 &&
                       ::listen(beside.get(), kBacklog) == 0;
  if (!listens) return failed("nobody else can listen there");
  if (!steer_to(beside.get(), count)) return failed("the kernel does not hand connections over");
  return beside;
}

}  // namespace framefleet::transport
