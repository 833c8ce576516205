#include "producer/producer_metrics.hpp"

#include <string>

namespace framefleet::producer {

ProducerMetrics::ProducerMetrics()
    : table_(std::make_shared<telemetry::MetricTable<SubmissionStats>>()) {
  auto& t = *table_;
  using Stats = SubmissionStats;
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  t.gauge("framefleet_producer_link_up", "1 while the broker is connected.",
          [](const Stats& s) { return s.link_up ? 1.0 : 0.0; });
  t.counter("framefleet_producer_link_losses_total", "Connections lost.",
            [=](const Stats& s) { return number(s.link_losses); });
  t.counter("framefleet_producer_submitted_tasks_total", "Tasks admitted or rejected.",
            [=](const Stats& s) { return number(s.submitted); });
  t.counter("framefleet_producer_rejected_tasks_total", "Tasks rejected.",
            [=](const Stats& s) { return number(s.rejected); });
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    t.counter("framefleet_producer_settled_tasks_total", "Tasks this producer heard the end of.",
              [=](const Stats& s) { return number(s.settled.at(i)); },
              {{"status", std::string(to_string(static_cast<Status>(i)))}});
  }
  t.counter("framefleet_producer_stored_before_tasks_total", "Pictures an earlier run had done.",
            [=](const Stats& s) { return number(s.stored_before); });
  t.counter("framefleet_producer_skipped_pictures_total",
            "Live pictures never submitted: a newer one took their place.",
            [=](const Stats& s) { return number(s.skipped); });
  t.counter("framefleet_producer_busy_answers_total", "Submits answered busy.",
            [=](const Stats& s) { return number(s.busy_answers); });
  t.gauge("framefleet_producer_in_flight_tasks", "Pictures read and not yet confirmed.",
          [=](const Stats& s) { return number(s.in_flight); });
  t.gauge("framefleet_producer_held_bytes", "Bytes of pictures held here.",
          [=](const Stats& s) { return number(s.held_bytes); });
  const auto sources = [&](const char* state, std::uint64_t Stats::*field) {
    t.gauge("framefleet_producer_sources", "Sources of this producer, by state.",
            [=](const Stats& s) { return number(s.*field); }, {{"state", state}});
  };
  sources("reading", &Stats::sources_reading);
  sources("ended", &Stats::sources_ended);
  submit_ = &t.durations("framefleet_producer_submit_seconds",
                         "From a picture read to the word that it is admitted.");
  total_ = &t.durations("framefleet_producer_task_seconds",
                        "From a picture read to the word of its end.");
  read_ = &t.durations("framefleet_producer_read_seconds", "Reading one picture.");
}

}  // namespace framefleet::producer
