#include "producer/core/submission.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::producer {
namespace {

/// Sequences listed (and asked about) at a time: an `ask` of that many ids is far below the limits
/// of a header, and a round trip per 256 pictures costs nothing.
constexpr std::uint64_t kListedAtOnce = 256;
/// The same of a source that has its own pace: all of them are listed, however many there are.
constexpr std::uint64_t kPacedListedAtOnce = 16;
/// Pictures being read at a time: reading is done by the loop itself, which must stay quick.
constexpr std::size_t kReadsAtOnce = 4;

/// The file was changed or removed since it was submitted.
bool is_another_picture(const SubmittedTask& submitted, const SubmittedTask& read) {
  return !submitted.digest.empty() && submitted.digest != read.digest;
}

}  // namespace

Submission::Submission(Hello hello, std::vector<SourceOutline> sources, SubmissionOptions options,
                       Time now)
    : link_(std::move(hello), options.link), options_(options) {
  const auto& claims = link_.sources();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Source source;
    source.outline = std::move(sources[i]);
    if (i < claims.size()) source.claim = claims[i];
    source.due_at = now;
    sources_.push_back(std::move(source));
  }
}

TaskId Submission::id_of(PictureRef ref) const {
  const auto& outline = sources_.at(ref.source).outline;
  return {outline.hash, outline.epoch, ref.sequence, 0};
}

void Submission::receive(Message message, Time now, Effects& out) {
  if (link_.receive(message, now, out) == LinkEvent::up) on_up(now, out);
  if (const auto* admitted = std::get_if<Admitted>(&message)) {
    for (const auto& task : admitted->tasks) on_admitted(task, now, out);
  } else if (const auto* busy = std::get_if<Busy>(&message)) {
    on_busy(*busy, now, out);
  } else if (const auto* rejected = std::get_if<Rejected>(&message)) {
    for (const auto& task : rejected->tasks) on_rejected(task, out);
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) on_settled(task, now, out);
  } else if (const auto* known = std::get_if<Known>(&message)) {
    for (const auto& task : known->stored) on_settled(task, now, out);
    for (const auto& id : known->unknown) on_unknown(id, out);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    slots_ = heartbeat->slots;
  } else if (const auto* claimed = std::get_if<Claimed>(&message)) {
    sources_taken_ = std::max(sources_taken_, claimed->number);
  } else if (const auto* control = std::get_if<Control>(&message);
             control != nullptr && control->verb == ControlVerb::reload_sources) {
    out.push_back(ReloadAsked{control->asker});
  } else {
    for_each_payload(message, [&out](const Payload& payload) {
      if (payload.id) out.push_back(ReleasePayload{payload.id});
    });
  }
  advance(now, out);
}

void Submission::on_admitted(const AdmittedTask& admitted, Time now, Effects& out) {
  asked_.erase(admitted.id);
  if (const auto listed = asking_.find(admitted.id); listed != asking_.end()) {
    // A producer before us submitted it and the broker is at it.
    Entry entry;
    entry.ref = listed->second;
    entry.task.id = admitted.id;
    ++source_of(entry).tasks;
    tasks_.emplace(admitted.id, std::move(entry));
    forget_question(listed);
  }
  const auto position = tasks_.find(admitted.id);
  if (position == tasks_.end()) return;
  auto& entry = position->second;
  if (entry.state == State::admitted || entry.state == State::reading_again) return;
  let_go(entry, out);
  note_admission(entry, now, out);
  entry.state = State::admitted;
  if (auto& source = source_of(entry); source.is_live()) {
    on_live_admitted(admitted.id, source.live);
  } else {
    on_batch_admitted(source, now);
  }
  if (options_.confirm == Confirm::admitted) forget(position);
}

void Submission::on_rejected(const RejectedTask& rejected, Effects& out) {
  asked_.erase(rejected.id);
  to_ask_.erase(rejected.id);
  const auto position = tasks_.find(rejected.id);
  if (position == tasks_.end()) return;
  let_go(position->second, out);
  // One that was admitted by a broker before this one counts as what it is in the end.
  if (position->second.counted) {
    --counts_.admitted;
  } else {
    ++counts_.submitted;
  }
  ++counts_.rejected;
  finish(position, {{}, {rejected.id, Status::failed, rejected.reason, rejected.text}, true, {}},
         out);
}

