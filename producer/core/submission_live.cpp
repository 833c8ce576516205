// The part of the producer's core that is about live sources: the newest frame, or none.

#include "producer/core/submission.hpp"

#include <utility>

namespace framefleet::producer {
namespace {

/// Frames of one live source that were submitted and are not yet confirmed. At the cap (two seconds
/// of a camera) the sink stands still, and more frames would only have to be stored by it.
constexpr std::size_t kLiveInFlightMax = 64;

}  // namespace

void Submission::hold_newest(PictureRef ref, SubmittedTask task, Time now, Effects& out) {
  auto& live = sources_.at(ref.source).live;
  ++sources_.at(ref.source).tasks;
  if (live.newest) skip(tasks_.find(*live.newest), out);
  live.newest = task.id;
  ++live_tasks_;
  held_bytes_ += task.payload.bytes;
  Entry entry;
  entry.ref = ref;
  entry.task = std::move(task);
  entry.read_at = now;
  tasks_.emplace(*live.newest, std::move(entry));
}

void Submission::skip(Position position, Effects& out) {
  ++counts_.skipped;
  let_go(position->second, out);
  forget(position);
}

void Submission::on_live_admitted(const TaskId& id, Live& live) {
  if (live.unanswered == id) live.unanswered.reset();
  if (live.newest == id) {  // a second copy of its submit arrived after the first had been busy
    live.newest.reset();
    ++live.in_flight;
  }
}

void Submission::on_live_busy(Position position, Time retry_at, Effects& out) {
  auto& entry = position->second;
  auto& live = source_of(entry).live;
  live.busy_until = retry_at;
  live.unanswered.reset();
  // Of a camera the newest is taken anew when the broker is ready.
  if (draining_ || live.newest || source_of(entry).kind != Kind::read) {
    left_undone_ = left_undone_ || draining_;
    skip(position, out);
    return;
  }
  answered(entry);
  --live.in_flight;
  live.newest = position->first;
  entry.state = State::held;
}

/// A new connection: the answers to what was submitted on the old one will not come, and the next
/// frame need not wait for them.
void Submission::stop_waiting_for_answers(Effects& out) {
  for (auto& source : sources_) {
    source.live.unanswered.reset();
    source.live.busy_until = kNever;
  }
  for (auto& [id, entry] : tasks_) {
    if (entry.state == State::submitted && source_of(entry).is_live()) let_go(entry, out);
  }
}

/// Sources take turns where the grant is smaller than their number. False: it has no room left, not
/// for batch tasks either.
bool Submission::send_newest(Time now, Effects& out) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::size_t index = (live_turn_ + i) % sources_.size();
    auto& live = sources_[index].live;
    if (live.busy_until <= now) live.busy_until = kNever;
    if (!live.newest || !may_send_live(live, now)) continue;
    const bool granted = unanswered_tasks_ < link_.welcome().grant_tasks;
    if (!granted || !submit(tasks_.find(*live.newest), now, out)) {
      live_turn_ = index;
      return false;
    }
    if (!live.newest) continue;  // too large for the broker
    live.unanswered = std::exchange(live.newest, std::nullopt);
    ++live.in_flight;
  }
  return true;
}

bool Submission::may_send_live(const Live& live, Time now) {
  const bool is_busy = live.busy_until != kNever && live.busy_until > now;
  return !live.unanswered && !is_busy && live.in_flight < kLiveInFlightMax;
}

bool Submission::may_read_live(std::size_t index) const {
  const auto being_read = reading_.lower_bound({index, 0});
  if (being_read != reading_.end() && being_read->source == index) return false;
  const auto& source = sources_[index];
  if (source.outline.interval > Duration::zero()) return true;
  // Without a pace of its own there is no frame to miss: one after the other, as they are accepted.
  const auto& live = source.live;
  return link_.up() && !live.newest && !live.unanswered && live.in_flight < kLiveInFlightMax;
}

/// When the next frame is due; what should have been read by now is not made up for.
Time Submission::next_live_frame(const Source& source, Time now) {
  const auto interval = source.outline.interval;
  if (interval == Duration::zero()) return source.due_at;
  return source.due_at + interval * ((now - source.due_at) / interval + 1);
}

}  // namespace framefleet::producer
