#include "shared/processes/packet.hpp"

#include "shared/base/assert.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace framefleet {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * kPacketFilesMax);

std::vector<FileDescriptor> files_of(msghdr& message) {
  std::vector<FileDescriptor> files;
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(each) + i * sizeof(int), sizeof fd);
      files.emplace_back(fd);
    }
  }
  return files;
}

}  // namespace

std::pair<FileDescriptor, FileDescriptor> packet_sockets() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

bool send_packet(int socket, std::string_view bytes, std::span<const int> files, Wait wait) {
  FRAMEFLEET_ASSERT(!bytes.empty() && bytes.size() <= kPacketBytesMax);
  FRAMEFLEET_ASSERT(files.size() <= kPacketFilesMax);
  iovec content{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (!files.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(files.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(rights), files.data(), files.size_bytes());
  }
  const int flags = MSG_NOSIGNAL | (wait == Wait::no ? MSG_DONTWAIT : 0);
  while (true) {
    const auto sent = ::sendmsg(socket, &message, flags);
    if (sent >= 0) return static_cast<std::size_t>(sent) == bytes.size();
    if (errno != EINTR) return false;
  }
}

Heard receive_packet(int socket, std::size_t files_max, Wait wait, Packet& out) {
  FRAMEFLEET_ASSERT(files_max <= kPacketFilesMax);
  out.files.clear();
  out.bytes.resize(kPacketBytesMax);
  iovec content{out.bytes.data(), out.bytes.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (files_max > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(files_max * sizeof(int));
  }
  const int flags = MSG_CMSG_CLOEXEC | (wait == Wait::no ? MSG_DONTWAIT : 0);
  while (true) {
    const auto got = ::recvmsg(socket, &message, flags);
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Heard::nothing : Heard::closed;
    }
    out.files = files_of(message);
    if (got == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Heard::closed;
    out.bytes.resize(static_cast<std::size_t>(got));
    return Heard::packet;
  }
}

}  // namespace framefleet
