#pragma once
// The keys of the messages between the broker and a worker (docs/PROTOCOL.md section 7).

#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"

namespace framefleet::wire {

/// Hand-outs are counted from 1 in 16 bits; their caps are far lower.
inline constexpr Range kAttempt{0xFFFF, 1};

template <class V, Of<AssignedTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("lease", m.lease);
  v.must("attempt", m.attempt, kAttempt);
  v.must("lease_ms", m.lease_duration, Millis{});
  v.may("ttl_left_ms", m.ttl_left, Millis{});
  v.may("age_ms", m.age, Millis{});
  v.must("token", m.token, Bytes{kTokenBytesMax});
  v.must("source", m.source, Text{.bytes_min = 1});
  v.may("class", m.task_class);
  v.must("task", m.task, Bytes{kTaskLimits.bytes, 1});
  v.payload(m.payload, Range{kTaskFramesMax});
}

template <class V, Of<Assign> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<TaskResult> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("lease", m.lease);
  v.must("token", m.token, Bytes{kTokenBytesMax});
  v.must("elapsed_us", m.elapsed, Micros{});
  v.payload(m.payload, Range{kPayloadFramesMax, 1});  // the record
}

template <class V, Of<Results> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Nack> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("lease", m.lease);
  v.must("reason", m.reason);
  v.may("text", m.text, Prose{});
}

template <class V, Of<LeasedTask> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("lease", m.lease);
}

template <class V, Of<Release> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Stale> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Recall> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

template <class V, Of<Drain> M>
void fields(V& /*v*/, M& /*m*/) {}

}  // namespace framefleet::wire
