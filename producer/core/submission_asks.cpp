// The part of the producer's core that is about what it submitted and heard no end of: it asks, and
// submits again what the fleet does not know.

#include "producer/core/submission.hpp"

namespace framefleet::producer {
namespace {

/// Of one `ask`: far below the limits of a header.
constexpr std::size_t kAskedAtOnce = 256;
/// Whatever has not been answered for this long is asked about: a message may have been lost.
constexpr Duration kAnswerTimeout = std::chrono::seconds{5};

}  // namespace

/// A new connection: what was under way on the old one may or may not have arrived. Ask.
void Submission::on_up(Time now, Effects& out) {
  stop_waiting_for_answers(out);
  forget_busy();
  sources_told_ = sources_taken_;
  asked_.clear();
  check_at_ = now + kAnswerTimeout;
  for (auto& [id, entry] : tasks_) {
    if (entry.state == State::submitted || entry.state == State::admitted)
      entry.state = State::asked;
    if (entry.state == State::asked) to_ask_.insert(id);
  }
  for (const auto& [id, ref] : asking_) to_ask_.insert(id);
  unanswered_tasks_ = 0;
  unanswered_bytes_ = 0;
}

/// Messages get lost with connections; a question to a broker that has the answer costs little.
void Submission::ask_about_the_overdue(Time now, Effects& out) {
  if (now < check_at_) return;
  check_at_ = now + kAnswerTimeout;
  to_ask_.insert(asked_.begin(), asked_.end());
  asked_.clear();
  for (auto& [id, entry] : tasks_) {
    const bool waits = entry.state == State::submitted || entry.state == State::admitted;
    if (!waits || entry.asked_or_sent_at + kAnswerTimeout > now) continue;
    if (source_of(entry).is_live()) {
      let_go(entry, out);
    } else if (entry.state == State::submitted) {
      answered(entry);
    }
    entry.state = State::asked;
    entry.asked_or_sent_at = now;
    to_ask_.insert(id);
  }
}

void Submission::send_asks(Effects& out) {
  if (to_ask_.empty() || !asked_.empty()) return;
  Ask ask;
  while (!to_ask_.empty() && ask.tasks.size() < kAskedAtOnce) {
    const TaskId id = *to_ask_.begin();
    to_ask_.erase(to_ask_.begin());
    ask.tasks.push_back(id);
    asked_.insert(id);
  }
  out.push_back(Send{std::move(ask)});
}

/// The fleet knows nothing of it: submit it (again).
void Submission::on_unknown(const TaskId& id, Effects& out) {
  asked_.erase(id);
  if (const auto listed = asking_.find(id); listed != asking_.end()) {
    sources_.at(listed->second.source).to_read.push_back(listed->second.sequence);
    forget_question(listed);
    return;
  }
  const auto position = tasks_.find(id);
  if (position == tasks_.end() || position->second.state != State::asked) return;
  auto& entry = position->second;
  const bool leaves = draining_ && !entry.counted;
  const bool is_nowhere = !entry.task.payload.id && source_of(entry).kind != Kind::read;
  if (source_of(entry).is_live() || entry.task.gone || (is_nowhere && !leaves)) {
    say_gone(position, out);
  } else if (leaves) {
    drop(position, out);
  } else if (entry.task.payload.id) {
    entry.state = State::held;
    line_up(id, source_of(entry));
  } else {
    entry.state = State::reading_again;
    reading_.insert(entry.ref);
    out.push_back(ReadPicture{entry.ref});
  }
}

/// Nobody has the picture any more: the broker is told, and ends the task as lost. Unless another
/// producer submitted it and it was never read here: then nobody can say what it was.
void Submission::say_gone(Position position, Effects& out) {
  auto& entry = position->second;
  let_go(entry, out);
  count_admission(entry);
  if (entry.task.task.empty()) {
    ++counts_.settled.at(static_cast<std::size_t>(Status::lost));
    const char* const text = "the fleet forgot it and it cannot be read any more";
    const SettledTask lost{position->first, Status::lost, Reason::broker_restarted, text};
    finish(position, {{}, lost, false, {}}, out);
    return;
  }
  auto& source = source_of(entry);
  if (source.live.unanswered == position->first) source.live.unanswered.reset();
  entry.task.gone = true;
  entry.state = State::held;
  line_up(position->first, source);
}

}  // namespace framefleet::producer
