#pragma once
// What the dispatcher remembers of its peers, and what they wait for.

#include "shared/base/messages.hpp"

#include <cstdint>
#include <vector>

namespace framefleet::broker {

/// Somebody who was welcomed.
struct Peer {
  Hello hello;
  Time heard_at{};
  std::uint64_t tasks{0};  // of its sources, ready, delayed or leased
  std::uint64_t bytes{0};
};

/// A question of a producer to the sink, or our own about what came from the journal.
struct PendingAsk {
  PeerId asker;  // none: we
  std::vector<TaskId> tasks;
  Time answer_by{kNever};  // set once a sink has been asked
};

/// A question of an operator to the sink.
struct PendingControl {
  PeerId client;
  std::uint64_t asker{0};
};

/// What may be said when everything up to `number` is written.
struct PendingAnswer {
  std::uint64_t number{0};
  PeerId peer;
  Message message;
};

/// What is written is counted by these: a piece of news gets the next number, and is on the disk
/// once that is written.
struct WriteNumbers {
  std::uint64_t given{0};
  std::uint64_t written{0};
};

/// The answers to one submit: what memory alone has, and what a journal will have.
struct SubmitAnswers {
  Admitted at_once;
  Admitted once_written;
  bool again{false};  ///< Some of once_written were admitted before, and perhaps not yet answered.
};

}  // namespace framefleet::broker
