#include "producer/producer_metrics.hpp"

#include <string>

namespace framefleet::producer {
namespace {

using telemetry::MetricKind;
using telemetry::MetricRows;
using Table = telemetry::MetricTable<ProducerStats>;

/// One row per camera, by its source: of what `value` says.
template <class Value>
void camera_rows(Table& t, const char* name, const char* help, MetricKind kind, Value value) {
  t.rows(name, help, kind, [value](const ProducerStats& s, MetricRows& rows) {
    for (const auto& row : s.cameras) rows.add({{"source", row.name}}, value(row));
  });
}

void add_cameras(Table& t) {
  camera_rows(t, "framefleet_producer_camera_up", "1 while the camera gives frames.",
              MetricKind::gauge,
              [](const CameraRow& row) { return row.state == CameraState::streaming ? 1.0 : 0.0; });
  t.rows("framefleet_producer_camera_state", "1, with the state that the camera is in.",
         MetricKind::gauge, [](const ProducerStats& s, MetricRows& rows) {
           for (const auto& row : s.cameras) {
             rows.add({{"source", row.name}, {"state", std::string(to_string(row.state))}}, 1);
           }
         });
  t.rows("framefleet_producer_camera_silent_seconds",
         "Since the camera's latest picture; no row before its first.", MetricKind::gauge,
         [](const ProducerStats& s, MetricRows& rows) {
           for (const auto& row : s.cameras) {
             if (row.stats.silence) rows.add({{"source", row.name}}, seconds(*row.stats.silence));
           }
         });
  const auto counter = [&t](const char* name, const char* help, std::uint64_t CameraStats::*field) {
    camera_rows(t, name, help, MetricKind::counter,
                [field](const CameraRow& row) { return static_cast<double>(row.stats.*field); });
  };
  counter("framefleet_producer_camera_pictures_total", "Pictures the camera gave.",
          &CameraStats::decoded);
  counter("framefleet_producer_camera_gated_pictures_total",
          "Of these, kept back because nothing moved.", &CameraStats::gated);
  counter("framefleet_producer_camera_skipped_pictures_total",
          "Never decoded, to catch up with a camera that was ahead.", &CameraStats::skipped);
  counter("framefleet_producer_camera_replaced_frames_total",
          "Frames whose place a newer one took before they were submitted.",
          &CameraStats::replaced);
  counter("framefleet_producer_camera_taken_frames_total", "Frames given to the fleet.",
          &CameraStats::taken);
  counter("framefleet_producer_camera_starts_total", "Capture processes started.",
          &CameraStats::starts);
}

}  // namespace

ProducerMetrics::ProducerMetrics()
    : table_(std::make_shared<telemetry::MetricTable<ProducerStats>>()) {
  auto& t = *table_;
  using Stats = ProducerStats;
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  t.gauge("framefleet_producer_link_up", "1 while the broker is connected.",
          [](const Stats& s) { return s.submission.link_up ? 1.0 : 0.0; });
  t.counter("framefleet_producer_link_losses_total", "Connections lost.",
            [=](const Stats& s) { return number(s.submission.link_losses); });
  t.counter("framefleet_producer_submitted_tasks_total", "Tasks admitted or rejected.",
            [=](const Stats& s) { return number(s.submission.submitted); });
  t.counter("framefleet_producer_rejected_tasks_total", "Tasks rejected.",
            [=](const Stats& s) { return number(s.submission.rejected); });
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    t.counter("framefleet_producer_settled_tasks_total", "Tasks this producer heard the end of.",
              [=](const Stats& s) { return number(s.submission.settled.at(i)); },
              {{"status", std::string(to_string(static_cast<Status>(i)))}});
  }
  t.counter("framefleet_producer_stored_before_tasks_total", "Pictures an earlier run had done.",
            [=](const Stats& s) { return number(s.submission.stored_before); });
  t.counter("framefleet_producer_skipped_pictures_total",
            "Live pictures never submitted: a newer one took their place.",
            [=](const Stats& s) { return number(s.submission.skipped); });
  t.counter("framefleet_producer_busy_answers_total", "Submits answered busy.",
            [=](const Stats& s) { return number(s.submission.busy_answers); });
  t.gauge("framefleet_producer_in_flight_tasks", "Pictures read and not yet confirmed.",
          [=](const Stats& s) { return number(s.submission.in_flight); });
  t.gauge("framefleet_producer_held_bytes", "Bytes of pictures held here.",
          [=](const Stats& s) { return number(s.submission.held_bytes); });
  const auto sources = [&](const char* state, std::uint64_t SubmissionStats::*field) {
    t.gauge("framefleet_producer_sources", "Sources of this producer, by state.",
            [=](const Stats& s) { return number(s.submission.*field); }, {{"state", state}});
  };
  sources("reading", &SubmissionStats::sources_reading);
  sources("ended", &SubmissionStats::sources_ended);
  add_cameras(t);
  submit_ =
      &t.durations("framefleet_producer_submit_seconds",
                   "From a picture read to the word that it is admitted, or has ended already.");
  total_ = &t.durations("framefleet_producer_task_seconds",
                        "From a picture read to the word of its end.");
  read_ = &t.durations("framefleet_producer_read_seconds", "Reading one picture.");
}

}  // namespace framefleet::producer
