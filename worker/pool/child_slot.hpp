#pragma once
// What a pool knows of one of its child processes, and of the place that child fills. No thread, no
// clock: the pool says what time it is.

#include "worker/pool/child_end.hpp"
#include "worker/pool/child_wire.hpp"
#include "worker/pool/open_order.hpp"

#include "shared/base/file_descriptor.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace framefleet::worker {

struct Child {
  enum class State : std::uint8_t { starting, idle, busy, ending };

  /// Ready for orders, or busy with one.
  bool able() const { return state == State::idle || state == State::busy; }
  /// Ends it, as soon as there is a pidfd to do it with. The first `why` counts; none: whatever its
  /// status will say.
  void kill(std::optional<ChildEnd> why);

  std::uint64_t serial{0};
  State state{State::starting};
  pid_t pid{0};
  /// When it was asked for, then when it was born: what its start is measured from.
  OpenOrder::Clock::time_point starts_at;
  std::optional<OpenOrder::Clock::time_point> ends_at;  ///< When the pool saw that it was killed.
  FileDescriptor pidfd;                                 ///< None until the zygote has said Born.
  FileDescriptor link;                                  ///< Closed once it has nothing more to say.
  FileDescriptor answers;
  std::optional<OpenOrder> order;
  std::optional<ChildEnd> end;  ///< Why the pool killed it.
  Vitals vitals;
  std::uint64_t memory{0};  ///< Bytes, by memory_share(); 0: not looked at yet.
};

struct ChildSlot {
  using Clock = OpenOrder::Clock;

  /// The child is gone, or could not be born: the next one waits, the longer the more of them have
  /// gone without a good answer in between.
  void lost(Clock::time_point now);

  std::optional<Child> child;
  std::uint32_t ends{0};      ///< Since the last good answer.
  Clock::time_point bear_at;  ///< The next child; while there is none.
};

/// Before the next child (or zygote), when `ends` of them have gone without a good answer: none
/// after the first, 10 ms after the second, doubling to 1 s.
Duration pause_after(std::uint32_t ends);

/// Of the order that `child` has finished, from what it says and wrote. An error with the reason
/// child_crashed says how the child broke its protocol.
Result<Worked, WorkError> read_result(const Child& child, const Finished& finished);

}  // namespace framefleet::worker
