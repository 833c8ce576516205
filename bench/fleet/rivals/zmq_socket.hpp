#pragma once
// Internal: what the rivals made of bare ZeroMQ sockets share. Threads: the socket's.

#include "shared/base/time.hpp"

#include <fmt/format.h>
#include <zmq.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "bench/fleet/rival.hpp"

namespace framefleet::bench {

inline std::string zmq_endpoint(const Place& place, std::uint16_t port, const char* socket) {
  if (place.tcp) return fmt::format("tcp://127.0.0.1:{}", port);
  return fmt::format("ipc://{}/{}", place.folder.string(), socket);
}

/// The socket itself; `wake_fd` (-1: none) ends the wait.
inline bool wait_readable(zmq::socket_t& socket, Duration wait, int wake_fd = -1) {
  std::array<zmq::pollitem_t, 2> items{zmq::pollitem_t{socket.handle(), 0, ZMQ_POLLIN, 0},
                                       zmq::pollitem_t{nullptr, wake_fd, ZMQ_POLLIN, 0}};
  zmq::poll(items.data(), wake_fd < 0 ? 1 : 2,
            std::chrono::milliseconds(std::max<std::int64_t>(0, ceil_ms(wait))));
  return (items[0].revents & ZMQ_POLLIN) != 0;
}

/// Of messages of one part; at most a batch of them. How many there were.
template <typename Each>
std::uint64_t for_each_waiting(zmq::socket_t& socket, Duration wait, const Each& each) {
  constexpr std::uint64_t kBatch = 256;
  std::uint64_t count = 0;
  zmq::message_t message;
  while (count < kBatch && socket.recv(message, zmq::recv_flags::dontwait)) {
    each(message);
    ++count;
  }
  if (count > 0 || !wait_readable(socket, wait)) return count;
  return for_each_waiting(socket, Duration::zero(), each);
}

}  // namespace framefleet::bench
