#pragma once
// What the dispatcher remembers of its peers, and what they wait for.

#include "broker/core/effects.hpp"
#include "broker/core/quotas.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace framefleet::broker {

/// Somebody who was welcomed.
struct Peer {
  Hello hello;
  Quota* quota{nullptr};  // of its identity; null: it came without a key
  Time heard_at{};
  Time sources_at{};       // when it said what its hello now holds of its sources
  std::uint64_t tasks{0};  // of its sources, ready, delayed or leased
  std::uint64_t bytes{0};
};

/// A question of a producer to the sink, or our own about what came from the journal.
struct PendingAsk {
  PeerId asker;  // none: we
  std::vector<TaskId> tasks;
  Time answer_by{kNever};  // set once a sink has been asked
};

/// Answers that wait for the journal. A piece of news gets the next number, and is on the disk once
/// that is written.
class UnwrittenAnswers {
 public:
  std::uint64_t given() const { return given_; }
  std::uint64_t written() const { return written_; }
  bool empty() const { return waiting_.empty(); }
  /// How many tasks' answers wait for a peer.
  std::uint64_t waiting_of(PeerId peer) const;
  void keep(PeerId peer, Message message);
  /// Everything up to `number` is on the disk: what waited for it goes out.
  void release(std::uint64_t number, Effects& out);
  void forget(PeerId peer);
  /// Of what is asked again and again while the disk is full, one answer waits.
  void leave_out_waiting(PeerId peer, Admitted& answer) const;

 private:
  struct Waiting {
    std::uint64_t number{0};
    PeerId peer;
    Message message;
  };
  void count_down(const Waiting& answer);

  std::deque<Waiting> waiting_;            // by number
  std::map<PeerId, std::uint64_t> tasks_;  // in waiting_; none of a peer: it is not in here
  std::uint64_t given_{0};
  std::uint64_t written_{0};
};

/// The answers to one submit: what memory alone has, and what a journal will have.
struct SubmitAnswers {
  Admitted in_memory;
  Admitted once_written;
  bool again{false};  ///< Some of once_written were admitted before, and perhaps not yet answered.
};

}  // namespace framefleet::broker
