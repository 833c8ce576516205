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
/// Of one key: less than what its producers would send at once, and a fleet that has room.
constexpr broker::QuotaLimits kKeyLimits{
    .tasks_per_second = 6, .unsettled_max = 8, .backlog_share = 0.5};

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

bool is_over(const Client& client) {
  return ask(client, false, [](const auto& core) { return core.over(); });
}

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      agenda_(options.seed),
      network_(agenda_, {options.loss, options.doubling},
               [this](Flight flight) { arrive(std::move(flight)); }) {
  for (std::size_t i = 0; i < options_.workers; ++i) add_client(Kind::worker, i);
  const std::size_t producers = options_.folders + options_.cameras;
  for (std::size_t i = 0; i < producers; ++i) {
    add_client(Kind::producer, i);
    clients_.back().live = i >= options_.folders;
  }
  add_client(Kind::sink, 0);
  for (auto& client : clients_) {
    client.clock_ppm = static_cast<std::int64_t>(agenda_.pick(60'000)) - 30'000;
  }
  quick_ = agenda_.chance(0.5);
  journal_ = agenda_.chance(0.5);
  keyed_ = agenda_.chance(0.5);
  if (keyed_) promises_.keys_limit(kKeyLimits);
}

WorldReport World::run() {
  // Whoever starts first: in any order.
  const Duration spread = brief() ? 100ms : 1s;
  agenda_.after(agenda_.delay(0ms, spread), [this] { start_broker(); });
  for (auto& client : clients_) start_later(client, agenda_.delay(0ms, spread));
  agenda_.at(Time{} + options_.fault_time, [this] {
    network_.heal();
    resume_everything();
  });
  plan_fault();
  const Time rest_by = Time{} + options_.fault_time + kRestTime;
  const auto steps_max = options_.steps_max == 0 ? kStepsMax : options_.steps_max;
  while (!promises_.broken() && report_.steps < steps_max) {
    if (!faulty() && producers_are_done() && broker_is_empty()) break;
    if (agenda_.now() > rest_by) {
      promises_.break_with(
          fmt::format("not at rest {} s after the last fault: {}", seconds(kRestTime), unrest()));
      break;
    }
    step();
  }
  const bool at_rest = !faulty() && producers_are_done() && broker_is_empty();
  if (!promises_.broken() && at_rest) check_end();
  if (promises_.broken()) {
    report_.violation = Violation{fmt::format(
        "at {:.6f} s: {}", seconds(agenda_.now().time_since_epoch()), *promises_.broken())};
  }
  report_.lost_messages = network_.lost_count();
  report_.stored = promises_.stored().size();
  report_.from_before = promises_.from_before();
  for (const auto& [id, row] : promises_.stored()) {
    report_.failed += row.status == Status::failed ? 1U : 0U;
    report_.superseded += row.status == Status::superseded ? 1U : 0U;
    report_.expired += row.status == Status::expired ? 1U : 0U;
    report_.cancelled += row.status == Status::cancelled ? 1U : 0U;
    report_.lost += row.status == Status::lost ? 1U : 0U;
    report_.unaccounted += row.reason == Reason::unaccounted ? 1U : 0U;
  }
  return std::move(report_);
}

/// The next thing that happens: an event of the agenda or a core's deadline, whichever is first.
void World::step() {
  ++report_.steps;
  Time next = agenda_.next();
  const bool broker_due = broker_deadline() < next;
  if (broker_due) next = broker_deadline();
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
    with_core(*due, [&](auto& core, auto& out) { core.tick(now_of(*due), out); });
  } else if (broker_due) {
    broker::Effects effects;
    broker_->tick(agenda_.now(), effects);
    perform(effects);
    outbox_.tick(agenda_.now());
    send_out();
    if (!broker_over_ && broker_deadline() <= agenda_.now()) {
      promises_.break_with("the broker leaves undone what is due");
    }
  } else {
    agenda_.run_next();
  }
  bury_the_finished();
}

/// What the client's own clock shows.
Time World::now_of(const Client& client) const {
  const auto passed = agenda_.now().time_since_epoch().count();
  return Time{Duration{passed + passed / 1'000'000 * client.clock_ppm}};
}

Time World::broker_deadline() const {
  if (!broker_ || broker_paused_) return kNever;
  return std::min(broker_->next_deadline(), outbox_.next_deadline());
}

/// When its core wants to be called, by the one true clock.
Time World::deadline_of(const Client& client) const {
  if (!client.running || client.paused) return kNever;
  const Time wanted = ask(client, kNever, [](const auto& core) { return core.next_deadline(); });
  const Time shown = now_of(client);
  if (wanted == kNever || wanted <= shown) return wanted == kNever ? kNever : agenda_.now();
  // At the first full millionth of a second at which its clock has got there.
  const auto left = (wanted - shown).count();
  Time at = agenda_.now() + Duration{left * 1'000'000 / (1'000'000 + client.clock_ppm)};
  const auto shows = [&client](Time now) {
    const auto passed = now.time_since_epoch().count();
    return Time{Duration{passed + passed / 1'000'000 * client.clock_ppm}};
  };
  while (shows(at) < wanted) at += 1us;
  return at;
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
  options.backlog_tasks_max = 18;
  options.backlog_bytes_max = 14 * kTaskBytes;
  options.lost_attempts_max = 5;
  options.live_ttl = Duration::zero();  // the ttl of a picture is what pictures.hpp says
  options.dying_window = 8s;
  options.sink_window = 4;
  options.grant_tasks = 8;
  options.settled_memory = 10;
  options.journal = journal_;
  broker_.emplace(options);
  promises_.broker_starts(options);
  if (keyed_) {
    broker_->set_identities({{"door", kKeyLimits}, {"gate", kKeyLimits}, {"thief", kKeyLimits}});
    std::set<std::uint64_t> on_disk;
    for (const auto& [hash, book] : disk_.sources()) on_disk.insert(hash);
    promises_.owners_survive(journal_ ? on_disk : std::set<std::uint64_t>{});
  }
  if (journal_) restore_broker();
  note("broker starts, incarnation " + std::to_string(incarnation_));
}

void World::restore_broker() {
  committing_ = false;
  for (const auto& [id, kept] : disk_.tasks()) {
    promises_.broker_restores(kept.task, kept.written_at);
    ++report_.restored;
  }
  promises_.broker_restores(disk_.fleet());
  for (const auto& [hash, book] : disk_.sources()) promises_.broker_restores(book);
  const auto put = [this](const Content& content) {
    return Payload{broker_shelf_.put(content), 1, kInputBytes};
  };
  broker::Effects effects;
  disk_.restore(*broker_, agenda_.now(), put, {}, effects);
  perform(effects);  // writes the books, where they were put right
  if (!faulty()) resume_everything();
}

void World::drain_broker() {
  broker::Effects effects;
  broker_->drain(effects);
  perform(effects);
}

void World::end_broker() {
  const auto stats = broker_->stats(agenda_.now());
  report_.busy_answers += stats.busy_answers;
  report_.recalled += stats.recalled;
  // One that leaves in order commits what waits. A crash leaves any part of it.
  const auto waiting = disk_.waiting();
  disk_.commit(broker_over_ ? waiting : agenda_.pick(waiting + 1));
  if (broker_over_ && !disk_.tasks().empty()) {
    promises_.break_with("a drained broker leaves tasks in its journal");
  }
  broker_.reset();
  outbox_ = {};
  broker_shelf_ = {};
  broker_paused_ = false;
  broker_over_ = false;
  broker_inbox_.clear();
  network_.cut_all();
  agenda_.after(agenda_.delay(10ms, brief() ? 200ms : 4s), [this] { start_broker(); });
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
                                         LinkOptions{}, client.line_max());
    test(client, false);
  } else if (client.kind == Kind::producer) {
    const auto source = source_of(client);
    producer::SubmissionOptions options;
    options.ask_first = client.life > 1;
    options.window_tasks = 12;
    const SourceClaim claim{source.name, source.epoch, 1, count_of(client), {}, source.hash};
    client.core.emplace<producer::Submission>(
        Hello{.role = Role::producer, .name = client.name(), .sources = {claim}},
        std::vector<producer::SourceOutline>{source}, options, now_of(client));
  } else {
    sink::IntakeOptions options;
    options.batch_tasks_max = 3;
    options.gather_tasks = 2;
    options.gather_time = std::chrono::milliseconds{50};  // at the paces of these worlds
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
  client.line.clear();
  client.ended.clear();
  client.deadlines.clear();
  client.tests = 0;
  client.told.clear();
  client.seen.clear();
  ++client.life;
  network_.hang_up(client.connection);
  if (client.gone) return;
  start_later(client, agenda_.delay(10ms, brief() ? 200ms : 4s));
}

/// Whoever left in order starts again, except a producer whose work is done.
void World::bury_the_finished() {
  for (auto& client : clients_) {
    if (!client.running || client.paused || !is_over(client) || client.is_complete()) continue;
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

void World::note(std::string text) {
  if (!options_.trace) return;
  report_.trace.push_back(
      fmt::format("{:10.6f} {}", seconds(agenda_.now().time_since_epoch()), std::move(text)));
}

}  // namespace framefleet::simulation