void Submission::on_settled(const SettledTask& settled, Time now, Effects& out) {
  asked_.erase(settled.id);
  to_ask_.erase(settled.id);
  if (const auto listed = asking_.find(settled.id); listed != asking_.end()) {
    ++counts_.stored_before;
    out.push_back(TaskEnded{listed->second, settled, false, {}});
    forget_question(listed);
    return;
  }
  const auto position = tasks_.find(settled.id);
  if (position == tasks_.end()) return;
  auto& entry = position->second;
  if (entry.state == State::reading_again) return;  // it will be answered when submitted
  let_go(entry, out);
  note_admission(entry, now, out);  // what ends soon is not said to be admitted before
  ++counts_.settled.at(static_cast<std::size_t>(settled.status));
  const Duration total = entry.read_at == kNever ? Duration::zero() : now - entry.read_at;
  finish(position, {{}, settled, false, {}, total}, out);
}

void Submission::forget_question(std::map<TaskId, PictureRef>::iterator listed) {
  --sources_.at(listed->second.source).asking;
  asking_.erase(listed);
}

/// Its submit counts against the grant no longer.
void Submission::answered(Entry& entry) {
  --unanswered_tasks_;
  --source_of(entry).patience.unanswered;
  unanswered_bytes_ -= entry.task.payload.bytes;
}

/// The payload is in other hands now, or nobody needs it.
void Submission::let_go(Entry& entry, Effects& out) {
  if (entry.state == State::submitted) answered(entry);
  source_of(entry).patience.waiting.erase(entry.task.id);
  held_bytes_ -= entry.task.payload.bytes;
  if (entry.task.payload.id) out.push_back(ReleasePayload{entry.task.payload.id});
  entry.task.payload = {};
}

/// What the broker never admitted is, in a drain, as if it had not been read.
void Submission::drop(Position position, Effects& out) {
  let_go(position->second, out);
  forget(position);
  left_undone_ = true;
}

void Submission::note_admission(Entry& entry, Time now, Effects& out) {
  if (!entry.counted && entry.read_at != kNever) {
    out.push_back(TaskAdmitted{now - entry.read_at});
  }
  count_admission(entry);
}

void Submission::count_admission(Entry& entry) {
  if (entry.counted) return;
  entry.counted = true;
  ++counts_.submitted;
  ++counts_.admitted;
}

void Submission::finish(Position position, TaskEnded ended, Effects& out) {
  ended.ref = position->second.ref;
  ended.description = std::move(position->second.task.task);
  forget(position);
  out.push_back(std::move(ended));
}

void Submission::forget(Position position) {
  const TaskId& id = position->first;
  auto& source = source_of(position->second);
  --source.tasks;
  if (source.is_live()) {
    --live_tasks_;
    if (source.live.newest == id) {
      source.live.newest.reset();
    } else {
      --source.live.in_flight;
    }
    if (source.live.unanswered == id) source.live.unanswered.reset();
  }
  tasks_.erase(position);
}

void Submission::listed(std::size_t index, const std::vector<std::uint64_t>& sequences, Time now,
                        Effects& out) {
  auto& source = sources_.at(index);
  const bool all = sequences.size() < std::exchange(source.listing, 0);
  if (all && !source.grew) source.exhausted = true;
  for (const auto sequence : sequences) {
    source.cursor = sequence + 1;
    if (options_.ask_first && !source.is_live()) {
      const PictureRef ref{index, sequence};
      asking_.emplace(id_of(ref), ref);
      ++source.asking;
      to_ask_.insert(id_of(ref));
    } else {
      source.to_read.push_back(sequence);
    }
  }
  advance(now, out);
}

void Submission::more(std::size_t index, bool may_grow, Time now, Effects& out) {
  auto& source = sources_.at(index);
  source.outline.may_grow = may_grow;
  source.grew = true;
  source.exhausted = false;
  advance(now, out);
}

