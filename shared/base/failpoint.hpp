#pragma once
// Named places where a test makes a process die or stand still: before and after every durable
// step, and where messages cross between processes. In what users run, a point does nothing: the
// definition in this library is empty. The programs in tests/failpoints are the same objects linked
// with another definition, which is told by its environment what to do where (tests/failpoints).
//
// A point stands in shells, journals, stores and transport; cores have none. Every name stands here
// once, in the code once, and in docs/TESTING.md (tests/tidy). Threads: any. Errors: none.

#include <algorithm>
#include <array>
#include <string_view>

namespace framefleet {

inline constexpr auto kFailpoints = std::to_array<std::string_view>({
    // The broker's journal: made, verified, read.
    "journal.create.written",
    "journal.create.reserved",
    "journal.create.renamed",
    "journal.verify.before",
    "journal.verify.after",
    "journal.quarantine.before",
    "journal.quarantine.after",
    "journal.incarnation.before",
    "journal.incarnation.after",
    "journal.scan.before",
    "journal.scan.after",
    // A commit of it, in its own thread.
    "journal.begin",
    "journal.admission.record",
    "journal.admission.payload",
    "journal.attempt.record",
    "journal.end.record",
    "journal.end.payload",
    "journal.books.before",
    "journal.books.after",
    "journal.commit.before",
    "journal.commit.after",
    // The broker's loop.
    "broker.bound",
    "broker.restored",
    "broker.written.before",
    "broker.written.after",
    "broker.drain.begin",
    "broker.drain.journal",
    "broker.drain.end",
    // The sink's store: made, a batch, what is beside the database, an orderly end.
    "store.create.unfinished",
    "store.create.renamed",
    "store.create.synced",
    "store.begin",
    "store.pictures.before",
    "store.pictures.written",
    "store.pictures.synced",
    "store.pictures.renamed",
    "store.pictures.after",
    "store.rows.begun",
    "store.rows.inserted",
    "store.gap.written",
    "store.dead_letter.kept",
    "store.commit.before",
    "store.commit.after",
    "store.ndjson.before",
    "store.ndjson.after",
    "store.ndjson.synced",
    "store.checkpoint.before",
    "store.checkpoint.after",
    "store.prune.before",
    "store.prune.files",
    "store.prune.after",
    "store.told",
    "store.close.before",
    "store.close.after",
    "sink.drain.begin",
    // The producer's numbers of pictures.
    "manifest.before",
    "manifest.written",
    "manifest.synced",
    "manifest.renamed",
    "manifest.after",
    "producer.picture.read",
    "producer.drain.begin",
    // The worker and its child processes.
    "worker.order.before",
    "worker.order.after",
    "worker.answer.taken",
    "worker.result.kept",
    "worker.drain.begin",
    "child.born",
    "child.ready",
    "child.order.taken",
    "child.answer.written",
    "child.answer.said",
    // Messages, whoever says or hears them.
    "send.submit.before",
    "send.submit.after",
    "receive.submit",
    "send.admitted.before",
    "send.admitted.after",
    "receive.admitted",
    "send.settled.before",
    "send.settled.after",
    "receive.settled",
    "send.ask.before",
    "send.ask.after",
    "receive.ask",
    "send.known.before",
    "send.known.after",
    "receive.known",
    "send.assign.before",
    "send.assign.after",
    "receive.assign",
    "send.result.before",
    "send.result.after",
    "receive.result",
    "send.nack.before",
    "send.nack.after",
    "receive.nack",
    "send.release.before",
    "send.release.after",
    "receive.release",
    "send.outcomes.before",
    "send.outcomes.after",
    "receive.outcomes",
    "send.stored.before",
    "send.stored.after",
    "receive.stored",
    "send.goodbye.before",
    "send.goodbye.after",
    "receive.goodbye",
});

/// One of those names; another one does not compile.
class FailpointName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a name is written as a literal
  consteval FailpointName(const char* name)
      : name_(*std::find(kFailpoints.begin(), kFailpoints.end(), std::string_view(name))) {}

  constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

/// Says that the process is here.
void failpoint(FailpointName here) noexcept;

}  // namespace framefleet
