#include "broker/broker_metrics.hpp"

#include <string>
#include <utility>

namespace framefleet::broker {
namespace {

using telemetry::MetricKind;
using telemetry::MetricRows;
using Stats = BrokerStats;

double number(std::uint64_t value) { return static_cast<double>(value); }

}  // namespace

BrokerMetrics::BrokerMetrics() : table_(std::make_shared<telemetry::MetricTable<Stats>>()) {
  auto& t = *table_;
  const auto gauge = [&t](const char* name, const char* help, auto field) {
    t.gauge(name, help, [field](const Stats& s) { return number(s.dispatcher.fleet.*field); });
  };
  const auto flag = [&t](const char* name, const char* help, bool FleetStatus::*field) {
    t.gauge(name, help, [field](const Stats& s) { return s.dispatcher.fleet.*field ? 1.0 : 0.0; });
  };
  const auto counter = [&t](const char* name, const char* help, auto field) {
    t.counter(name, help, [field](const Stats& s) { return number(s.dispatcher.*field); });
  };
  using D = DispatcherStats;
  using F = FleetStatus;
  for (const auto& [state, field] : {std::pair{"ready", &InProgress::ready},
                                     {"delayed", &InProgress::delayed},
                                     {"leased", &InProgress::leased},
                                     {"storing", &InProgress::storing}}) {
    t.gauge(
        "framefleet_broker_tasks", "Tasks in progress, by state.",
        [field = field](const Stats& s) { return number(s.dispatcher.fleet.in_progress.*field); },
        {{"state", state}});
  }
  gauge("framefleet_broker_backlog_bytes",
        "Bytes of tasks that are ready, delayed or leased: payloads, texts and tables.",
        &F::backlog_bytes);
  gauge("framefleet_broker_unstored_bytes", "Bytes of outcomes that wait for the sink.",
        &F::unstored_bytes);
  t.gauge("framefleet_broker_oldest_ready_seconds",
          "How long the task has waited that has waited longest for a worker.",
          [](const Stats& s) { return seconds(s.dispatcher.fleet.oldest); });
  gauge("framefleet_broker_suspect_tasks",
        "Tasks whose workers died with them, waiting to be tried alone.", &F::suspects);
  const auto workers = [&t](const char* state, std::uint64_t (*count)(const FleetStatus&)) {
    t.gauge("framefleet_broker_workers", "Workers connected, by state.",
            [count](const Stats& s) { return number(count(s.dispatcher.fleet)); },
            {{"state", state}});
  };
  workers("ready", [](const F& f) { return f.workers - f.workers_draining - f.workers_not_ready; });
  workers("not_ready", [](const F& f) { return f.workers_not_ready; });
  workers("draining", [](const F& f) { return f.workers_draining; });
  gauge("framefleet_broker_slots", "Slots of all workers.", &F::slots);
  gauge("framefleet_broker_free_slots", "Slots without a task.", &F::free_slots);
  gauge("framefleet_broker_producers", "Producers connected.", &F::producers);
  flag("framefleet_broker_sink_connected", "1 while a sink is in service.", &F::sink_connected);
  flag("framefleet_broker_workers_dying",
       "1 while more than half of the workers died within a minute.", &F::workers_dying);
  flag("framefleet_broker_paused", "1 while an operator has paused the fleet.", &F::paused);
  counter("framefleet_broker_stale_results_total", "Results and nacks that closed no lease.",
          &D::stale_results);
  counter("framefleet_broker_duplicate_submits_total", "Submits of ids that were known already.",
          &D::duplicate_submits);
  counter("framefleet_broker_busy_answers_total", "Submits answered busy.", &D::busy_answers);
  counter("framefleet_broker_recalled_tasks_total",
          "Tasks asked back from workers that had not begun with them.", &D::recalled);
  t.rows("framefleet_broker_submitted_tasks_total", "Tasks admitted or rejected, by source.",
         MetricKind::counter, [](const Stats& s, MetricRows& rows) {
           for (const auto& [source, account] : s.dispatcher.by_source) {
             rows.add({{"source", source}}, number(account.submitted));
           }
         });
  t.rows("framefleet_broker_rejected_tasks_total", "Tasks rejected, by source.",
         MetricKind::counter, [](const Stats& s, MetricRows& rows) {
           for (const auto& [source, account] : s.dispatcher.by_source) {
             rows.add({{"source", source}}, number(account.rejected));
           }
         });
  t.rows("framefleet_broker_settled_tasks_total", "Tasks settled, by source and status.",
         MetricKind::counter, [](const Stats& s, MetricRows& rows) {
           for (const auto& [source, account] : s.dispatcher.by_source) {
             for (std::size_t i = 0; i < kStatusCount; ++i) {
               if (account.settled.at(i) == 0) continue;
               const auto status = to_string(static_cast<Status>(i));
               rows.add({{"source", source}, {"status", std::string(status)}},
                        number(account.settled.at(i)));
             }
           }
         });
  const auto hub_counter = [&t](const char* name, const char* help, auto field) {
    t.counter(name, help, [field](const Stats& s) { return number(s.hub.*field); });
  };
  using H = transport::HubStats;
  hub_counter("framefleet_broker_received_messages_total", "Messages from peers.", &H::received);
  hub_counter("framefleet_broker_sent_messages_total", "Messages to peers.", &H::sent);
  hub_counter("framefleet_broker_unreadable_messages_total", "Messages that broke the protocol.",
              &H::unreadable);
  hub_counter("framefleet_broker_unknown_messages_total",
              "Messages of a type that this build does not know.", &H::unknown_types);
  hub_counter("framefleet_broker_unsendable_messages_total",
              "Messages of its own that no header can hold.", &H::unsendable);
  hub_counter("framefleet_broker_unreachable_peers_total",
              "Peers found gone, or too slow, while sending.", &H::unreachable);
  const auto journal = [&t](const char* name, const char* help, auto value) {
    t.gauge(name, help, [value](const Stats& s) { return value(s.journal); });
  };
  using J = JournalLinkStats;
  journal("framefleet_broker_journal_tasks", "Tasks in the journal; 0 without one.",
          [](const J& j) { return number(j.journal.tasks); });
  journal("framefleet_broker_journal_used_bytes", "Of the journal's file, by what is alive.",
          [](const J& j) { return number(j.journal.used_bytes); });
  journal("framefleet_broker_journal_bytes", "Of the journal's file; 0 without one.",
          [](const J& j) { return number(j.journal.bytes_max); });
  journal("framefleet_broker_journal_waiting_bytes", "Handed to the journal, not on the disk yet.",
          [](const J& j) { return number(j.waiting_bytes); });
  journal("framefleet_broker_journal_full", "1 while submits are answered busy (journal_full).",
          [](const J& j) { return j.full ? 1.0 : 0.0; });
  commit_ = &t.durations("framefleet_broker_journal_commit_seconds", "Of one commit to the disk.");
  queued_ = &t.durations("framefleet_broker_queued_seconds", "From waiting to a hand-out.");
  leased_ = &t.durations("framefleet_broker_leased_seconds", "From a hand-out to its end.");
  total_ = &t.durations("framefleet_broker_task_seconds", "From admission to settlement.");
}

void BrokerMetrics::observe(const LeaseClosed& closed) {
  queued_->observe(closed.queued);
  leased_->observe(closed.leased);
}

void BrokerMetrics::observe(const TaskSettled& settled) { total_->observe(settled.total); }

}  // namespace framefleet::broker
