#include "broker/broker_metrics.hpp"

#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

namespace framefleet::broker {
namespace {

using telemetry::MetricKind;
using telemetry::MetricRows;
using Stats = BrokerStats;
using Table = telemetry::MetricTable<Stats>;
using ByReason = std::map<Reason, std::uint64_t>;

double number(std::uint64_t value) { return static_cast<double>(value); }

std::string word(Reason reason) { return std::string(to_string(reason)); }

/// What a hand-out can end with, but a result.
bool ends_lease(const ReasonEntry& row) { return row.charge != Charge::answer; }

/// What can end a task as failed.
bool fails_task(const ReasonEntry& row) {
  return row.charge != Charge::answer && row.charge != Charge::nothing;
}

void add_tasks(Table& t) {
  for (const auto& [state, field] : {std::pair{"ready", &InProgress::ready},
                                     {"delayed", &InProgress::delayed},
                                     {"leased", &InProgress::leased},
                                     {"storing", &InProgress::storing}}) {
    t.gauge(
        "framefleet_broker_tasks", "Tasks in progress, by state.",
        [field = field](const Stats& s) { return number(s.dispatcher.fleet.in_progress.*field); },
        {{"state", state}});
  }
  t.rows("framefleet_broker_unroutable_tasks",
         "Tasks in progress that no worker in service can do, by the detectors they need.",
         MetricKind::gauge, [](const Stats& s, MetricRows& rows) {
           for (const auto& [detectors, tasks] : s.dispatcher.unroutable) {
             rows.add({{"detector", detectors}}, number(tasks));
           }
         });
}

void add_fleet(Table& t) {
  using F = FleetStatus;
  const auto gauge = [&t](const char* name, const char* help, std::uint64_t F::*field) {
    t.gauge(name, help, [field](const Stats& s) { return number(s.dispatcher.fleet.*field); });
  };
  const auto flag = [&t](const char* name, const char* help, bool F::*field) {
    t.gauge(name, help, [field](const Stats& s) { return s.dispatcher.fleet.*field ? 1.0 : 0.0; });
  };
  gauge("framefleet_broker_backlog_bytes",
        "Bytes of tasks that are ready, delayed or leased: payloads, texts and tables.",
        &F::backlog_bytes);
  t.gauge("framefleet_broker_backlog_max_bytes", "The cap of these.",
          [](const Stats& s) { return number(s.backlog_bytes_max); });
  gauge("framefleet_broker_unstored_bytes", "Bytes of outcomes that wait for the sink.",
        &F::unstored_bytes);
  t.gauge("framefleet_broker_unstored_max_bytes", "The cap of these.",
          [](const Stats& s) { return number(s.unstored_bytes_max); });
  t.gauge("framefleet_broker_oldest_ready_seconds",
          "How long the task has waited that has waited longest for a worker.",
          [](const Stats& s) { return seconds(s.dispatcher.fleet.oldest); });
  gauge("framefleet_broker_unaccounted_tasks",
        "Delayed tasks that an earlier broker had in memory alone; their producers may come back.",
        &F::unaccounted);
  gauge("framefleet_broker_suspect_tasks",
        "Tasks whose workers died with them, waiting to be tried alone.", &F::suspects);
  const auto by_state = [&t](const char* name, const char* help, const char* state,
                             std::uint64_t (*count)(const F&)) {
    t.gauge(name, help, [count](const Stats& s) { return number(count(s.dispatcher.fleet)); },
            {{"state", state}});
  };
  const auto* workers = "framefleet_broker_workers";
  const auto* of_workers = "Workers connected, by state.";
  by_state(workers, of_workers, "ready",
           [](const F& f) { return f.workers - f.workers_draining - f.workers_not_ready; });
  by_state(workers, of_workers, "not_ready", [](const F& f) { return f.workers_not_ready; });
  by_state(workers, of_workers, "draining", [](const F& f) { return f.workers_draining; });
  t.gauge("framefleet_broker_desired_workers",
          "Workers that what is offered and what waits would keep busy.",
          [](const Stats& s) { return number(s.dispatcher.fleet.demand.desired_workers); });
  gauge("framefleet_broker_slots", "Slots of all workers.", &F::slots);
  gauge("framefleet_broker_free_slots", "Slots without a task.", &F::free_slots);
  gauge("framefleet_broker_producers", "Producers connected.", &F::producers);
  const auto* sources = "framefleet_broker_sources";
  const auto* of_sources = "Sources in the books, by state.";
  by_state(sources, of_sources, "connected", [](const F& f) { return f.sources_connected; });
  by_state(sources, of_sources, "gone", [](const F& f) {
    return f.sources > f.sources_connected ? f.sources - f.sources_connected : 0;
  });
  flag("framefleet_broker_sink_connected", "1 while a sink is in service.", &F::sink_connected);
  flag("framefleet_broker_workers_dying",
       "1 while more than half of the workers died within a minute.", &F::workers_dying);
  flag("framefleet_broker_paused", "1 while an operator has paused the fleet.", &F::paused);
  flag("framefleet_broker_draining", "1 while it takes nothing new and finishes what it has.",
       &F::draining);
}

void add_sources(Table& t) {
  t.rows("framefleet_broker_live_source_silent_seconds",
         "Since a live source whose producer is here had its latest frame.", MetricKind::gauge,
         [](const Stats& s, MetricRows& rows) {
           for (const auto& [source, silent] : s.dispatcher.live_sources) {
             rows.add({{"source", source}}, seconds(silent));
           }
         });
  t.rows("framefleet_broker_submitted_tasks_total", "Tasks admitted or rejected, by source.",
         MetricKind::counter, [](const Stats& s, MetricRows& rows) {
           for (const auto& [source, account] : s.dispatcher.by_source) {
             rows.add({{"source", source}}, number(account.submitted));
           }
         });
  t.counter("framefleet_broker_rejected_tasks_total", "Tasks rejected.", [](const Stats& s) {
    std::uint64_t rejected = 0;
    for (const auto& [source, account] : s.dispatcher.by_source) rejected += account.rejected;
    return number(rejected);
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
}

void add_reasons(Table& t) {
  t.rows("framefleet_broker_ended_tasks_total",
         "Tasks settled since the broker's start, by status and reason.", MetricKind::counter,
         [](const Stats& s, MetricRows& rows) {
           for (const auto& [end, count] : s.effects.ends) {
             rows.add({{"status", std::string(to_string(end.first))}, {"reason", word(end.second)}},
                      number(count));
           }
         });
  const auto by_reason = [&t](const char* name, const char* help, ByReason EffectCounts::*field) {
    t.rows(name, help, MetricKind::counter, [field](const Stats& s, MetricRows& rows) {
      for (const auto& [reason, count] : s.effects.*field) {
        rows.add({{"reason", word(reason)}}, number(count));
      }
    });
  };
  by_reason("framefleet_broker_closed_leases_total", "Hand-outs that ended, by reason.",
            &EffectCounts::leases);
  by_reason("framefleet_broker_busy_answers_total", "Submits answered busy, by reason.",
            &EffectCounts::busy);
  by_reason("framefleet_broker_rejected_answers_total", "Submits answered rejected, by reason.",
            &EffectCounts::rejected);
  by_reason("framefleet_broker_refused_peers_total", "Peers refused, by reason.",
            &EffectCounts::refused);
}

void add_events(Table& t) {
  const auto counter = [&t](const char* name, const char* help, auto field) {
    t.counter(name, help, [field](const Stats& s) { return number(s.dispatcher.*field); });
  };
  using D = DispatcherStats;
  counter("framefleet_broker_stale_results_total", "Results and nacks that closed no lease.",
          &D::stale_results);
  counter("framefleet_broker_earlier_results_total",
          "Results taken that were of a hand-out by an earlier broker.", &D::results_from_before);
  counter("framefleet_broker_duplicate_submits_total", "Submits of ids that were known already.",
          &D::duplicate_submits);
  counter("framefleet_broker_foreign_ids_total",
          "Ids of other keys' sources, submitted or asked about, and refused.", &D::foreign_ids);
  counter("framefleet_broker_recalled_tasks_total",
          "Tasks asked back from workers that had not begun with them.", &D::recalled);
  counter("framefleet_broker_lost_workers_total",
          "Workers that fell silent or broke off without a goodbye.", &D::lost_workers);
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
}

void add_guard(Table& t) {
  t.gauge("framefleet_broker_allowed_keys", "Keys of peers that are let in over tcp.",
          [](const Stats& s) { return number(s.guard.allowed_keys); });
  t.gauge("framefleet_broker_keys_unread",
          "1 while the files of keys have mistakes and those before them count.",
          [](const Stats& s) { return s.guard.unread ? 1.0 : 0.0; });
  t.rows("framefleet_broker_failed_handshakes_total",
         "Connections that did not come about, by reason.", MetricKind::counter,
         [](const Stats& s, MetricRows& rows) {
           for (std::size_t i = 0; i < transport::kHandshakeFaultCount; ++i) {
             const auto fault = to_string(static_cast<transport::HandshakeFault>(i));
             rows.add({{"reason", std::string(fault)}}, number(s.hub.handshakes_failed.at(i)));
           }
         });
  t.rows("framefleet_broker_denied_messages_total",
         "Messages that their sender may not send, by reason.", MetricKind::counter,
         [](const Stats& s, MetricRows& rows) {
           for (const auto& [reason, count] : {std::pair{"role", s.guard.wrong_role},
                                               {"operator", s.guard.not_operators},
                                               {"unlisted", s.hub.unlisted},
                                               {"unproved", s.hub.unproved}}) {
             rows.add({{"reason", reason}}, number(count));
           }
         });
}

void add_journal(Table& t) {
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
}

}  // namespace

EffectCounts::EffectCounts() {
  ends[{Status::ok, Reason::none}] = 0;
  ends[{Status::expired, Reason::deadline_passed}] = 0;
  ends[{Status::superseded, Reason::newer_frame}] = 0;
  ends[{Status::cancelled, Reason::cancelled_by_operator}] = 0;
  ends[{Status::lost, Reason::broker_restarted}] = 0;
  ends[{Status::lost, Reason::journal_damaged}] = 0;
  ends[{Status::lost, Reason::unaccounted}] = 0;
  leases[Reason::none] = 0;
  leases[Reason::cancelled_by_operator] = 0;
  for (const auto& row : reason_table()) {
    if (fails_task(row)) ends[{Status::failed, row.reason}] = 0;
    if (ends_lease(row)) leases[row.reason] = 0;
  }
  for (const auto reason :
       {Reason::backlog_tasks, Reason::backlog_bytes, Reason::backlog_routes, Reason::source_share,
        Reason::peer_share, Reason::key_task_rate, Reason::key_byte_rate, Reason::key_unsettled,
        Reason::key_share, Reason::sink_slow, Reason::journal_full, Reason::draining}) {
    busy[reason] = 0;
  }
}

BrokerMetrics::BrokerMetrics() : table_(std::make_shared<Table>()) {
  auto& t = *table_;
  add_tasks(t);
  add_fleet(t);
  add_sources(t);
  add_reasons(t);
  add_events(t);
  add_guard(t);
  add_journal(t);
  live_age_ = &t.duration_rows("framefleet_broker_live_age_seconds",
                               "Age of a live frame at its hand-out, since the broker got it.",
                               "source", telemetry::Buckets::coarse);
  commit_ = &t.durations("framefleet_broker_journal_commit_seconds", "Of one commit to the disk.",
                         {}, telemetry::Buckets::brief);
  queued_ = &t.durations("framefleet_broker_queued_seconds", "From waiting to a hand-out.");
  leased_ = &t.durations("framefleet_broker_leased_seconds", "From a hand-out to its end.");
  transfer_ = &t.durations("framefleet_broker_transfer_seconds",
                           "From a hand-out to its result, without the work.");
  storing_ = &t.durations("framefleet_broker_storing_seconds",
                          "From a task's end to the word that its outcome is stored.");
  total_ = &t.durations("framefleet_broker_task_seconds", "From admission to settlement.");
}

/// The histogram of a live source goes with its producer.
void BrokerMetrics::publish(BrokerStats stats) {
  std::set<std::string> live;
  for (const auto& [source, silent] : stats.dispatcher.live_sources) live.insert(source);
  for (const auto& source : live_sources_) {
    if (!live.contains(source)) live_age_->forget(source);
  }
  live_sources_ = std::move(live);
  stats.effects = counts_;
  table_->publish(std::move(stats));
}

void BrokerMetrics::observe(const LeaseClosed& closed) {
  ++counts_.leases[closed.reason];
  queued_->observe(closed.queued);
  leased_->observe(closed.leased);
  if (closed.reason == Reason::none) transfer_->observe(closed.leased - closed.worked);
}

void BrokerMetrics::observe(const TaskSettled& settled) {
  ++counts_.ends[{settled.status, settled.reason}];
  total_->observe(settled.total);
  if (settled.storing > Duration::zero()) storing_->observe(settled.storing);
}

void BrokerMetrics::observe(const Message& message) {
  if (const auto* assign = std::get_if<Assign>(&message)) {
    for (const auto& task : assign->tasks) {
      if (task.task_class == TaskClass::live) live_age_->observe(task.source, task.age);
    }
  } else if (const auto* busy = std::get_if<Busy>(&message)) {
    counts_.busy[busy->reason] += busy->tasks.size();
  } else if (const auto* rejected = std::get_if<Rejected>(&message)) {
    for (const auto& task : rejected->tasks) ++counts_.rejected[task.reason];
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    ++counts_.refused[refused->reason];
  }
}

}  // namespace framefleet::broker
