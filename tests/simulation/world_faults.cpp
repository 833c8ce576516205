// What goes wrong in the simulated fleet, and what its operators do to it.

#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

void World::plan_fault() {
  const double mean = 1.0 / options_.fault_rate;
  const auto wait = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(mean * (0.1 + 1.8 * agenda_.fraction())));
  agenda_.after(wait, [this] {
    if (!faulty()) return;
    happen();
    plan_fault();
  });
}

void World::happen() {
  if (keyed_ && agenda_.chance(0.2)) steal();
  const std::uint64_t what = agenda_.pick(14);
  if (what < 9) {
    hurt(clients_[agenda_.pick(clients_.size())]);
  } else if (what < 12) {
    hurt_broker();
  } else {
    operate();
  }
}

void World::hurt(Client& victim) {
  const std::uint64_t fault = agenda_.pick(10);
  if (fault < 4) {
    // What is durable needs no producer any more.
    if (journal_ && victim.kind == Kind::producer && victim.running) {
      victim.gone = agenda_.chance(0.05);
    }
    crash(victim);
  } else if (fault < 6) {
    note("cut of " + victim.name());
    ++report_.cuts;
    network_.cut(victim.connection);
  } else if (fault < 8) {
    if (!victim.running || victim.paused) return;
    note("drain of " + victim.name());
    ++report_.drains;
    with_core(victim, [&](auto& core, auto& out) { core.drain(now_of(victim), out); });
  } else if (fault < 9) {
    pause(victim);
  } else if (victim.kind == Kind::worker) {
    test(victim, true);
  }
}

void World::hurt_broker() {
  if (!broker_) return;
  const std::uint64_t fault = agenda_.pick(3);
  if (fault == 0) {
    note("crash of the broker");
    ++report_.crashes;
    end_broker();
  } else if (fault == 1) {
    if (broker_paused_) return;
    note("drain of the broker");
    ++report_.drains;
    drain_broker();
  } else {
    pause_broker();
  }
}

/// A self-test of a worker, in a slot as soon as there is one; until the first has passed it is not
/// ready.
void World::test(Client& worker, bool was_ready) {
  if (!worker.running || worker.paused || worker.tests > 0) return;
  with<worker::Session>(worker, [&](auto& session, auto& out) {
    if (session.draining() || session.over()) return;
    if (!was_ready) session.set_not_ready("testing", now_of(worker), out);
    if (!session.take_slot()) {
      plan(worker, 20ms, [this, &worker, was_ready] { test(worker, was_ready); });
      return;
    }
    ++report_.self_tests;
    worker.tests = 1;
    if (worker.pool.size() + worker.tests > worker.slots()) {
      promises_.break_with("a self-test takes a slot that is not free");
    }
    const bool passes = !faulty() || agenda_.chance(0.7);
    plan(worker, agenda_.delay(1ms, 300ms), [this, &worker, passes] { end_test(worker, passes); });
  });
}

void World::end_test(Client& worker, bool passed) {
  worker.tests = 0;
  begin_next(worker);
  with<worker::Session>(worker, [&](auto& session, auto& out) {
    session.give_back_slot(now_of(worker), out);
    session.set_not_ready(passed ? "" : "failed", now_of(worker), out);
  });
  if (passed) return;
  note("a self-test fails in " + worker.name());
  ++report_.failed_self_tests;
  plan(worker, agenda_.delay(100ms, 3s), [this, &worker] { test(worker, true); });
}

/// SIGSTOP for a while: longer than every time-out, or shorter.
void World::pause(Client& client) {
  if (!client.running || client.paused) return;
  note("pause of " + client.name());
  client.paused = true;
  agenda_.after(agenda_.delay(100ms, 8s), [this, &client, life = client.life] {
    if (client.life != life) return;
    client.paused = false;
    for (auto& flight : std::exchange(client.inbox, {})) arrive(std::move(flight));
  });
}

void World::pause_broker() {
  if (!broker_ || broker_paused_) return;
  note("pause of the broker");
  broker_paused_ = true;
  agenda_.after(agenda_.delay(100ms, 5s), [this, incarnation = incarnation_] {
    if (incarnation != incarnation_) return;
    broker_paused_ = false;
    empty_broker_inbox();
  });
}

/// In order only within a connection: of several that wait nobody knows which is read first.
void World::empty_broker_inbox() {
  auto waiting = std::exchange(broker_inbox_, {});
  while (!waiting.empty()) {
    const auto some = waiting.at(agenda_.pick(waiting.size())).connection;
    const auto next = std::find_if(waiting.begin(), waiting.end(), [some](const Flight& flight) {
      return flight.connection == some;
    });
    auto flight = std::move(*next);
    waiting.erase(next);
    arrive(std::move(flight));
  }
}

