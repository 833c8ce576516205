#pragma once
// The payload frames a process holds, by the ids its core knows them under. Threads: one.

#include "shared/base/messages.hpp"
#include "shared/transport/frame.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace framefleet::transport {

class PayloadStore {
 public:
  /// Keeps the frames until release(). No frames: Payload{} (id 0), nothing is kept.
  Payload put(std::vector<Frame> frames);
  /// Empty for id 0. Requires: the id is held.
  std::span<const Frame> frames(PayloadId id) const;
  void release(PayloadId id);

  std::uint64_t count() const { return held_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::unordered_map<PayloadId, std::vector<Frame>> held_;
  std::uint64_t last_id_{0};
  std::uint64_t bytes_{0};
};

}  // namespace framefleet::transport
