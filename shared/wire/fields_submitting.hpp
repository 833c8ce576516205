#pragma once
// The keys of the messages between a submitter and the broker (docs/PROTOCOL.md section 6).

#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"

namespace framefleet::wire {

template <class V, Of<SubmittedTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("source", m.source, Text{.bytes_min = 1});
  v.may("job", m.job, Text{});
  v.may("class", m.task_class);
  v.may("priority", m.priority, Range{kPriorityMax});
  v.must("detectors", m.detectors, SetOf<Text>{kDetectorsMax, Text{kDetectorBytesMax, 1}, 1});
  v.may("ttl_ms", m.ttl, Millis{});
  v.may("digest", m.digest, Bytes{kDigestBytesMax});
  v.must("task", m.task, Bytes{kTaskLimits.bytes, 1});
  v.may("revived_from", m.revived_from);
  v.may("gone", m.gone);
  v.payload(m.payload, Range{kTaskFramesMax});
  v.check(!m.gone || m.payload.frames == 0, "gone", "a picture that is gone has no frames");
}

template <class V, Of<Submit> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<AdmittedTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.may("durable", m.durable);
}

template <class V, Of<Admitted> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
  v.may("unknown_detectors", m.unknown_detectors,
        SetOf<Text>{kDetectorsMax, Text{kDetectorBytesMax, 1}});
}

template <class V, Of<Busy> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
  v.must("reason", m.reason);
  v.must("retry_ms", m.retry, Millis{});
}

template <class V, Of<RejectedTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("reason", m.reason);
  v.may("text", m.text, Prose{});
}

template <class V, Of<Rejected> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<SettledTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("status", m.status);
  v.may("reason", m.reason);
  v.may("text", m.text, Prose{});
}

template <class V, Of<Settled> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Ask> M>
void fields(V& v, M& m) {
  v.may("asker", m.asker, kAsker);
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Known> M>
void fields(V& v, M& m) {
  v.may("asker", m.asker, kAsker);
  v.may("stored", m.stored, ListOf<>{});
  v.may("unknown", m.unknown, ListOf<>{});
}

}  // namespace framefleet::wire
