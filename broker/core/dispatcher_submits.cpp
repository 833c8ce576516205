// Submits: who is answered what, and what is let in.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// A source may hold this many times what is still free, and all sources of a producer together
/// that many: with n greedy sources each ends at 4 / (4n + 1) of the cap, and whoever comes later
/// always finds room (Choudhury and Hahne: "Dynamic queue length thresholds for shared-memory
/// packet switches", 1998).
constexpr std::uint64_t kSourceShare = 4;
constexpr std::uint64_t kProducerShare = 8;

/// A producer that may have a thousand tasks unanswered can do without the word for a moment, and
/// of a task that ends meanwhile it needs none.
constexpr Duration kAdmissionCanWait = std::chrono::milliseconds{1};
/// How many times its grant of tasks a producer may have whose answers wait for the journal: what
/// it asks about comes to what it has submitted.
constexpr std::uint64_t kGrantsUnanswered = 2;

std::uint64_t minus(std::uint64_t cap, std::uint64_t used) { return cap > used ? cap - used : 0; }

/// One more of `size` beside the `held` is within the share of what is free, and under the cap (0:
/// none). Whoever holds nothing is always within it.
bool within(std::uint64_t held, std::uint64_t size, std::uint64_t free, std::uint64_t share,
            std::uint64_t cap) {
  if (held == 0) return true;
  if (cap > 0 && held + size > cap) return false;
  return (held + size + share - 1) / share <= free;  // rounded up; does not overflow
}

void release_payload(const Payload& payload, Effects& out) {
  if (payload.id) out.push_back(ReleasePayload{payload.id});
}

/// What Task::bytes() will be.
std::uint64_t bytes_of(const SubmittedTask& task) {
  return task.payload.bytes + task.task.size() + task.digest.size() + Task::kTables;
}

/// Says which detectors no worker ever had: perhaps a typing error, perhaps a worker to come.
void warn_of_unknown(const std::vector<std::string>& detectors,
                     const std::set<std::string>& announced, Admitted& admitted) {
  if (announced.empty()) return;
  auto& unknown = admitted.unknown_detectors;
  for (const auto& name : detectors) {
    if (!announced.contains(name) && unknown.size() < kRoutesMax &&
        std::find(unknown.begin(), unknown.end(), name) == unknown.end()) {
      unknown.push_back(name);
    }
  }
}

/// How many pictures this submit stands for. Of a live source also those that were skipped before
/// it, by its number: as far as they came within the window, because after a cut they are many and
/// long gone. Batch sources whose pace or end is known are none: Ledger::known_work() has them.
double pictures_offered(Source& source, const SubmittedTask& task, Time now, Duration window) {
  if (task.gone) return 0;
  const std::pair number{task.id.epoch, task.id.sequence};
  const auto before = source.offered_through;
  if (before && number <= *before) return 0;
  source.offered_through = number;
  if (source.paused) return 0;
  if (task.task_class != TaskClass::live) {
    const bool known = source.interval > Duration::zero() || source.expected > 0;
    return known ? 0 : 1;
  }
  if (!before || before->first != number.first || source.live_at == kNever) return 1;
  const auto pictures = static_cast<double>(number.second - before->second);
  const auto since = now - source.live_at;
  return since <= window ? pictures : std::max(1.0, pictures * seconds(window) / seconds(since));
}

}  // namespace

void Dispatcher::on_submit(PeerId from, const Submit& submit, Time now, Effects& out) {
  SubmitAnswers answers;
  for (const auto& task : submit.tasks) submit_one(from, task, now, answers, out);
  if (!answers.in_memory.tasks.empty()) {
    // A warning is for a person, and would be lost with the last of its tasks.
    const bool warns = !answers.in_memory.unknown_detectors.empty();
    const auto can_wait = warns ? Duration::zero() : kAdmissionCanWait;
    out.push_back(SendTo{from, std::move(answers.in_memory), can_wait});
  }
  if (answers.again) unwritten_.leave_out_waiting(from, answers.once_written);
  if (!answers.once_written.tasks.empty()) {
    answer_once_written(from, std::move(answers.once_written), out);
  }
  assign_all(now, out);
}

