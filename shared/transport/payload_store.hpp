#pragma once
// The payload frames a process holds, by the ids its core knows them under. Threads: one.

#include "shared/base/messages.hpp"
#include "shared/transport/frame.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace framefleet::transport {

class PayloadStore {
 public:
  /// Keeps the frames until release(). No frames: Payload{} (id 0), nothing is kept.
  Payload put(std::vector<Frame> frames);
  Payload put(Frame frame);
  /// Empty for id 0. Requires: the id is held. Good until it is released.
  std::span<const Frame> frames(PayloadId id) const;
  void release(PayloadId id);

  std::uint64_t count() const { return count_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Number = std::uint32_t;
  /// Nothing but the number of the next one that is free (0: none), or what is held: most payloads
  /// are one frame, which needs no list of its own.
  using Held = std::variant<Number, Frame, std::unique_ptr<const std::vector<Frame>>>;
  struct Slot {
    Held held;
    std::uint32_t uses{0};  ///< So far: part of the id, so that none comes back soon.
  };

  PayloadId keep(Held held);
  static PayloadId id_of(Number number, const Slot& slot);
  static std::span<const Frame> frames_of(const Slot& slot);
  const Slot& slot_at(PayloadId id) const;

  std::deque<Slot> slots_;  // slot n is slots_[n - 1]
  Number free_{0};          // the number of one that is free; 0: none
  std::uint64_t count_{0};
  std::uint64_t bytes_{0};
};

}  // namespace framefleet::transport
