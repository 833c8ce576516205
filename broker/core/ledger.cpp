#include "broker/core/ledger.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace framefleet::broker {
namespace {

/// A rate is taken over one to two of these.
constexpr Duration kRateWindow = std::chrono::seconds{10};
/// What a job's book can hold, whatever producers say: 9 bytes a source, which are written with
/// every change of it, make a megabyte; and no record has a larger number.
constexpr std::size_t kJoinedMax = 100'000;
constexpr std::uint64_t kExpectedMax = std::uint64_t{1} << 53U;

std::uint64_t& count_of(InProgress& counts, TaskState state) {
  switch (state) {
    case TaskState::ready:
      return counts.ready;
    case TaskState::delayed:
      return counts.delayed;
    case TaskState::leased:
      return counts.leased;
    case TaskState::storing:
      break;
  }
  return counts.storing;
}

/// The sequence behind it, or its own where there is none.
std::uint64_t behind(const TaskId& id) {
  return id.sequence + (id.sequence < std::numeric_limits<std::uint64_t>::max() ? 1 : 0);
}

/// Settled per second, over the last 10 to 20 seconds; 0 before the first.
double rate_of(const Job& job, Time now) {
  if (job.began_at == kNever) return 0;
  const Time until = std::min(now, job.ended_at);
  const double span = seconds(until - job.window_at + job.last_window);
  return span > 0 ? static_cast<double>(job.settled_in_window + job.settled_in_last) / span : 0;
}

}  // namespace

Source& Ledger::open_source(std::uint64_t hash, const std::string& name) {
  auto& source = sources_[hash];
  if (source.name.empty()) {
    source.hash = hash;
    source.name = name;
    source.labelled = labelled_.size() < kLabelledMax;
    if (source.labelled) labelled_.push_back(&source);
  }
  return source;
}

Source* Ledger::find_source(std::uint64_t hash) {
  const auto position = sources_.find(hash);
  return position == sources_.end() ? nullptr : &position->second;
}

const Source* Ledger::find_source(std::uint64_t hash) const {
  const auto position = sources_.find(hash);
  return position == sources_.end() ? nullptr : &position->second;
}

Source* Ledger::find_source(const std::string& name) {
  const auto position = std::find_if(sources_.begin(), sources_.end(),
                                     [&](const auto& entry) { return entry.second.name == name; });
  return position == sources_.end() ? nullptr : &position->second;
}

Job* Ledger::open_job(const std::string& name) {
  if (name.empty()) return nullptr;
  if (const auto known = jobs_.find(name); known != jobs_.end()) return &known->second;
  fold_jobs();
  auto& job = jobs_[name];
  job.name = name;
  return &job;
}

Job* Ledger::find_job(const std::string& name) {
  const auto position = jobs_.find(name);
  return position == jobs_.end() ? nullptr : &position->second;
}

const Job* Ledger::find_job(const std::string& name) const {
  const auto position = jobs_.find(name);
  return position == jobs_.end() ? nullptr : &position->second;
}

std::vector<std::pair<std::string, Account>> Ledger::labelled() const {
  std::vector<std::pair<std::string, Account>> rows;
  Account rest = total_;
  for (const auto* source : labelled_) {
    rows.emplace_back(source->name, source->account);
    rest.subtract(source->account);
  }
  if (rest.submitted > 0) rows.emplace_back("other", rest);
  return rows;
}

std::vector<std::pair<std::string, Duration>> Ledger::live_sources(Time now) const {
  std::vector<std::pair<std::string, Duration>> rows;
  for (const auto* source : labelled_) {
    if (source->owner && source->live_at != kNever) {
      rows.emplace_back(source->name, now - source->live_at);
    }
  }
  return rows;
}

KnownWork Ledger::known_work() const {
  KnownWork known;
  for (const auto& [hash, source] : sources_) {
    if (source.paused) continue;
    auto waiting = source.in_progress.backlog();
    known.any |= waiting > 0;
    if (source.live_at != kNever) continue;  // its pictures count as they are offered
    const bool is_paced = source.interval > Duration::zero();
    const auto to_come = std::max(source.expected, source.counted_through) - source.counted_through;
    const bool gives_more = source.owner && (source.expected > 0 ? to_come > 0 : is_paced);
    known.any |= gives_more;
    const auto service = seconds(source.service.value());
    if (gives_more && is_paced) {
      known.paced_slots += service / seconds(source.interval);
    } else if (gives_more) {
      waiting += to_come;
    }
    known.batch_seconds += static_cast<double>(waiting) * service;
  }
  return known;
}

