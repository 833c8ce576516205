#include "bench/micro/dispatcher_load.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace framefleet::bench {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::uint64_t kRecordBytes = 1000;

/// Names of sources as hashes are: without order. SplitMix64's finaliser (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", 2014).
std::uint64_t hash_of(std::uint64_t number) {
  std::uint64_t x = (number + 1) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

/// No cap is in the way of the load, and nobody has to be heard from: a life is measured, not what
/// peers say to stay.
broker::CoreOptions options() {
  broker::CoreOptions options;
  options.peer_timeout = hours{24};
  options.lease_duration = hours{24};
  options.outcome_resend_interval = hours{24};
  options.recall_delay = hours{24};
  options.backlog_tasks_max = std::uint64_t{1} << 24U;
  options.backlog_bytes_max = std::uint64_t{1} << 50U;
  options.unstored_tasks_max = options.backlog_tasks_max;
  options.unstored_bytes_max = options.backlog_bytes_max;
  return options;
}

SubmittedTask prototype(bool with_ttl) {
  SubmittedTask task;
  task.job = "monday's pictures";
  task.digest = std::string(32, 'd');
  task.task = std::string(120, 't');  // a path, a detector with options, and their names
  task.payload.frames = 1;
  task.payload.bytes = 100'000;
  if (with_ttl) task.ttl = hours{24};
  return task;
}

}  // namespace

DispatcherLoad::DispatcherLoad(LoadShape shape)
    : shape_(shape), dispatcher_(options()), prototype_(prototype(shape.with_ttl)) {
  for (std::uint64_t i = 0; i < shape.sources; ++i) {
    sources_.push_back(
        {.name = fmt::format("north-gate/camera-{:06}", i), .epoch = 1, .hash = hash_of(i)});
  }
  greet(kSink, {.role = Role::sink, .name = "sink", .store = "a store"});
  for (std::uint64_t first = 0; first < shape.sources; first += kSourcesPerProducer) {
    Hello hello{.role = Role::producer, .name = "producer"};
    const auto last = std::min(first + kSourcesPerProducer, shape.sources);
    for (auto i = first; i < last; ++i) hello.sources.push_back(sources_[i]);
    greet(producer_of(first), std::move(hello));
  }
  next_worker_ = PeerId{producer_of(shape.sources).value() + 1};
}

PeerId DispatcherLoad::producer_of(std::uint64_t source) const {
  return PeerId{kSink.value() + 1 + source / kSourcesPerProducer};
}

void DispatcherLoad::greet(PeerId peer, Hello hello) {
  hello.build = "bench";
  dispatcher_.receive(peer, std::move(hello), now_, effects_);
  perform();
}

void DispatcherLoad::fill() {
  constexpr std::size_t kBatch = 64;
  while (ready_ < shape_.backlog) {
    const auto producer = producer_of(next_source_);
    std::vector<SubmittedTask> batch;
    do {
      batch.push_back(next_task());
    } while (ready_ < shape_.backlog && batch.size() < kBatch && next_source_ > 0 &&
             producer_of(next_source_) == producer);
    dispatcher_.receive(producer, Submit{std::move(batch)}, now_, effects_);
    perform();
  }
}

void DispatcherLoad::hire(std::uint64_t workers, std::uint32_t slots) {
  for (std::uint64_t i = 0; i < workers; ++i) {
    greet(next_worker_, {.role = Role::worker,
                         .name = fmt::format("worker-{}", next_worker_.value()),
                         .detectors = {"edges", "faces"},
                         .slots = slots});
    next_worker_ = PeerId{next_worker_.value() + 1};
  }
}

void DispatcherLoad::finish_all_unstored() {
  while (!handed_out_.empty()) {
    const auto ended = oldest_hand_out();
    dispatcher_.receive(ended.worker, result_of(ended), now_, effects_);
    perform();
  }
  to_store_ = {};
}

