#include "broker/journal_link.hpp"

#include "broker/options.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/security/token.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace framefleet::broker {
namespace {

/// Ends need free pages too: from here on nothing new is admitted.
constexpr double kFullAt = 0.85;
/// And again from here on, so that it does not go to and fro with every task.
constexpr double kRoomAt = 0.80;
/// A disk that takes longer for a commit has enough to do.
constexpr Duration kSlow = std::chrono::seconds{2};

Error broken(const JournalFault& fault) {
  return {"journal: " + fault.text +
              "; nobody was told of what may be lost. Look at the disk, then at the journal "
              "(framefleet journal check)",
          exit_code::kDiskError};
}

Result<void, Error> fault_of(const JournalWriterStatus& status) {
  if (!status.fault) return {};
  return fail(broken(*status.fault));
}

}  // namespace

Result<std::unique_ptr<JournalLink>, Error> JournalLink::open(const JournalOptions& options,
                                                              telemetry::Program& program) {
  auto journal = LmdbJournal::open(options);
  if (!journal) return fail(journal.error());
  const auto by_clock = incarnation_at(telemetry::wall_clock_ms());
  const auto incarnation = (*journal)->begin_incarnation(by_clock);
  if (!incarnation) return fail(broken(incarnation.error()));
  const auto token_key = (*journal)->keep_token_key(security::TokenMint().key());
  if (!token_key) return fail(broken(token_key.error()));
  std::unique_ptr<JournalLink> link(new JournalLink(program));
  link->incarnation_ = *incarnation;
  link->token_key_ = *token_key;
  link->journal_ = std::move(*journal);
  return link;
}

Result<void, Error> JournalLink::restore(Dispatcher& dispatcher, transport::PayloadStore& payloads,
                                         Time now, Effects& out) {
  const auto wall_now = static_cast<std::uint64_t>(telemetry::wall_clock_ms());
  failpoint("journal.scan.before");
  std::vector<RestoredTask> tasks;
  Duration away = kUnattendedMax;  // since the last of them was written
  std::uint64_t ahead = 0;
  const auto contents = journal_->scan([&](JournaledTask task, std::vector<std::string> bytes) {
    std::vector<transport::Frame> frames;
    for (auto& frame : bytes) frames.push_back(transport::Frame::of(std::move(frame)));
    const auto waited = unattended(task.written_at_ms, wall_now);
    away = std::min(away, waited);
    if (task.written_at_ms > wall_now) ++ahead;
    tasks.push_back({std::move(task), waited, payloads.put(std::move(frames))});
  });
  if (!contents) return fail(broken(contents.error()));
  failpoint("journal.scan.after");
  dispatcher.restore(contents->fleet, contents->jobs, contents->sources, now);
  const auto restored = tasks.size();
  for (auto& task : tasks) dispatcher.restore(std::move(task), now);
  for (const auto& damaged : contents->damaged) {
    program_.log.error("task_damaged", {{"task", to_string(damaged.id)}, {"text", damaged.text}});
    auto task = damaged.record.value_or(JournaledTask{});
    task.id = damaged.id;
    dispatcher.restore_damaged(std::move(task), damaged.text, now, out);
  }
  dispatcher.end_restore(now);
  program_.log.info("journal_read", {{"tasks", restored},
                                     {"damaged", contents->damaged.size()},
                                     {"sources", contents->sources.size()},
                                     {"jobs", contents->jobs.size()},
                                     {"unaccounted", dispatcher.fleet_status(now).unaccounted},
                                     {"away", tasks.empty() ? Duration::zero() : away},
                                     {"incarnation", incarnation_}});
  if (ahead > 0) program_.log.warn("clock_set_back", {{"tasks", ahead}});
  JournalWriterOptions options;
  options.now = telemetry::monotonic_now;
  writer_ = std::make_unique<JournalWriter>(std::move(journal_), std::move(options));
  return {};
}

