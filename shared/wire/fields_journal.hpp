#pragma once
// The keys of the records that a broker's journal keeps. They never travel; a later build reads
// them.

#include "shared/base/journal_records.hpp"
#include "shared/wire/fields_storing.hpp"
#include "shared/wire/rules.hpp"

#include <cstddef>
#include <limits>

namespace framefleet::wire {

/// Any 64 bits: hashes of names, and numbers of pictures, which their producers choose.
inline constexpr Range kHash{std::numeric_limits<std::uint64_t>::max()};
inline constexpr Range kSequence{std::numeric_limits<std::uint64_t>::max()};

template <class V, Of<AttemptRecord> M>
void fields(V& v, M& m) {
  v.must("attempt", m.attempt, Range{0xFFFF});
  v.may("worker", m.worker, Text{});
  v.must("reason", m.reason);
  v.may("text", m.text, Prose{});
}

template <class V, Of<JournaledTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("source", m.source, Text{.bytes_min = 1});
  v.may("job", m.job, Text{});
  v.may("detectors", m.detectors, SetOf<Text>{kDetectorsMax, Text{kDetectorBytesMax, 1}});
  v.may("task", m.task, Bytes{kTaskLimits.bytes});
  v.may("digest", m.digest, Bytes{kDigestBytesMax});
  v.may("priority", m.priority, Range{kPriorityMax});
  v.may("age_us", m.age, Micros{});
  v.may("ttl_left_us", m.ttl_left, Micros{});
  v.may("revived_from", m.revived_from);
  v.may("attempts", m.attempts, Range{0xFFFF});
  v.may("failed", m.failed, Range{0xFFFF});
  v.may("lost", m.lost, Range{0xFFFF});
  v.may("history", m.history, ListOf<>{kHistoryMax});
  v.may("over", m.over);
  v.may("cancelled", m.cancelled);
  v.must("written_at_ms", m.written_at_ms, Range{kWallClockMsMax});
}

template <class V, Of<Account> M>
void fields(V& v, M& m) {
  v.may("submitted", m.submitted, Range{});
  v.may("rejected", m.rejected, Range{});
  v.may("admitted", m.admitted, Range{});
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    v.may(to_string(static_cast<Status>(i)), m.settled[i], Range{});
  }
}

template <class V, Of<SourceBook> M>
void fields(V& v, M& m) {
  v.must("hash", m.hash, kHash);
  v.may("name", m.name, Text{});
  v.may("epoch", m.epoch, Range{});
  v.must("weight", m.weight, Range{kWeightMax, 1});
  v.may("paused", m.paused);
  v.may("expected", m.expected, Range{});
  v.may("stored_before", m.stored_before, Range{});
  v.may("counted_through", m.counted_through, kSequence);
  v.may("job", m.job, Text{});
  v.may("identity", m.identity, Text{});
  v.may("account", m.account);
  v.may("live", m.live, ListOf<>{kUnkeptMax});
  v.may("gone", m.gone, ListOf<>{kUnkeptMax});
}

template <class V, Of<JobBook> M>
void fields(V& v, M& m) {
  v.must("name", m.name, Text{.bytes_min = 1});
  v.may("expected", m.expected, Range{});
  v.may("stored_before", m.stored_before, Range{});
  v.may("total_unknown", m.total_unknown);
  v.may("cancelled", m.cancelled);
  v.may("ended", m.ended);
  v.may("joined", m.joined, ListOf<Range>{kJoinedMax, kHash});
  v.may("account", m.account);
}

template <class V, Of<FleetBook> M>
void fields(V& v, M& m) {
  v.may("store", m.store, Text{});
  v.may("paused", m.paused);
  v.may("other_sources", m.other_sources);
  v.may("other_jobs", m.other_jobs);
}

}  // namespace framefleet::wire