void DispatcherLoad::fail_all() {
  while (!handed_out_.empty()) {
    const auto ended = oldest_hand_out();
    Nack nack{ended.task, ended.lease, Reason::detector_error, "faces: no such cascade"};
    dispatcher_.receive(ended.worker, std::move(nack), now_, effects_);
    perform();
  }
}

void DispatcherLoad::warm_up() {
  const auto lives = broker::CoreOptions{}.settled_memory + shape_.sources;
  for (std::uint64_t i = 0; i < lives; ++i) {
    live_once([](auto call) { call(); });
  }
}

std::uint64_t DispatcherLoad::in_state(broker::TaskState state) const {
  const auto counts = dispatcher_.fleet_status(now_).in_progress;
  switch (state) {
    case broker::TaskState::ready:
      return counts.ready;
    case broker::TaskState::delayed:
      return counts.delayed;
    case broker::TaskState::leased:
      return counts.leased;
    case broker::TaskState::storing:
      break;
  }
  return counts.storing;
}

std::uint64_t DispatcherLoad::counted_bytes(std::uint64_t tables) const {
  const auto status = dispatcher_.fleet_status(now_);
  const auto waiting = status.in_progress.backlog();
  const auto storing = status.in_progress.storing;
  return status.backlog_bytes + status.unstored_bytes -
         waiting * (prototype_.payload.bytes + tables) - storing * (kRecordBytes + tables);
}

SubmittedTask DispatcherLoad::next_task() {
  const auto& source = sources_[next_source_];
  auto task = prototype_;
  task.id = {.source = source.hash, .epoch = source.epoch, .sequence = submitted_};
  task.source = source.name;
  task.detectors = next_source_ % 2 == 0 ? std::vector<std::string>{"edges"}
                                         : std::vector<std::string>{"edges", "faces"};
  task.payload.id = PayloadId{++payloads_};
  ++submitted_;
  ++ready_;
  next_source_ = next_source_ + 1 == sources_.size() ? 0 : next_source_ + 1;
  return task;
}

/// Tasks take from 2 to 17 ms, so that sources run out of credit at different times.
Results DispatcherLoad::result_of(const HandOut& hand_out) {
  Results results;
  auto& result = results.tasks.emplace_back();
  result.id = hand_out.task;
  result.lease = hand_out.lease;
  result.elapsed = milliseconds{2 + hand_out.task.sequence % 16};
  result.payload = {PayloadId{++payloads_}, 1, kRecordBytes};
  return results;
}

DispatcherLoad::HandOut DispatcherLoad::oldest_hand_out() {
  FRAMEFLEET_ASSERT(!handed_out_.empty());
  const auto oldest = handed_out_.front();
  handed_out_.pop_front();
  return oldest;
}

/// Does what a shell would do; what the load does not expect ends the program.
void DispatcherLoad::perform() {
  for (auto& effect : effects_) {
    if (std::holds_alternative<broker::TaskSettled>(effect)) {
      ++settled_;
      continue;
    }
    auto* const send = std::get_if<broker::SendTo>(&effect);
    if (send == nullptr) {
      FRAMEFLEET_ASSERT(std::holds_alternative<ReleasePayload>(effect) ||
                        std::holds_alternative<broker::LeaseClosed>(effect));
    } else if (const auto* assign = std::get_if<Assign>(&send->message)) {
      for (const auto& task : assign->tasks) {
        handed_out_.push_back({send->peer, task.id, task.lease});
        --ready_;
      }
    } else if (const auto* outcomes = std::get_if<Outcomes>(&send->message)) {
      for (const auto& outcome : outcomes->outcomes) {
        to_store_.tasks.push_back({outcome.id, outcome.status, outcome.reason, outcome.text});
      }
    } else {
      FRAMEFLEET_ASSERT(std::holds_alternative<Welcome>(send->message) ||
                        std::holds_alternative<Admitted>(send->message) ||
                        std::holds_alternative<Settled>(send->message));
    }
  }
  // The room for a million hand-outs is not to be counted as the dispatcher's.
  effects_.size() > 1000 ? broker::Effects{}.swap(effects_) : effects_.clear();
}

}  // namespace framefleet::bench
