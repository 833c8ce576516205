#pragma once
// The simulated network: connections between clients and the broker, first in first out, with delays;
// a connection that is cut loses what is under way and says nothing to either side.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "shared/base/messages.hpp"

namespace framefleet::simulation {

/// What a payload stands for: enough to see mix-ups.
struct Content {
  TaskId task;
  bool is_result{false};
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
};

struct Connection {
  std::size_t client{0};
  std::uint32_t incarnation{0};  // of the broker it leads to; 0: none was there
  bool cut{false};
  Time last_arrival[2]{};  // per direction, to keep the order
};

}  // namespace framefleet::simulation
