#pragma once
// The simulated network: connections between clients and the broker, first in first out, with
// delays, losses and copies while it is faulty; a connection that is cut loses what is under way
// and says nothing to either side. What its client has hung up on still brings the broker what is
// under way to it, perhaps after what the next connection brings. Payloads travel as what they
// stand for.

#include "tests/simulation/agenda.hpp"

#include "shared/base/messages.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace framefleet::simulation {

/// What a payload stands for: enough to see mix-ups.
struct Content {
  TaskId task;
  bool is_result{false};
  LeaseId lease;  // of the hand-out that a result was made in
  friend bool operator==(const Content&, const Content&) = default;
};

/// The payloads one node holds. Ids are the node's own.
class PayloadShelf {
 public:
  PayloadId put(const Content& content) {
    const PayloadId id{++last_};
    held_.emplace(id, content);
    return id;
  }
  /// Null: it was let go too early, or never was there.
  const Content* find(PayloadId id) const {
    const auto position = held_.find(id);
    return position == held_.end() ? nullptr : &position->second;
  }
  bool release(PayloadId id) { return held_.erase(id) == 1; }
  std::size_t count() const { return held_.size(); }
  std::size_t count_of(const TaskId& task) const {
    return static_cast<std::size_t>(std::count_if(
        held_.begin(), held_.end(), [&](const auto& entry) { return entry.second.task == task; }));
  }

 private:
  std::uint64_t last_{0};
  std::map<PayloadId, Content> held_;
};

using ConnectionId = std::uint64_t;

/// A message under way, with the contents of its payloads in order.
struct Flight {
  ConnectionId connection{0};
  bool to_broker{true};
  Message message;
  std::vector<Content> contents;

  /// Puts the contents on the receiver's shelf; the message then carries the receiver's ids.
  void unpack(PayloadShelf& shelf);
};

struct NetworkFaults {
  double loss{0};
  double doubling{0};
};

class Network {
 public:
  using Arrive = std::function<void(Flight)>;

  Network(Agenda& agenda, NetworkFaults faults, Arrive arrive)
      : agenda_(agenda), faults_(faults), arrive_(std::move(arrive)) {}

  /// A connection from `client` to the broker of that incarnation; 0: nobody listens.
  ConnectionId dial(std::size_t client, std::uint32_t incarnation);
  void cut(ConnectionId id);
  /// By its client.
  void hang_up(ConnectionId id);
  void cut_all();
  /// Neither cut nor hung up on.
  bool is_open(ConnectionId id) const;
  /// False: what is under way there is gone.
  bool arrives(ConnectionId id, bool to_broker) const;
  void send(Flight flight);
  /// From now on nothing is lost, copied or late.
  void heal() { faulty_ = false; }

  std::size_t client_of(ConnectionId id) const { return connections_.at(id).client; }
  std::uint32_t incarnation_of(ConnectionId id) const { return connections_.at(id).incarnation; }
  std::uint64_t lost_count() const { return lost_; }

 private:
  struct Connection {
    std::size_t client{0};
    std::uint32_t incarnation{0};  // of the broker it leads to; 0: none was there
    bool cut{false};
    bool hung_up{false};
    Time last_arrival[2]{};  // per direction, to keep the order
  };
  void launch(Connection& connection, Flight flight);

  Agenda& agenda_;
  NetworkFaults faults_;
  Arrive arrive_;
  bool faulty_{true};
  std::map<ConnectionId, Connection> connections_;
  ConnectionId last_connection_{0};
  std::uint64_t lost_{0};
};

}  // namespace framefleet::simulation