void Dispatcher::submit_one(PeerId from, const SubmittedTask& task, Time now,
                            SubmitAnswers& answers, Effects& out) {
  // First of all: what we know of another key's task is not for this one.
  const auto* const source_of_id = ledger_.find_source(task.id.source);
  if (source_of_id != nullptr && !Ledger::may_have(*source_of_id, peers_.at(from).quota)) {
    ++counts_.foreign_ids;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, Rejected{{{task.id, Reason::not_owner,
                                          "the source of this id belongs to another key"}}}});
    return;
  }
  const auto* known = tasks_.find(task.id);
  if (known != nullptr && known->unaccounted()) {
    submit_unaccounted(from, task, now, out);
    if (task.gone) return;
    known = nullptr;
  }
  if (known != nullptr) {
    ++counts_.duplicate_submits;
    release_payload(task.payload, out);
    const auto digest = known->texts.digest();
    if (!digest.empty() && !task.digest.empty() && digest != task.digest) {
      out.push_back(SendTo{from, Rejected{{{task.id, Reason::conflict,
                                            "this id is in progress with another payload"}}}});
    } else {
      const bool durable = is_kept(*known);
      (durable ? answers.once_written : answers.in_memory).tasks.push_back({task.id, durable});
      answers.again |= durable;
    }
    return;
  }
  if (const auto* settled = settled_.find(task.id)) {
    ++counts_.duplicate_submits;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, Settled{{*settled}}});
    return;
  }
  // It was not granted so much: while a disk stands still its rejections alone would fill us.
  if (unwritten_.waiting_of(from) >= kGrantsUnanswered * options_.grant_tasks) {
    ++counts_.busy_answers;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, Busy{{task.id}, Reason::grant_exceeded, options_.busy_retry}});
    return;
  }
  if (auto rejected = reject_answer(from, task)) {
    release_payload(task.payload, out);
    // Not a word of this producer's about its source: another one's books stay as they are.
    if (rejected->reason != Reason::not_owner) {
      auto* const job = ledger_.open_job(task.job);
      auto& source = ledger_.open_source(task.id.source, task.source);
      auto* const job_before = source.counted_in;
      ledger_.rejected(source, job, now);
      note_end_of(job, now, out);
      if (job_before != job) note_end_of(job_before, now, out);
    }
    answer_once_written(from, Rejected{{std::move(*rejected)}}, out);
    return;
  }
  note_offer(task, now);
  auto busy = busy_answer(from, task, now);
  const auto opened_before = routes_.opened();
  const auto route = busy ? std::nullopt : routes_.open(task.detectors);
  if (!busy && !route) busy = Busy{{task.id}, Reason::backlog_routes, options_.busy_retry};
  if (busy) {
    ++counts_.busy_answers;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, std::move(*busy)});
    return;
  }
  if (routes_.opened() != opened_before) note_routes(now);
  // Of what has no picture the books alone are written.
  const bool is_written = options_.journal && task.task_class == TaskClass::batch;
  auto& admitted = is_written ? answers.once_written : answers.in_memory;
  admitted.tasks.push_back({task.id, is_kept(task)});
  warn_of_unknown(task.detectors, announced_, admitted);
  admit(from, task, *route, now, out);
}

std::optional<RejectedTask> Dispatcher::reject_answer(PeerId from, const SubmittedTask& task) {
  const auto* source = ledger_.find_source(task.id.source);
  if (source == nullptr || source->owner != from || source->name != task.source) {
    return RejectedTask{task.id, Reason::not_owner,
                        "source '" + task.source + "' was not claimed in this producer's hello"};
  }
  if (task.id.epoch != source->epoch) {
    return RejectedTask{task.id, Reason::stale_epoch,
                        "source '" + task.source + "' was claimed with another epoch"};
  }
  if (task.payload.bytes > options_.payload_bytes_max) {
    return RejectedTask{task.id, Reason::too_large_payload,
                        "the payload has " + std::to_string(task.payload.bytes) +
                            " bytes; the limit is " + std::to_string(options_.payload_bytes_max)};
  }
  const auto* job = ledger_.find_job(task.job);
  if (job != nullptr && job->cancelled) {
    return RejectedTask{task.id, Reason::cancelled_by_operator,
                        "job '" + task.job + "' was cancelled"};
  }
  return std::nullopt;
}