void Ledger::rejected(Source& source, Job* job, Time now) {
  join(source, job, now);
  const auto count = [](Account& account) {
    ++account.submitted;
    ++account.rejected;
  };
  count(total_);
  count(source.account);
  note(source);
  note(job);
  if (job != nullptr) count(job->account);
}

void Ledger::admitted(Task& task, Time now) {
  const auto count = [](Account& account, InProgress& in_progress) {
    ++account.submitted;
    ++account.admitted;
    ++in_progress.ready;
  };
  count(total_, in_progress_);
  auto& source = *task.source;
  count(source.account, source.in_progress);
  source.counted_through = std::max(source.counted_through, behind(task.id));
  if (keeps_changes_ && (task.gone || task.task_class == TaskClass::live)) {
    source.unkept.emplace(task.id, task.task_class);
  }
  join(source, task.job, now);
  note(source);
  note(task.job);
  if (task.job == nullptr) return;
  count(task.job->account, task.job->in_progress);
  task.job->ended_at = kNever;
}

/// The source works for this job from here on, and no longer for the one before.
void Ledger::join(Source& source, Job* job, Time now) {
  if (job != nullptr && job->began_at == kNever) job->began_at = job->window_at = now;
  if (source.counted_in == job) return;
  if (source.counted_in != nullptr && source.owner) --source.counted_in->sources;
  source.counted_in = job;
  note(source);
  if (job == nullptr) return;
  note(job);
  job->sources += source.owner ? 1U : 0U;
  if (job->joined.size() >= kJoinedMax && !job->joined.contains(source.hash)) {
    job->total_unknown = true;
    return;
  }
  if (!job->joined.insert(source.hash).second) return;  // it comes back to it
  job->expected = std::min(job->expected + source.expected, kExpectedMax);
  job->stored_before += source.stored_before;
  job->total_unknown |= source.expected == 0;
}

void Ledger::moved(Task& task, TaskState to) {
  if (task.state == TaskState::delayed && task.gone) {
    --unaccounted_;
    --task.source->unaccounted;
  }
  const auto move = [&](InProgress& counts) {
    --count_of(counts, task.state);
    ++count_of(counts, to);
  };
  move(in_progress_);
  move(task.source->in_progress);
  if (task.job != nullptr) move(task.job->in_progress);
  task.state = to;
}

void Ledger::settled(const Task& task, Status status, Time now) {
  FRAMEFLEET_ASSERT(task.state == TaskState::storing);
  const auto count = [status](Account& account, InProgress& in_progress) {
    ++account.settled.at(static_cast<std::size_t>(status));
    --in_progress.storing;
  };
  count(total_, in_progress_);
  count(task.source->account, task.source->in_progress);
  task.source->unkept.erase(task.id);
  note(*task.source);
  note(task.job);
  if (task.job == nullptr) return;
  auto& job = *task.job;
  count(job.account, job.in_progress);
  if (now >= job.window_at + kRateWindow) {
    job.settled_in_last = job.settled_in_window;
    job.last_window = now - job.window_at;
    job.settled_in_window = 0;
    job.window_at = now;
  }
  ++job.settled_in_window;
}

bool Ledger::may_have(const Source& source, const Quota* by) {
  if (source.quota == by) return true;
  return source.quota == nullptr ? !source.owner : !source.quota->listed;
}

std::optional<Refused> Ledger::refusal_of(const std::vector<SourceClaim>& claims,
                                          const Quota* by) const {
  for (const auto& claim : claims) {
    const auto* source = find_source(claim.hash);
    if (source != nullptr && !may_have(*source, by)) {
      return Refused{
          Reason::foreign_source, "source '" + claim.name + "' belongs to another key", {}};
    }
    if (source != nullptr && claim.epoch < source->epoch) {
      return Refused{
          Reason::stale_epoch,
          "source '" + claim.name + "' is owned with epoch " + std::to_string(source->epoch),
          {}};
    }
  }
  return std::nullopt;
}

void Ledger::claimed(Source& source, PeerId owner, const SourceClaim& claim) {
  abandoned(source);
  if (claim.epoch != source.epoch) {  // another run: its numbers and totals are its own
    if (source.counted_in != nullptr) source.counted_in->joined.erase(source.hash);
    note(source.counted_in);
    source.counted_in = nullptr;
    source.stored_before = 0;
    source.counted_through = 0;
  }
  note(source);
  // Of a damaged task's source no name may be known.
  if (!claim.name.empty()) source.name = claim.name;
  source.epoch = claim.epoch;
  source.expected = claim.expected;
  source.interval = claim.interval;
  source.owner = owner;
  if (source.counted_in != nullptr) ++source.counted_in->sources;
}

