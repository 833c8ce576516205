// The simulated fleet's time, faults, births, deaths and end. What the cores ask for is done in
// world_effects.cpp.

#include "tests/simulation/world.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

namespace {

/// After the last fault everything must be at rest within this much virtual time: several back-offs
/// (at most 30 s each) and resend intervals one after the other.
constexpr Duration kRestTime = 10min;
constexpr std::uint64_t kStepsMax = 2'000'000;

/// Asks the client's core; `otherwise` when it is not running.
template <class Answer, class Question>
Answer ask(const Client& client, Answer otherwise, Question question) {
  return std::visit(
      [&](const auto& core) -> Answer {
        if constexpr (std::is_same_v<std::decay_t<decltype(core)>, std::monostate>) {
          return otherwise;
        } else {
          return question(core);
        }
      },
      client.core);
}

Time deadline_of(const Client& client) {
  if (!client.running || client.paused) return kNever;
  return ask(client, kNever, [](const auto& core) { return core.next_deadline(); });
}

bool is_over(const Client& client) {
  return ask(client, false, [](const auto& core) { return core.over(); });
}

bool is_complete(const Client& client) {
  const auto* submission = std::get_if<producer::Submission>(&client.core);
  return submission != nullptr && submission->over() && submission->complete();
}

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      agenda_(options.seed),
      network_(agenda_, {options.loss, options.doubling},
               [this](Flight flight) { arrive(std::move(flight)); }) {
  for (std::size_t i = 0; i < options_.workers; ++i) add_client(Kind::worker, i);
  for (std::size_t i = 0; i < options_.producers; ++i) add_client(Kind::producer, i);
  add_client(Kind::sink, 0);
}

WorldReport World::run() {
  // Whoever starts first: in any order, spread over a second.
  agenda_.after(agenda_.delay(0ms, 1s), [this] { start_broker(); });
  for (auto& client : clients_) start_later(client, agenda_.delay(0ms, 1s));
  agenda_.at(Time{} + options_.fault_time, [this] { network_.heal(); });
  plan_fault();
  const Time rest_by = Time{} + options_.fault_time + kRestTime;
  while (!promises_.broken() && report_.steps < kStepsMax) {
    if (!faulty() && producers_are_done() && broker_is_empty()) break;
    if (agenda_.now() > rest_by) {
      promises_.break_with(
          fmt::format("not at rest {} s after the last fault: {}", seconds(kRestTime), unrest()));
      break;
    }
    step();
  }
  if (!promises_.broken()) check_end();
  if (promises_.broken()) {
    report_.violation = Violation{fmt::format(
        "at {:.6f} s: {}", seconds(agenda_.now().time_since_epoch()), *promises_.broken())};
  }
  report_.lost_messages = network_.lost_count();
  return std::move(report_);
}

/// The next thing that happens: an event of the agenda or a core's deadline, whichever is first.
void World::step() {
  ++report_.steps;
  Time next = agenda_.next();
  const bool broker_lives = broker_ && !broker_paused_;
  const bool broker_due = broker_lives && broker_->next_deadline() < next;
  if (broker_due) next = broker_->next_deadline();
  Client* due = nullptr;
  for (auto& client : clients_) {
    if (const Time deadline = deadline_of(client); deadline < next) {
      next = deadline;
      due = &client;
    }
  }
  FRAMEFLEET_ASSERT(next != kNever);
  agenda_.move_to(next);
  if (due != nullptr) {
    with_core(*due, [this](auto& core, auto& out) { core.tick(agenda_.now(), out); });
  } else if (broker_due) {
    broker::Effects effects;
    broker_->tick(agenda_.now(), effects);
    perform(effects);
  } else {
    agenda_.run_next();
  }
  bury_the_finished();
}

// --- faults
// ---------------------------------------------------------------------------------------

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
  auto& victim = clients_[agenda_.pick(clients_.size())];
  const std::uint64_t fault = agenda_.pick(12);
  if (fault < 4) {
    crash(victim);
  } else if (fault < 5) {
    if (!broker_) return;
    note("crash of the broker");
    ++report_.crashes;
    end_broker();
  } else if (fault < 7) {
    note("cut of " + victim.name());
    ++report_.cuts;
    network_.cut(victim.connection);
  } else if (fault < 9) {
    if (!victim.running || victim.paused) return;
    note("drain of " + victim.name());
    ++report_.drains;
    with_core(victim, [this](auto& core, auto& out) { core.drain(agenda_.now(), out); });
  } else if (fault < 10) {
    if (!broker_ || broker_paused_) return;
    note("drain of the broker");
    ++report_.drains;
    drain_broker();
  } else if (fault < 11) {
    pause(victim);
  } else {
    pause_broker();
  }
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
    for (auto& flight : std::exchange(broker_inbox_, {})) arrive(std::move(flight));
  });
}

