#pragma once
// Packets over a SOCK_SEQPACKET socket between worker, zygote and children: bytes, and open files
// beside them (SCM_RIGHTS). What comes in is capped before memory is taken; files nobody asked for
// are closed by the kernel and break the conversation.

#include "shared/base/file_descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framefleet {

/// A task description (8 KiB) or the names of 64 detectors fit several times.
inline constexpr std::size_t kPacketBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kPacketFilesMax = 2;

enum class Wait : std::uint8_t { no, yes };

struct Packet {
  std::string bytes;
  std::vector<FileDescriptor> files;
};

enum class Heard : std::uint8_t {
  packet,
  nothing,  ///< Now; only where the caller does not wait.
  closed,   ///< The other end is gone, or what it sent is no packet of ours.
};

/// The two ends of a new conversation; both are closed at exec. Two empty ones where the system
/// has no descriptors left.
std::pair<FileDescriptor, FileDescriptor> packet_sockets();

/// False: the other end is gone, or (Wait::no) does not read. Requires: both caps are kept.
[[nodiscard]] bool send_packet(int socket, std::string_view bytes, std::span<const int> files,
                               Wait wait);

/// `files_max`: how many files the caller is ready to be given, 0 to kPacketFilesMax.
Heard receive_packet(int socket, std::size_t files_max, Wait wait, Packet& out);

}  // namespace framefleet