void Submission::picture(PictureRef ref, SubmittedTask task, Time now, Effects& out) {
  reading_.erase(ref);
  const TaskId id = task.id;
  FRAMEFLEET_ASSERT(id == id_of(ref));
  const auto position = tasks_.find(id);
  const bool again = position != tasks_.end();
  if (draining_ && !again) {
    if (task.payload.id) out.push_back(ReleasePayload{task.payload.id});
    if (sources_.at(ref.source).is_live()) ++counts_.skipped;
    left_undone_ = true;
    advance(now, out);
    return;
  }
  if (sources_.at(ref.source).is_live()) {
    hold_newest(ref, std::move(task), now, out);
    advance(now, out);
    return;
  }
  held_bytes_ += task.payload.bytes;
  if (again && is_another_picture(position->second.task, task)) {
    position->second.task.payload = task.payload;
    say_gone(position, out);
    advance(now, out);
    return;
  }
  if (again) {
    position->second.task = std::move(task);
    position->second.state = State::held;
  } else {
    Entry entry;
    entry.ref = ref;
    entry.task = std::move(task);
    entry.read_at = now;
    ++sources_.at(ref.source).tasks;
    tasks_.emplace(id, std::move(entry));
  }
  line_up(id, sources_.at(ref.source));
  advance(now, out);
}

void Submission::no_picture(PictureRef ref, bool end_of_source, Time now, Effects& out) {
  reading_.erase(ref);
  auto& source = sources_.at(ref.source);
  if (end_of_source) {
    source.exhausted = true;
    source.to_read.clear();
  }
  if (const auto position = tasks_.find(id_of(ref)); position != tasks_.end()) {
    say_gone(position, out);
  }
  advance(now, out);
}

void Submission::drain(Time now, Effects& out) {
  if (!nothing_left_to_read() || !asking_.empty()) left_undone_ = true;
  draining_ = true;
  for (auto& source : sources_) {
    source.to_read.clear();
    source.asking = 0;
  }
  asking_.clear();
  for (auto position = tasks_.begin(); position != tasks_.end();) {
    const auto current = position++;
    if (current->second.state != State::held || current->second.counted) continue;
    if (source_of(current->second).is_live()) {
      skip(current, out);
      left_undone_ = true;
    } else {
      drop(current, out);
    }
  }
  std::erase_if(to_ask_, [this](const TaskId& id) { return !tasks_.contains(id); });
  std::erase_if(to_send_, [this](const TaskId& id) { return !tasks_.contains(id); });
  advance(now, out);
}

void Submission::leave_unread(Time now, Effects& out) {
  std::erase_if(reading_, [this](PictureRef ref) { return !tasks_.contains(id_of(ref)); });
  advance(now, out);
}

void Submission::tick(Time now, Effects& out) {
  if (sources_number_ > 0 && !link_.has_dialled()) link_.set_sources(claims(now));
  if (link_.tick(now, out) == LinkEvent::beat_due) link_.beat({}, now, out);
  advance(now, out);
}

void Submission::advance(Time now, Effects& out) {
  if (link_.finished() || link_.leaving()) return;
  if (!draining_) {
    list_more(out);
    read_more(now, out);
  }
  if (sources_number_ > 0) free_the_left();
  if (link_.up()) {
    tell_sources(now, out);
    ask_about_the_overdue(now, out);
    send_one_again(now);
    if (send_newest(now, out)) send_held(now, out);
    send_asks(out);
  }
  const bool all_answered = tasks_.empty() && asking_.empty() && reading_.empty();
  const bool all_read = nothing_left_to_read() && nothing_may_come();
  if (all_answered && (draining_ || all_read)) link_.leave(now, out);
}

void Submission::send_held(Time now, Effects& out) {
  while (!to_send_.empty() && unanswered_tasks_ < link_.welcome().grant_tasks) {
    const auto position = tasks_.find(to_send_.front());
    const bool waits = position != tasks_.end() && position->second.state == State::held;
    if (waits && !submit(position, now, out)) return;
    to_send_.pop_front();  // sent, or answered while it waited
  }
}

