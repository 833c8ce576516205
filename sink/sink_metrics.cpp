#include "sink/sink_metrics.hpp"

namespace framefleet::sink {

SinkMetrics::SinkMetrics() : table_(std::make_shared<telemetry::MetricTable<SinkStats>>()) {
  auto& t = *table_;
  using Stats = SinkStats;
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  t.gauge("framefleet_sink_link_up", "1 while the broker is connected.",
          [](const Stats& s) { return s.intake.link_up ? 1.0 : 0.0; });
  t.counter("framefleet_sink_link_losses_total", "Connections lost.",
            [=](const Stats& s) { return number(s.intake.link_losses); });
  t.gauge("framefleet_sink_waiting_outcomes", "Outcomes not yet given to the store.",
          [=](const Stats& s) { return number(s.intake.waiting); });
  t.gauge("framefleet_sink_waiting_bytes", "Their payload bytes.",
          [=](const Stats& s) { return number(s.intake.waiting_bytes); });
  t.counter("framefleet_sink_confirmed_outcomes_total", "Outcomes confirmed to the broker.",
            [=](const Stats& s) { return number(s.intake.stored); });
  t.counter("framefleet_sink_stored_outcomes_total", "Outcomes committed for the first time.",
            [=](const Stats& s) { return number(s.store.stats.stored); });
  t.counter("framefleet_sink_duplicate_outcomes_total", "Outcomes whose id was stored before.",
            [=](const Stats& s) { return number(s.store.stats.duplicates); });
  t.counter("framefleet_sink_commits_total", "Transactions.",
            [=](const Stats& s) { return number(s.store.stats.commits); });
  t.counter("framefleet_sink_pruned_outcomes_total", "Outcomes that retention has emptied.",
            [=](const Stats& s) { return number(s.store.stats.pruned); });
  t.gauge("framefleet_sink_database_bytes", "Pages of the database in use.",
          [=](const Stats& s) { return number(s.store.stats.database_bytes); });
  t.gauge("framefleet_sink_wal_bytes", "The write-ahead log of the database.",
          [=](const Stats& s) { return number(s.store.stats.log_bytes); });
  t.gauge("framefleet_sink_ndjson_bytes", "Length of results.ndjson.",
          [=](const Stats& s) { return number(s.store.stats.ndjson_bytes); });
  t.gauge("framefleet_sink_ndjson_behind_outcomes",
          "Outcomes committed that results.ndjson still lacks.",
          [=](const Stats& s) { return number(s.store.stats.ndjson_behind); });
  t.gauge("framefleet_sink_picture_bytes", "Picture files kept.",
          [=](const Stats& s) { return number(s.store.stats.picture_bytes); });
  t.gauge("framefleet_sink_dead_letters", "Failed outcomes that retention has left.",
          [=](const Stats& s) { return number(s.store.stats.dead_letters); });
  t.gauge("framefleet_sink_dead_letter_bytes", "Bytes kept of their pictures.",
          [=](const Stats& s) { return number(s.store.stats.dead_letter_bytes); });
  t.counter("framefleet_sink_dead_letter_dropped_bytes_total",
            "Bytes of their pictures that the cap or a purge has dropped.",
            [=](const Stats& s) { return number(s.store.stats.dead_letter_bytes_dropped); });
  t.gauge("framefleet_sink_store_blocked", "1 while the store waits for space on the disk.",
          [](const Stats& s) { return s.store.blocked.empty() ? 0.0 : 1.0; });
  commit_ = &t.durations("framefleet_sink_commit_seconds", "From a batch's start to its commit.");
}

}  // namespace framefleet::sink
