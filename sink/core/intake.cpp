#include "sink/core/intake.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::sink {
namespace {

/// Questions that wait for the store: while a disk is full the broker goes on asking and nothing is
/// answered.
constexpr std::size_t kQuestionsMax = 64;

}  // namespace

Intake::Intake(Hello hello, IntakeOptions options)
    : link_(std::move(hello), options.link), options_(options) {}

void Intake::receive(Message message, Time now, Effects& out) {
  link_.receive(message, now, out);
  if (auto* outcomes = std::get_if<Outcomes>(&message)) {
    for (auto& outcome : outcomes->outcomes) {
      // A copy of what is in hand, or too late: the broker keeps it for the next sink.
      if (draining_ || !in_hand_.insert(outcome.id).second) {
        if (outcome.payload.id) out.push_back(ReleasePayload{outcome.payload.id});
        continue;
      }
      waiting_bytes_ += outcome.payload.bytes;
      ++arrived_;
      waiting_.push_back(std::move(outcome));
    }
  } else if (auto* ask = std::get_if<Ask>(&message)) {
    if (draining_) return;
    if (questions_.size() == kQuestionsMax) {  // the broker has passed over the oldest long ago
      questions_.pop_front();
      barriers_.pop_front();
    }
    questions_.push_back({ask->asker, std::move(ask->tasks)});
    barriers_.push_back(arrived_);
  } else {
    for_each_payload(message, [&out](const Payload& payload) {
      if (payload.id) out.push_back(ReleasePayload{payload.id});
    });
  }
  feed_store(out);
}

void Intake::feed_store(Effects& out) {
  if (store_busy()) return;
  const bool question_is_next = !questions_.empty() && barriers_.front() <= handed_over_;
  if (question_is_next) {
    asked_ = std::move(questions_.front());
    questions_.pop_front();
    barriers_.pop_front();
    looking_up_ = true;
    out.push_back(asked_);
    return;
  }
  CommitBatch batch;
  std::uint64_t bytes = 0;
  const std::uint64_t barrier = questions_.empty() ? arrived_ : barriers_.front();
  while (!waiting_.empty() && handed_over_ < barrier &&
         batch.outcomes.size() < options_.batch_tasks_max &&
         (batch.outcomes.empty() ||
          bytes + waiting_.front().payload.bytes <= options_.batch_bytes_max)) {
    bytes += waiting_.front().payload.bytes;
    committing_.push_back(waiting_.front().payload);
    batch.outcomes.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ++handed_over_;
  }
  if (batch.outcomes.empty()) return;
  waiting_bytes_ -= bytes;
  ++batches_;
  out.push_back(std::move(batch));
}

void Intake::committed(std::vector<SettledTask> stored, Time now, Effects& out) {
  FRAMEFLEET_ASSERT(!committing_.empty());
  for (const auto& payload : committing_) {
    if (payload.id) out.push_back(ReleasePayload{payload.id});
  }
  committing_.clear();
  for (const auto& task : stored) in_hand_.erase(task.id);
  stored_ += stored.size();
  if (link_.up() || link_.leaving()) out.push_back(Send{Stored{std::move(stored)}});
  feed_store(out);
  leave_when_done(now, out);
}

void Intake::found(std::vector<SettledTask> stored, Time now, Effects& out) {
  FRAMEFLEET_ASSERT(looking_up_);
  looking_up_ = false;
  Known known{asked_.asker, std::move(stored), {}};
  std::set<TaskId> have;
  for (const auto& task : known.stored) have.insert(task.id);
  std::copy_if(asked_.tasks.begin(), asked_.tasks.end(), std::back_inserter(known.unknown),
               [&have](const TaskId& id) { return !have.contains(id); });
  if (link_.up()) out.push_back(Send{std::move(known)});
  feed_store(out);
  leave_when_done(now, out);
}

void Intake::drain(Time now, Effects& out) {
  draining_ = true;
  leave_when_done(now, out);
}

void Intake::tick(Time now, Effects& out) {
  if (link_.tick(now, out) == LinkEvent::beat_due) link_.beat({}, now, out);
  leave_when_done(now, out);
}

void Intake::leave_when_done(Time now, Effects& out) {
  if (draining_ && waiting_.empty() && questions_.empty() && !store_busy()) link_.leave(now, out);
}

IntakeStats Intake::stats() const {
  return {.waiting = waiting_.size(),
          .waiting_bytes = waiting_bytes_,
          .committing = committing_.size(),
          .stored = stored_,
          .batches = batches_,
          .link_losses = link_.losses(),
          .link_up = link_.up(),
          .draining = draining_};
}

}  // namespace framefleet::sink