void JournalLink::gather(const Effects& effects, const transport::PayloadStore& payloads) {
  const auto wall_clock_ms = [] { return static_cast<std::uint64_t>(telemetry::wall_clock_ms()); };
  for (const auto& effect : effects) {
    if (const auto* write = std::get_if<WriteTask>(&effect)) {
      JournalAdmission admission{write->task, {}};
      admission.task.written_at_ms = wall_clock_ms();
      for (const auto& frame : payloads.frames(write->payload.id)) {
        frames_.push_back(frame);
        admission.frames.push_back(frame.bytes());
      }
      changes_.emplace_back(std::move(admission));
    } else if (const auto* again = std::get_if<WriteAttempt>(&effect)) {
      JournalAttempt attempt{again->task};
      attempt.task.written_at_ms = wall_clock_ms();
      changes_.emplace_back(std::move(attempt));
    } else if (const auto* end = std::get_if<WriteEnd>(&effect)) {
      changes_.emplace_back(JournalEnd{end->task});
    }
  }
}

Result<void, Error> JournalLink::turn(Dispatcher& dispatcher, Time now, Effects& out) {
  hand_over(dispatcher);
  auto progress = writer_->take_committed();
  commit_times_.insert(commit_times_.end(), progress.commit_time.begin(),
                       progress.commit_time.end());
  std::uint64_t answers = 0;
  while (!awaited_.empty() && awaited_.front().work <= progress.through) {
    answers = awaited_.front().answers;
    awaited_.pop_front();
  }
  if (answers > 0) {
    failpoint("broker.written.before");
    dispatcher.written(answers, now, out);
    failpoint("broker.written.after");
  }
  const auto status = writer_->status();
  look_at_room(status, dispatcher, now);
  return fault_of(status);
}

/// Everything since the last time is one work, so that the books agree with the tasks in it.
void JournalLink::hand_over(Dispatcher& dispatcher) {
  if (!work_) {
    const auto answers = dispatcher.to_be_written();
    auto books = dispatcher.changed_books();
    if (changes_.empty() && books.empty() && answers == answers_) return;
    if (answers != answers_) {
      awaited_.push_back({works_ + 1, answers, telemetry::monotonic_now()});
      answers_ = answers;
    }
    work_.emplace();
    work_->number = ++works_;
    work_->batch.changes = std::exchange(changes_, {});
    work_->batch.books = std::move(books);
    work_->frames = std::make_shared<std::vector<transport::Frame>>(std::exchange(frames_, {}));
  }
  if (writer_->submit(std::move(*work_))) work_.reset();  // else it is offered again
}

/// A journal that is nearly full, or a disk that is too slow, stops submits before it stops us.
void JournalLink::look_at_room(const JournalWriterStatus& status, Dispatcher& dispatcher,
                               Time now) {
  const auto used = static_cast<double>(status.stats.used_bytes);
  const auto bytes_max = static_cast<double>(status.stats.bytes_max);
  const bool slow = !awaited_.empty() && now - awaited_.front().since > kSlow;
  const bool full = status.full || work_ || slow || used > (full_ ? kRoomAt : kFullAt) * bytes_max;
  if (full == full_) return;
  full_ = full;
  dispatcher.journal_full(full);
  if (full) {
    program_.log.warn("journal_full", {{"used_bytes", status.stats.used_bytes},
                                       {"bytes_max", status.stats.bytes_max},
                                       {"slow", slow}});
  } else {
    program_.log.info("journal_has_room", {{"used_bytes", status.stats.used_bytes}});
  }
}

Result<void, Error> JournalLink::close(Dispatcher& dispatcher) {
  hand_over(dispatcher);
  writer_->stop();
  return fault_of(writer_->status());
}

JournalLinkStats JournalLink::stats() const {
  const auto status = writer_->status();
  return {status.stats, status.queued_bytes, full_};
}

}  // namespace framefleet::broker
