#include "sink/core/intake.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::sink {
namespace {

/// Questions that wait for the store: while a disk is full the broker goes on asking and nothing is
/// answered.
constexpr std::size_t kQuestionsMax = 64;
/// The pace is seen over so many of the times that a batch gathers for: a handful at once, or what
/// a slow commit held up, is no pace.
constexpr Duration::rep kPaceSeenOver = 4;

bool about_dead_letters(ControlVerb verb) {
  return verb == ControlVerb::dead_list || verb == ControlVerb::dead_show ||
         verb == ControlVerb::dead_export || verb == ControlVerb::dead_purge;
}

}  // namespace

Intake::Intake(Hello hello, IntakeOptions options)
    : link_(std::move(hello), options.link), options_(options) {}

void Intake::receive(Message message, Time now, Effects& out) {
  link_.receive(message, now, out);
  if (auto* outcomes = std::get_if<Outcomes>(&message)) {
    take_in(std::move(*outcomes), out);
  } else if (auto* ask = std::get_if<Ask>(&message)) {
    if (!draining_) queue(FindStored{ask->asker, std::move(ask->tasks)}, out);
  } else if (auto* control = std::get_if<Control>(&message)) {
    take_in(std::move(*control), out);
  } else {
    for_each_payload(message, [&out](const Payload& payload) {
      if (payload.id) out.push_back(ReleasePayload{payload.id});
    });
  }
  feed_store(now, out);
}

void Intake::take_in(Outcomes outcomes, Effects& out) {
  for (auto& outcome : outcomes.outcomes) {
    // A copy of what is in hand, or too late: the broker keeps it for the next sink.
    if (draining_ || !in_hand_.insert(outcome.id).second) {
      if (outcome.payload.id) out.push_back(ReleasePayload{outcome.payload.id});
      continue;
    }
    waiting_bytes_ += outcome.payload.bytes;
    ++arrived_;
    waiting_.push_back(std::move(outcome));
  }
}

void Intake::take_in(Control control, Effects& out) {
  if (draining_) {
    decline(control, Reason::no_sink, "the sink is leaving", out);
  } else if (!about_dead_letters(control.verb)) {
    decline(control, Reason::malformed, "a sink knows about dead letters alone", out);
  } else {
    queue(CarryOut{std::move(control)}, out);
  }
}

/// The oldest question makes place: whoever asked it has passed over it long ago.
void Intake::queue(std::variant<FindStored, CarryOut> what, Effects& out) {
  if (questions_.size() == kQuestionsMax) {
    const auto oldest = std::move(questions_.front());
    questions_.pop_front();
    const auto* control = std::get_if<CarryOut>(&oldest.what);
    if (control != nullptr && wants_answer(oldest)) {
      decline(control->control, Reason::sink_slow, "too many questions wait for the store", out);
    }
  }
  questions_.push_back({std::move(what), arrived_, link_.incarnation()});
}

void Intake::decline(const Control& control, Reason reason, const char* text, Effects& out) {
  if (link_.up()) out.push_back(Send{Report{control.asker, reason, text, {}}});
}

/// Numbers of askers begin anew with each incarnation.
bool Intake::wants_answer(const Question& question) const {
  return link_.up() && question.incarnation == link_.incarnation();
}

bool Intake::gathers(Time now) const {
  return now < gather_until_ && questions_.empty() && !draining_ &&
         waiting_.size() < std::min(options_.gather_tasks, options_.batch_tasks_max) &&
         waiting_bytes_ < options_.batch_bytes_max;
}

/// Quick is where what a batch gathers comes within the time that it may gather for.
void Intake::see_pace(Time now) {
  const Duration seen = now - pace_since_;
  if (seen < kPaceSeenOver * options_.gather_time) return;
  const auto came = static_cast<Duration::rep>(arrived_ - arrived_then_);
  const auto wanted = static_cast<Duration::rep>(options_.gather_tasks);
  quick_ = came * options_.gather_time >= wanted * seen;
  pace_since_ = now;
  arrived_then_ = arrived_;
}

void Intake::feed_store(Time now, Effects& out) {
  see_pace(now);
  if (store_busy() || gathers(now)) return;
  const bool question_is_next = !questions_.empty() && questions_.front().barrier <= handed_over_;
  if (question_is_next) {
    asked_ = std::move(questions_.front());
    questions_.pop_front();
    std::visit([&out](const auto& what) { out.push_back(what); }, asked_->what);
    return;
  }
  CommitBatch batch;
  std::uint64_t bytes = 0;
  const std::uint64_t barrier = questions_.empty() ? arrived_ : questions_.front().barrier;
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
  gather_until_ = quick_ ? now + options_.gather_time : now;
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
  feed_store(now, out);
  leave_when_done(now, out);
}

void Intake::found(std::vector<SettledTask> stored, Time now, Effects& out) {
  const auto question = std::exchange(asked_, std::nullopt);
  FRAMEFLEET_ASSERT(question && std::holds_alternative<FindStored>(question->what));
  const auto& find = std::get<FindStored>(question->what);
  Known known{find.asker, std::move(stored), {}};
  std::set<TaskId> have;
  for (const auto& task : known.stored) have.insert(task.id);
  std::copy_if(find.tasks.begin(), find.tasks.end(), std::back_inserter(known.unknown),
               [&have](const TaskId& id) { return !have.contains(id); });
  if (wants_answer(*question)) out.push_back(Send{std::move(known)});
  feed_store(now, out);
  leave_when_done(now, out);
}

void Intake::reported(Report report, Time now, Effects& out) {
  const auto question = std::exchange(asked_, std::nullopt);
  FRAMEFLEET_ASSERT(question && std::holds_alternative<CarryOut>(question->what));
  report.asker = std::get<CarryOut>(question->what).control.asker;
  const auto payload = report.payload.id;
  if (wants_answer(*question)) out.push_back(Send{std::move(report)});
  if (payload) out.push_back(ReleasePayload{payload});
  feed_store(now, out);
  leave_when_done(now, out);
}

void Intake::drain(Time now, Effects& out) {
  draining_ = true;
  feed_store(now, out);
  leave_when_done(now, out);
}

void Intake::tick(Time now, Effects& out) {
  if (link_.tick(now, out) == LinkEvent::beat_due) link_.beat({}, now, out);
  feed_store(now, out);
  leave_when_done(now, out);
}

void Intake::leave_when_done(Time now, Effects& out) {
  if (draining_ && waiting_.empty() && questions_.empty() && !store_busy()) link_.leave(now, out);
}

Time Intake::next_deadline() const {
  const bool gathering = !store_busy() && !waiting_.empty();
  return gathering ? std::min(gather_until_, link_.next_deadline()) : link_.next_deadline();
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
