// The part of the producer's core that is about batch tasks which the broker was too busy for.

#include "producer/core/submission.hpp"

namespace framefleet::producer {

void Submission::on_busy(const Busy& busy, Time now, Effects& out) {
  ++counts_.busy_answers;
  for (const auto& id : busy.tasks) {
    const auto position = tasks_.find(id);
    if (position == tasks_.end() || position->second.state != State::submitted) continue;
    auto& entry = position->second;
    auto& source = source_of(entry);
    if (source.is_live() && !entry.task.gone) {
      on_live_busy(position, now + busy.retry, out);
    } else if (draining_ && !entry.counted) {
      drop(position, out);
    } else if (source.kind == Kind::leaving && !entry.counted) {
      skip(position, out);
    } else {
      answered(entry);
      entry.state = State::held;
      source.patience.waiting.insert(id);
      source.patience.until = now + busy.retry;
    }
  }
}

/// There is room again: twice as many are tried, until all are through or one is too many.
void Submission::on_batch_admitted(Source& source, Time now) {
  if (source.patience.until <= now) send_again(source.patience, 2);
}

/// To be sent, behind those of its source that wait for a busy broker.
void Submission::line_up(const TaskId& id, Source& source) {
  if (source.patience.waiting.empty()) {
    to_send_.push_back(id);
  } else {
    source.patience.waiting.insert(id);
  }
}

/// A new connection: nothing of the last one is answered, and nobody was busy on it.
void Submission::forget_busy() {
  for (auto& source : sources_) {
    source.patience.unanswered = 0;
    source.patience.until = Time{};
    send_again(source.patience, source.patience.waiting.size());
  }
}

/// After the pause one task of each source asks whether the broker is still busy.
void Submission::send_one_again(Time now) {
  for (auto& source : sources_) {
    if (next_try(source) <= now) send_again(source.patience, 1);
  }
}

void Submission::send_again(Patience& patience, std::size_t count) {
  for (; count > 0 && !patience.waiting.empty(); --count) {
    to_send_.push_back(*patience.waiting.begin());
    patience.waiting.erase(patience.waiting.begin());
  }
}

/// kNever: nothing of it waits, or what was sent or may be sent is answered first.
Time Submission::next_try(const Source& source) const {
  const auto& patience = source.patience;
  const bool others_first = patience.unanswered > 0 || !to_send_.empty();
  return patience.waiting.empty() || others_first ? kNever : patience.until;
}

}  // namespace framefleet::producer