void Ledger::abandoned(Source& source) {
  if (source.owner && source.counted_in != nullptr) --source.counted_in->sources;
  source.owner = PeerId{};
}

void Ledger::stored_before(const TaskId& id) {
  auto* const source = find_source(id.source);
  if (source == nullptr || id.epoch != source->epoch) return;
  if (id.sequence < source->counted_through) return;
  source->counted_through = behind(id);
  ++source->stored_before;
  note(*source);
  note(source->counted_in);
  if (source->counted_in != nullptr) ++source->counted_in->stored_before;
}

bool Ledger::ends(Job& job, Time now) {
  if (job.ended_at != kNever || job.began_at == kNever || job.in_progress.in_all() > 0)
    return false;
  const bool all_there = !job.total_unknown && done_of(job) >= job.expected;
  const bool awaited = owners_awaited_until_ != kNever && now < owners_awaited_until_;
  if (!all_there && !job.cancelled && (job.sources > 0 || awaited)) return false;
  job.ended_at = now;
  note(&job);
  return true;
}

/// Whoever has a key cannot make us forget whose the sources of others are, only its own.
std::vector<Source*> Ledger::idle_sources() {
  std::map<const Quota*, std::uint64_t> owned;  // looked up alone
  for (const auto& [hash, source] : sources_) ++owned[source.quota];
  std::vector<Source*> idle;
  for (auto& [hash, source] : sources_) {
    const bool in_use = source.owner || source.paused || source.in_progress.in_all() > 0;
    const auto* const quota = source.quota;
    const bool is_kept = quota != nullptr && quota->listed && owned[quota] <= accounts_max_;
    if (!in_use && !is_kept) idle.push_back(&source);
  }
  std::sort(idle.begin(), idle.end(),
            [](const Source* left, const Source* right) { return left->name < right->name; });
  return idle;
}

void Ledger::fold(Source& source) {
  other_sources_.add(source.account);
  if (keeps_changes_) gone_sources_.push_back(source.hash);
  others_changed_ = true;
  std::erase(labelled_, &source);
  sources_.erase(source.hash);
}

void Ledger::fold_jobs() {
  if (jobs_.size() <= jobs_fold_at_) return;
  // A cancelled one goes when its producers have left: until then it refuses what they submit.
  const auto is_done = [](const Job& job) {
    return job.ended_at != kNever && (!job.cancelled || job.sources == 0);
  };
  for (auto& [hash, source] : sources_) {
    if (source.counted_in == nullptr || !is_done(*source.counted_in)) continue;
    source.counted_in = nullptr;
    note(source);
  }
  const auto is_over = [&is_done](const auto& entry) { return is_done(entry.second); };
  for (const auto& entry : jobs_) {
    if (!is_over(entry)) continue;
    other_jobs_.add(entry.second.account);
    if (keeps_changes_) gone_jobs_.push_back(entry.first);
    others_changed_ = true;
  }
  std::erase_if(jobs_, is_over);
  jobs_fold_at_ = std::max(accounts_max_, 2 * jobs_.size());
}

template <class Map>
static auto by_name(const Map& records) {
  std::vector<const typename Map::mapped_type*> sorted;
  sorted.reserve(records.size());
  for (const auto& [key, record] : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* left, const auto* right) { return left->name < right->name; });
  return sorted;
}

std::vector<const Source*> Ledger::sources() const { return by_name(sources_); }
std::vector<const Job*> Ledger::jobs() const { return by_name(jobs_); }

std::uint64_t done_of(const Job& job) {
  return job.account.settled_in_all() + job.account.rejected + job.stored_before;
}

JobRow row_of(const Job& job, Time now) {
  JobRow row;
  row.name = job.name;
  row.account = job.account;
  row.in_progress = job.in_progress;
  row.expected = job.total_unknown ? 0 : job.expected;
  row.cancelled = job.cancelled;
  row.finished = job.ended_at != kNever;
  if (job.began_at != kNever) row.elapsed = std::min(now, job.ended_at) - job.began_at;
  row.rate = rate_of(job, now);
  const auto done = done_of(job);
  if (row.finished) {
    row.eta = Duration::zero();
  } else if (!row.cancelled && row.rate > 0 && row.expected >= done && row.expected > 0) {
    row.eta = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(static_cast<double>(row.expected - done) / row.rate));
  }
  return row;
}

}  // namespace framefleet::broker
