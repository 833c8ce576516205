#pragma once
// Many connections to one broker in one process: of each the socket that a peer's channel has
// (shared/transport/channel.hpp), for all of them one I/O thread and one wait. Cost is that of
// lines on which something happens, whatever their number.
//
// Threads: one. Errors: throws std::runtime_error where the broker breaks the protocol or no
// descriptor is left; whoever opens many makes sure of those before.

#include "shared/base/messages.hpp"
#include "shared/base/time.hpp"
#include "shared/transport/payload_store.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::bench {

class Switchboard {
 public:
  /// `count` lines, none of them dialled. `wake_fd`: ends a wait as well.
  Switchboard(std::string endpoint, std::size_t count, int wake_fd);
  ~Switchboard();
  Switchboard(const Switchboard&) = delete;
  Switchboard& operator=(const Switchboard&) = delete;

  /// One connection, used as a Channel is.
  class Line {
   public:
    void dial();
    void hang_up();
    void send(const Message& message);
    transport::PayloadStore& payloads();

   private:
    friend class Switchboard;
    Line(Switchboard& board, std::size_t number) : board_(board), number_(number) {}
    Switchboard& board_;
    std::size_t number_;
  };
  Line line(std::size_t number) { return {*this, number}; }

  /// The lines on which something may have come. Requires: what came on each is taken before the
  /// next wait, until there is nothing more.
  std::vector<std::size_t> wait(Duration timeout);
  std::optional<Message> receive(std::size_t number);
  transport::PayloadStore& payloads();

  /// Descriptors that so many lines take, with what a process has besides.
  static std::uint64_t descriptors_for(std::uint64_t count) { return 2 * count + 64; }

 private:
  class Sockets;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace framefleet::bench
