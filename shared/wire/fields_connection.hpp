#pragma once
// The keys of the messages that make, keep and end a connection (docs/PROTOCOL.md section 5).

#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"

namespace framefleet::wire {

template <class V, Of<SourceClaim> M>
void fields(V& v, M& m) {
  v.must("name", m.name, Text{.bytes_min = 1});
  v.must("epoch", m.epoch, Range{});
  v.may("weight", m.weight, Range{kWeightMax});
  v.may("expected", m.expected, Range{});
  v.may("interval_us", m.interval, Micros{});
  v.may("state", m.state, Text{kStateBytesMax});
  v.may("state_ms", m.state_for, Millis{});
  v.may("state_text", m.state_text, Prose{kStateTextBytesMax});
}

template <class V, Of<Hello> M>
void fields(V& v, M& m) {
  v.must("role", m.role);
  v.must("name", m.name, Text{.bytes_min = 1});
  v.may("build", m.build, Text{});
  v.must("wire", m.wire);
  v.must("task", m.task);
  v.may("detectors", m.detectors, SetOf<Text>{kDetectorsMax, Text{kDetectorBytesMax, 1}});
  v.may("slots", m.slots, Range{kSlotsMax});
  v.may("not_ready", m.not_ready, Prose{});
  v.may("sources", m.sources, ListOf<>{kSourcesMax});
  v.may("store", m.store, Text{});
  v.may("new_store", m.new_store);
}

template <class V, Of<Sources> M>
void fields(V& v, M& m) {
  v.must("number", m.number, Range{});
  v.may("sources", m.sources, ListOf<>{kSourcesMax});
}

template <class V, Of<Claimed> M>
void fields(V& v, M& m) {
  v.must("number", m.number, Range{});
}

template <class V, Of<Welcome> M>
void fields(V& v, M& m) {
  v.must("wire", m.wire, kVersion);
  v.must("incarnation", m.incarnation, Range{});
  v.must("heartbeat_ms", m.heartbeat_interval, Millis{});
  v.must("peer_timeout_ms", m.peer_timeout, Millis{});
  v.may("grant_tasks", m.grant_tasks, Range{});
  v.may("grant_bytes", m.grant_bytes, Range{});
  v.may("payload_bytes_max", m.payload_bytes_max, Range{});
}

template <class V, Of<Refused> M>
void fields(V& v, M& m) {
  v.must("reason", m.reason);
  v.may("text", m.text, Prose{});
  v.may("retry_ms", m.retry, Millis{});
}

template <class V, Of<Heartbeat> M>
void fields(V& v, M& m) {
  v.must("incarnation", m.incarnation, Range{});
  v.may("leases", m.leases, ListOf<>{});
  v.may("not_ready", m.not_ready, Prose{});
  v.may("slots", m.slots, Range{});
}

template <class V, Of<Goodbye> M>
void fields(V& /*v*/, M& /*m*/) {}

}  // namespace framefleet::wire