// --- life and death
// -------------------------------------------------------------------------------

void World::add_client(Kind kind, std::size_t index) {
  Client client;
  client.kind = kind;
  client.position = clients_.size();
  client.index = index;
  clients_.push_back(std::move(client));
}

void World::start_broker() {
  broker::CoreOptions options;
  options.incarnation = ++incarnation_;
  options.backlog_tasks_max = 14;
  options.backlog_bytes_max = 10 * kTaskBytes;
  options.sink_window = 4;
  options.grant_tasks = 8;
  options.settled_memory = 10;
  broker_.emplace(options);
  promises_.broker_starts(options);
  note("broker starts, incarnation " + std::to_string(incarnation_));
}

void World::drain_broker() {
  broker::Effects effects;
  broker_->drain(effects);
  perform(effects);
}

void World::end_broker() {
  report_.busy_answers += broker_->stats(agenda_.now()).busy_answers;
  broker_.reset();
  broker_shelf_ = {};
  broker_paused_ = false;
  broker_over_ = false;
  broker_inbox_.clear();
  network_.cut_all();
  agenda_.after(agenda_.delay(10ms, 4s), [this] { start_broker(); });
}

void World::start_later(Client& client, Duration wait) {
  agenda_.after(wait, [this, &client] { start(client); });
}

void World::start(Client& client) {
  client.running = true;
  ++client.life;
  note("start of " + client.name());
  if (client.kind == Kind::worker) {
    client.core.emplace<worker::Session>(Hello{.role = Role::worker,
                                               .name = client.name(),
                                               .detectors = client.detectors(),
                                               .slots = client.slots()},
                                         LinkOptions{});
  } else if (client.kind == Kind::producer) {
    const auto source = source_of(client);
    producer::SubmissionOptions options;
    options.ask_first = client.life > 1;
    options.window_tasks = 12;
    client.core.emplace<producer::Submission>(
        Hello{.role = Role::producer,
              .name = client.name(),
              .sources = {{source.name, 1, 1, options_.tasks_per_producer, source.hash}}},
        std::vector<producer::SourceOutline>{source}, options, agenda_.now());
  } else {
    sink::IntakeOptions options;
    options.batch_tasks_max = 3;
    client.core.emplace<sink::Intake>(
        Hello{.role = Role::sink, .name = client.name(), .store = "store-1"}, options);
  }
}

void World::crash(Client& client) {
  if (!client.running) return;
  note("crash of " + client.name());
  ++report_.crashes;
  end(client);
}

void World::end(Client& client) {
  client.running = false;
  client.paused = false;
  client.core.emplace<std::monostate>();
  client.shelf = {};
  client.inbox.clear();
  client.pool.clear();
  client.told.clear();
  ++client.life;
  network_.cut(client.connection);
  start_later(client, agenda_.delay(10ms, 4s));
}

/// Whoever left in order starts again, except a producer whose work is done.
void World::bury_the_finished() {
  for (auto& client : clients_) {
    if (!client.running || client.paused || !is_over(client) || is_complete(client)) continue;
    note(client.name() + " has left");
    check_nothing_is_kept(client);
    end(client);
  }
  if (broker_over_) {
    note("the broker has left");
    if (broker_shelf_.count() != 0) promises_.break_with("a drained broker keeps payloads");
    end_broker();
  }
}

// --- the end
// --------------------------------------------------------------------------------------

/// A producer may have been told by the sink what the broker has yet to hear.
bool World::broker_is_empty() const {
  if (!broker_) return true;
  return broker_->fleet_status(agenda_.now()).in_progress.in_all() == 0;
}

bool World::producers_are_done() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) {
    return client.kind != Kind::producer || (client.running && is_complete(client));
  });
}