std::optional<Busy> Dispatcher::busy_answer(PeerId from, const SubmittedTask& task,
                                            Time now) const {
  const auto busy = [&](Reason reason) { return Busy{{task.id}, reason, options_.busy_retry}; };
  if (draining_) return busy(Reason::draining);
  if (journal_full_ && is_kept(task)) return busy(Reason::journal_full);
  if (!sink_keeps_up()) return busy(Reason::sink_slow);
  if (tasks_.size() >= options_.backlog_tasks_max) return busy(Reason::backlog_tasks);
  const auto bytes = bytes_of(task);
  const auto& source = *ledger_.find_source(task.id.source);
  const bool is_live = task.task_class == TaskClass::live && !task.gone;
  const bool replaces = is_live && source.waiting_live != nullptr;
  const auto others = backlog_bytes_ - (replaces ? source.waiting_live->bytes() : 0);
  // A task larger than the whole cap is let in when it is alone: it can never fit better.
  if (others > 0 && others + bytes > options_.backlog_bytes_max) return busy(Reason::backlog_bytes);
  const auto& peer = peers_.at(from);
  if (const auto* quota = peer.quota; quota != nullptr) {
    const auto freed = replaces ? source.waiting_live->quota_part.bytes_of(quota) : 0;
    if (const auto wait = quotas_.wait_for(*quota, {task.payload.bytes, bytes, freed}, now)) {
      const auto retry = wait->retry > Duration::zero() ? wait->retry : options_.busy_retry;
      return Busy{{task.id}, wait->reason, retry};
    }
  }
  if (replaces) return std::nullopt;
  const auto free_tasks = minus(options_.backlog_tasks_max, tasks_.size());
  const auto free_bytes = minus(options_.backlog_bytes_max, backlog_bytes_);
  if (!within(peer.tasks, 1, free_tasks, kProducerShare, options_.producer_tasks_max) ||
      !within(peer.bytes, bytes, free_bytes, kProducerShare, options_.producer_bytes_max)) {
    return busy(Reason::peer_share);
  }
  if (is_live) return std::nullopt;  // of a source's own, a ring of one frame is the cap
  if (!within(source.in_progress.backlog(), 1, free_tasks, kSourceShare,
              options_.source_tasks_max) ||
      !within(source.bytes, bytes, free_bytes, kSourceShare, options_.source_bytes_max)) {
    return busy(Reason::source_share);
  }
  return std::nullopt;
}

void Dispatcher::admit(PeerId from, const SubmittedTask& submitted, RouteId route, Time now,
                       Effects& out) {
  auto& task = tasks_.add(submitted.id);
  task.source = ledger_.find_source(submitted.id.source);
  task.job = ledger_.open_job(submitted.job);
  task.payload = submitted.payload;
  task.texts = {submitted.digest, submitted.task};
  if (submitted.revived_from) {
    task.past_in(options_.incarnation).revived_from = submitted.revived_from;
  }
  task.admitted_at = task.queued_at = now;
  task.task_class = submitted.task_class;
  task.gone = submitted.gone;
  auto ttl = submitted.ttl;
  if (ttl == Duration::zero() && task.task_class == TaskClass::live) ttl = options_.live_ttl;
  if (ttl > Duration::zero()) task.deadline = now + ttl;
  task.priority = submitted.priority;
  task.route = route;
  routes_.enter(route);
  auto* const job_before = task.source->counted_in;
  ledger_.admitted(task, now);
  if (job_before != task.job) note_end_of(job_before, now, out);
  count_bytes(task);
  auto& peer = peers_.at(from);
  ++peer.tasks;
  task.quota_part.take(peer.quota, task.bytes());
  if (peer.quota != nullptr) Quotas::charge(*peer.quota, task.payload.bytes, now);
  note_waiting(task);
  if (is_kept(task)) out.push_back(WriteTask{journaled(task, now), task.payload});
  if (options_.journal && task.task_class == TaskClass::batch) {
    task.written_by = unwritten_.given() + 1;  // with the answer that on_submit() will give
  }
  if (task.gone) {
    end_unworked(task, Status::lost, Reason::broker_restarted, now, out);
  } else if (task.task_class == TaskClass::live) {
    admit_live(task, now, out);
  } else {
    backlog_.push_back(task);
  }
}

/// The newest frame takes the place of the one that waits; one that comes late is superseded.
void Dispatcher::admit_live(Task& task, Time now, Effects& out) {
  auto& source = *task.source;
  const std::pair number{task.id.epoch, task.id.sequence};
  if (source.newest_live && *source.newest_live > number) {
    end_unworked(task, Status::superseded, Reason::newer_frame, now, out);
    return;
  }
  source.newest_live = number;
  auto* const older = std::exchange(source.waiting_live, &task);
  if (older == nullptr) {
    backlog_.push_back(task);
    return;
  }
  backlog_.replace(*older, task);
  end_unworked(*older, Status::superseded, Reason::newer_frame, now, out);
}

/// Every picture counts once, when it is submitted for the first time, whatever the answer is.
void Dispatcher::note_offer(const SubmittedTask& task, Time now) {
  if (task.gone) return;
  auto& source = *ledger_.find_source(task.id.source);
  const double pictures = pictures_offered(source, task, now, options_.demand.window);
  if (pictures > 0) demand_.offered(pictures, source.service.value(), now);
  // A live source that has a producer and says nothing is one that hangs.
  if (task.task_class == TaskClass::live) source.live_at = now;
}

}  // namespace framefleet::broker