// --- operators
// ------------------------------------------------------------------------------------

/// Orders of somebody who sits beside the broker: nothing of theirs gets lost or is late.
void World::operate() {
  if (!broker_ || broker_paused_) return;
  Control control;
  const auto& client = clients_[agenda_.pick(clients_.size())];
  const std::uint64_t what = agenda_.pick(6);
  if (what == 0) {
    control.verb = agenda_.chance(0.5) ? ControlVerb::pause : ControlVerb::resume;
  } else if (what == 1 && client.kind == Kind::producer) {
    control.verb = agenda_.chance(0.5) ? ControlVerb::pause : ControlVerb::resume;
    control.name = source_of(client).name;
  } else if (what == 2 && client.kind == Kind::worker) {
    control.verb = agenda_.chance(0.5) ? ControlVerb::drain_worker : ControlVerb::drain_idlest;
    control.name = client.name();
  } else if (what == 3 && client.kind == Kind::producer) {
    control.verb = ControlVerb::cancel_task;
    const auto source = source_of(client);
    for (int i = 0; i < 3; ++i) {
      control.tasks.push_back({source.hash, source.epoch, agenda_.pick(count_of(client)), 0});
    }
  } else if (what == 4 && agenda_.chance(0.2)) {
    control.verb = ControlVerb::cancel_job;
    control.name = "job-1";
  } else {
    control.verb = agenda_.chance(0.5) ? ControlVerb::status : ControlVerb::dead_list;
  }
  order(std::move(control));
}

void World::order(Control control) {
  if (!broker_) return;
  constexpr PeerId kOperator{std::uint64_t{1} << 40U};
  ++report_.controls;
  note(fmt::format("operator: {} {}", to_string(control.verb), control.name));
  broker::Effects greeted;  // a hello may hand out tasks: before the order, not in spite of it
  broker_->receive(kOperator, Hello{.role = Role::client, .name = "operator"}, agenda_.now(),
                   greeted);
  perform(greeted);
  // The report may wait for the disk. That there is such a source or job is known before.
  const auto named = [&](const auto& row) { return row.name == control.name; };
  const auto sources = broker_->source_rows(agenda_.now());
  const bool is_cancel = control.verb == ControlVerb::cancel_job;
  const bool done = is_cancel ? broker_->job_row(control.name, agenda_.now()).has_value()
                              : control.name.empty() || std::ranges::any_of(sources, named);
  broker::Effects effects;
  broker_->receive(kOperator, control, agenda_.now(), effects);
  promises_.operator_orders(control, done);
  perform(effects);
}

/// Somebody with a key that is allowed, and sources of others: claims one, and submits, gives up
/// and asks about their tasks.
void World::steal() {
  if (!broker_ || broker_paused_ || promises_.owned().empty()) return;
  constexpr PeerId kThief{(std::uint64_t{1} << 40U) + 1};
  const auto& owned = promises_.owned();
  const auto hash =
      *std::next(owned.begin(), static_cast<std::ptrdiff_t>(agenda_.pick(owned.size())));
  const auto victim = std::ranges::find_if(clients_, [hash](const Client& client) {
    return client.kind == Kind::producer && source_of(client).hash == hash;
  });
  const auto source = source_of(*victim);
  ++report_.thefts;
  note("a thief wants " + source.name);
  const auto try_to = [&](Message message) {
    broker::Effects effects;
    broker_->receive(kThief, std::move(message), agenda_.now(), effects);
    promises_.thief_is_answered(kThief, effects);
    perform(effects);
  };
  const SourceClaim claim{source.name, source.epoch + 1, 1, 1, {}, hash};
  Hello hello{.role = Role::producer, .name = victim->name(), .sources = {claim}};
  hello.identity = "thief";
  try_to(hello);
  hello.sources.clear();
  try_to(hello);
  Submit submit;
  Ask ask;
  for (int i = 0; i < 4; ++i) {
    SubmittedTask task;
    task.id = {hash, source.epoch, agenda_.pick(count_of(*victim)), 0};
    task.source = source.name;
    task.detectors = {"faces"};
    task.digest = to_string(task.id);
    task.task_class = source.task_class;
    task.gone = i % 2 == 0;
    ask.tasks.push_back(task.id);
    submit.tasks.push_back(std::move(task));
  }
  try_to(std::move(submit));
  try_to(std::move(ask));
  try_to(Goodbye{});
}

/// When the faults end nobody may have left anything paused.
void World::resume_everything() {
  order({.verb = ControlVerb::resume});
  for (const auto& client : clients_) {
    if (client.kind != Kind::producer) continue;
    order({.verb = ControlVerb::resume, .name = source_of(client).name});
  }
}

}  // namespace framefleet::simulation