std::string World::unrest() const {
  std::string text;
  for (const auto& client : clients_) {
    const auto* submission = std::get_if<producer::Submission>(&client.core);
    if (submission == nullptr) continue;
    const auto stats = submission->stats();
    text += fmt::format("{}: in flight {}, admitted {}, up {}; ", client.name(), stats.in_flight,
                        stats.admitted, stats.link_up);
  }
  for (const auto& client : clients_) {
    const auto* session = std::get_if<worker::Session>(&client.core);
    if (session == nullptr) continue;
    const auto stats = session->stats();
    text += fmt::format("{}: running {}, abandoned {}, unsettled {}, draining {}; ", client.name(),
                        stats.running, stats.abandoned, stats.unsettled, stats.draining);
  }
  if (broker_) {
    const auto status = broker_->fleet_status(agenda_.now());
    const auto& tasks = status.in_progress;
    text += fmt::format(
        "broker: ready {}, delayed {}, leased {}, storing {}, suspects {}, dying {}, sink {}, "
        "workers {}, draining {}",
        tasks.ready, tasks.delayed, tasks.leased, tasks.storing, status.suspects,
        status.workers_dying, status.sink_connected, status.workers, status.draining);
  }
  return text;
}

/// Every picture has one outcome, every producer knows it, and every process drains to nothing.
void World::check_end() {
  for (const auto& client : clients_) {
    const auto* submission = std::get_if<producer::Submission>(&client.core);
    if (submission == nullptr) continue;
    for (std::uint64_t s = 0; s < options_.tasks_per_producer; ++s) {
      const TaskId id{source_of(client).hash, 1, s, 0};
      if (!promises_.stored().contains(id)) promises_.break_with("not stored: " + to_string(id));
    }
    const auto stats = submission->stats();
    std::uint64_t told = stats.stored_before;
    for (const auto count : stats.settled) told += count;
    if (told != options_.tasks_per_producer || stats.submitted != stats.admitted + stats.rejected) {
      promises_.break_with(client.name() + " does not count what it was told");
    }
  }
  if (promises_.stored().size() != options_.producers * options_.tasks_per_producer) {
    promises_.break_with("more outcomes than pictures");
  }
  report_.stored = promises_.stored().size();
  for (const auto& [id, row] : promises_.stored()) {
    report_.failed += row.status == Status::failed ? 1U : 0U;
  }
  drain_workers();
}

void World::drain_workers() {
  // A worker that ends its drain comes back as the next life of its client.
  std::vector<std::uint32_t> lives;
  for (const auto& client : clients_) lives.push_back(client.life + (client.running ? 0U : 1U));
  const auto is_left = [&](const Client& client) {
    return client.kind != Kind::worker || client.life > lives[client.position];
  };
  const Time give_up_at = agenda_.now() + 2min;
  while (!promises_.broken() && agenda_.now() < give_up_at &&
         !std::all_of(clients_.begin(), clients_.end(), is_left)) {
    for (auto& client : clients_) {
      if (is_left(client) || !client.running || client.paused) continue;
      with_core(client, [this](auto& core, auto& out) { core.drain(agenda_.now(), out); });
    }
    step();
  }
  if (!std::all_of(clients_.begin(), clients_.end(), is_left)) {
    promises_.break_with("a worker does not end its drain");
  }
  if (broker_) {
    report_.busy_answers += broker_->stats(agenda_.now()).busy_answers;
    if (!broker_is_empty()) {
      promises_.break_with("tasks are left in a broker at rest");
    }
    if (broker_shelf_.count() != 0) promises_.break_with("the broker keeps payloads of nothing");
  }
  for (const auto& client : clients_) {
    if (client.running) check_nothing_is_kept(client);
  }
}

/// A client that is at nothing holds no payloads.
void World::check_nothing_is_kept(const Client& client) {
  const auto* intake = std::get_if<sink::Intake>(&client.core);
  const bool at_work =
      !client.pool.empty() ||
      (intake != nullptr && intake->stats().waiting + intake->stats().committing != 0);
  if (!at_work && client.shelf.count() != 0) {
    promises_.break_with(client.name() + " keeps payloads of nothing");
  }
}

void World::note(std::string text) {
  if (!options_.trace) return;
  report_.trace.push_back(
      fmt::format("{:10.6f} {}", seconds(agenda_.now().time_since_epoch()), std::move(text)));
}

}  // namespace framefleet::simulation
