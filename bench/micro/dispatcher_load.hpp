#pragma once
// A broker's core under load, alone: producers, workers and a sink that answer at once, in virtual
// time. Batch tasks of all sources in turn, two routes, a few workers, and a backlog that stands:
// for every task that is handed out another one is submitted.
//
// Whoever measures wraps the calls of the dispatcher, one by one; making the messages and reading
// the effects is outside of them. An answer that the load does not expect (busy, rejected, stale …)
// fails an assertion. Not thread-safe. Deterministic.

#include "broker/core/dispatcher.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::bench {

struct LoadShape {
  std::uint64_t sources{10};  ///< Of producers with at most 256 each.
  std::uint64_t backlog{10};  ///< Ready tasks, spread over the sources.
  bool with_ttl{false};       ///< Every task has a deadline (that never comes).
};

class DispatcherLoad {
 public:
  /// Connects the sink and the producers.
  explicit DispatcherLoad(LoadShape shape);

  /// Submits until the backlog stands.
  void fill();
  /// Connects workers; their slots are filled at once.
  void hire(std::uint64_t workers, std::uint32_t slots);
  /// Workers finish every task they have; the sink stores none of them.
  void finish_all_unstored();
  /// Workers nack every task they have: it is tried again later.
  void fail_all();

  /// One task life: the oldest hand-out ends with its result, which lets the next task be handed
  /// out; its outcome is stored; the backlog is filled up again (one submit); the loop turns.
  /// `measure(call)` is to call `call()`.
  template <class Measure>
  void live_once(Measure measure);
  /// Enough lives for every table to have the size that it will keep.
  void warm_up();

  std::uint64_t settled() const { return settled_; }
  std::uint64_t in_state(broker::TaskState state) const;
  /// What the dispatcher counts for all tasks besides their payloads and `tables` for each of them.
  std::uint64_t counted_bytes(std::uint64_t tables) const;
  /// What this object itself keeps of all that is handed out.
  std::uint64_t own_bytes() const { return handed_out_.size() * sizeof(HandOut); }

 private:
  struct HandOut {
    PeerId worker;
    TaskId task;
    LeaseId lease;
  };
  static constexpr std::uint64_t kSourcesPerProducer = 256;
  static constexpr PeerId kSink{1};
  /// A fleet that ends a thousand tasks per second.
  static constexpr Duration kTurn = std::chrono::milliseconds{1};

  PeerId producer_of(std::uint64_t source) const;
  void greet(PeerId peer, Hello hello);
  SubmittedTask next_task();
  Results result_of(const HandOut& hand_out);
  HandOut oldest_hand_out();
  void submit(PeerId producer, std::vector<SubmittedTask> tasks);
  void perform();

  LoadShape shape_;
  broker::Dispatcher dispatcher_;
  broker::Effects effects_;
  Time now_{};
  std::vector<SourceClaim> sources_;
  SubmittedTask prototype_;
  std::deque<HandOut> handed_out_;  // in order
  Stored to_store_;                 // what the sink was sent
  std::uint64_t next_source_{0};
  std::uint64_t submitted_{0};
  std::uint64_t ready_{0};  // submitted and not handed out
  std::uint64_t payloads_{0};
  std::uint64_t settled_{0};
  PeerId next_worker_;
};

template <class Measure>
void DispatcherLoad::live_once(Measure measure) {
  now_ += kTurn;
  const auto say = [&](PeerId from, Message message) {
    measure([&] { dispatcher_.receive(from, std::move(message), now_, effects_); });
    perform();
  };
  const auto ended = oldest_hand_out();
  say(ended.worker, result_of(ended));
  say(kSink, std::exchange(to_store_, {}));
  while (ready_ < shape_.backlog) {
    const auto producer = producer_of(next_source_);
    say(producer, Submit{{next_task()}});
  }
  measure([&] {
    dispatcher_.tick(now_, effects_);
    static_cast<void>(dispatcher_.next_deadline());
  });
  perform();
}

}  // namespace framefleet::bench