/// Sends a held task; false where the grant has no bytes left for it.
bool Submission::submit(Position position, Time now, Effects& out) {
  const auto& grant = link_.welcome();
  auto& entry = position->second;
  const auto bytes = entry.task.payload.bytes;
  if (grant.payload_bytes_max > 0 && bytes > grant.payload_bytes_max) {
    // Sent, it would only cut the connection.
    on_rejected({position->first, Reason::too_large_payload,
                 "the picture has " + std::to_string(bytes) + " bytes; the broker takes " +
                     std::to_string(grant.payload_bytes_max)},
                out);
    return true;
  }
  if (unanswered_tasks_ > 0 && unanswered_bytes_ + bytes > grant.grant_bytes) return false;
  entry.state = State::submitted;
  entry.asked_or_sent_at = now;
  ++unanswered_tasks_;
  ++source_of(entry).patience.unanswered;
  unanswered_bytes_ += bytes;
  out.push_back(Send{Submit{{entry.task}}});
  return true;
}

/// Keeps a little more listed than is being read; sources take turns, so that a thousand of them
/// are not all asked about before the first picture is read. One with its own pace needs to be
/// listed in time, but not far ahead.
void Submission::list_more(Effects& out) {
  std::size_t listed = asking_.size();
  for (const auto& source : sources_) listed += source.to_read.size() + source.listing;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::size_t index = (turn_ + i) % sources_.size();
    auto& source = sources_[index];
    if (source.kind != Kind::read || source.exhausted || source.listing > 0 || source.asking > 0 ||
        !source.to_read.empty())
      continue;
    const bool paced = source.is_live() || source.outline.interval > Duration::zero();
    if (!paced && listed >= 2 * kListedAtOnce) continue;
    source.listing = paced ? kPacedListedAtOnce : kListedAtOnce;
    source.grew = false;
    listed += source.listing;
    out.push_back(ListSequences{index, source.cursor, source.listing});
  }
}

void Submission::read_more(Time now, Effects& out) {
  std::size_t tried = 0;
  while (tried < sources_.size() && reading_.size() < kReadsAtOnce) {
    auto& source = sources_[turn_];
    const std::size_t index = turn_;
    turn_ = (turn_ + 1) % sources_.size();
    if (source.due_at > now || !may_read(index)) {
      ++tried;
      continue;
    }
    tried = 0;
    const PictureRef ref{index, source.to_read.front()};
    source.to_read.pop_front();
    const auto interval = source.outline.interval;
    source.due_at = source.is_live() ? next_live_frame(source, now)
                                     : std::max(source.due_at + interval, now - interval);
    reading_.insert(ref);
    out.push_back(ReadPicture{ref});
  }
}

/// Whether the next picture of this source can be read once it is due.
bool Submission::may_read(std::size_t index) const {
  const auto& source = sources_[index];
  if (draining_ || source.to_read.empty() || reading_.size() >= kReadsAtOnce) return false;
  if (source.is_live()) return may_read_live(index);
  return has_room();
}

/// For one more batch picture.
bool Submission::has_room() const {
  const auto window = options_.window_tasks > 0 ? options_.window_tasks : window_for(slots_);
  return tasks_.size() - live_tasks_ + reading_.size() < window &&
         held_bytes_ < options_.window_bytes;
}

bool Submission::nothing_left_to_read() const {
  return reading_.empty() && std::all_of(sources_.begin(), sources_.end(), [](const auto& source) {
           return source.exhausted && source.to_read.empty();
         });
}

bool Submission::nothing_may_come() const {
  return std::none_of(sources_.begin(), sources_.end(),
                      [](const auto& source) { return source.outline.may_grow; });
}

Time Submission::next_deadline() const {
  Time next = link_.next_deadline();
  if (link_.up()) next = std::min(next, check_at_);
  if (link_.up() && sources_told_ > sources_taken_) next = std::min(next, tell_again_at_);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (may_read(i)) next = std::min(next, sources_[i].due_at);
    if (link_.up()) next = std::min({next, sources_[i].live.busy_until, next_try(sources_[i])});
  }
  return next;
}

SubmissionStats Submission::stats() const {
  auto stats = counts_;
  stats.in_flight = tasks_.size();
  stats.held_bytes = held_bytes_;
  for (const auto& source : sources_) {
    if (source.kind == Kind::free) continue;
    const bool over = source.exhausted && !source.outline.may_grow;
    ++(over ? stats.sources_ended : stats.sources_reading);
  }
  stats.link_losses = link_.losses();
  stats.link_up = link_.up();
  stats.draining = draining_;
  return stats;
}

}  // namespace framefleet::producer
