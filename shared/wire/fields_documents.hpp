#pragma once
// The keys of the two documents that travel inside messages and are read at their ends alone: the
// task description (docs/PROTOCOL.md section 10) and the result record (section 11).

#include "shared/base/detection.hpp"
#include "shared/base/task.hpp"
#include "shared/wire/rules.hpp"

namespace framefleet::wire {

template <class V, Of<TaskDescription> M>
void fields(V& v, M& m) {
  v.may("origin", m.origin, Prose{kOriginBytesMax});
  v.must("detect", m.detect, ListOf<Text>{kDetectorsMax, Text{kDetectBytesMax, 1}});
  v.may("annotate", m.annotate);
  v.may("captured_at_ms", m.captured_at_ms, Range{kWallClockMsMax});
  v.may("unreadable", m.unreadable, Prose{});
  v.may("zones", m.zones, Text{kZonesBytesMax});
}

template <class V, Of<Detection> M>
void fields(V& v, M& m) {
  v.must("label", m.label, Text{});
  v.must("score", m.score);
  v.must("box", m.box);
  v.may("extra", m.extra, Text{kExtraBytesMax});
}

template <class V, Of<DetectorReport> M>
void fields(V& v, M& m) {
  v.must("detector", m.detector, Text{kDetectorBytesMax, 1});
  v.must("version", m.version, Text{});
  v.must("elapsed_us", m.elapsed, Micros{});
  v.must("detections", m.detections, ListOf<>{});
}

template <class V, Of<Artefact> M>
void fields(V& v, M& m) {
  v.must("kind", m.kind, Slug{});
  v.must("extension", m.extension, Slug{});
}

template <class V, Of<ResultRecord> M>
void fields(V& v, M& m) {
  v.must("width", m.width, Range{});
  v.must("height", m.height, Range{});
  v.may("damaged", m.damaged);
  v.must("decode_us", m.decode, Micros{});
  v.may("annotate_us", m.annotate, Micros{});
  v.must("reports", m.reports, ListOf<>{kDetectorsMax});
  v.may("artefacts", m.artefacts, ListOf<>{kArtefactsMax});
}

}  // namespace framefleet::wire
