// A program of calls on the broker's core: messages of every type from eight connections that may
// say anything, with or without a hello, beside peers that do their part so that there is something
// to spoil; time that passes, connections that break, a journal that commits late or is full, a
// broker that dies and begins again with what was committed. What must hold after every call: the
// dispatcher's own invariants; nothing is due any more; a payload is let go once, and never sent
// afterwards; no lease number is given twice; only a welcomed worker is assigned to; the caps. A
// broker that says Drained keeps nothing. What the programs got done is printed at the end.
//
// The shell's own checks stand before each call, as they do in the broker: a task id is of its
// source, a result of our lease has the token of the worker that it was handed to.

#include "broker/core/dispatcher.hpp"
#include "tests/fuzz/made_messages.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/journal_disk.hpp"

#include "shared/base/assert.hpp"
#include "shared/security/digest.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace framefleet;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kPeers = 8;
constexpr std::size_t kCallsMax = 400;
/// Deadlines met one by one before time jumps over the rest.
constexpr int kTicksMax = 40;

/// What each connection is, where it does its part.
constexpr std::array<Role, kPeers> kRoles{Role::producer, Role::producer, Role::worker,
                                          Role::worker,   Role::worker,   Role::sink,
                                          Role::client,   Role::producer};

/// Whose key each has: two have the same one, most none.
constexpr std::array<std::string_view, kPeers> kIdentities{"front", "back", "", "",
                                                           "",      "",     "", "front"};

test::Census& heard() {
  static test::Census census("types handed to the dispatcher");
  return census;
}

struct Done {
  unsigned handed_out{0};
  unsigned settled{0};
  unsigned restarts{0};
  unsigned drained{0};
  ~Done() {
    std::fprintf(stderr, "handed out %u, settled %u, restarts %u, drained %u\n", handed_out,
                 settled, restarts, drained);
  }
};
Done done;

broker::CoreOptions options_by(test::Recipe& recipe) {
  broker::CoreOptions options;
  options.incarnation = test::kMadeIncarnation;
  options.journal = recipe.one_in(2);
  options.backlog_tasks_max = 12;
  options.backlog_bytes_max = recipe.one_in(2) ? 20'000 : 1'000'000'000;
  options.source_tasks_max = recipe.one_in(4) ? 3 : 0;
  options.producer_tasks_max = recipe.one_in(4) ? 5 : 0;
  options.unstored_tasks_max = 6;
  options.unstored_bytes_max = 3'000'000;
  options.grant_tasks = 8;
  options.sink_window = 3;
  options.lost_attempts_max = 4;
  options.suspect_losses = 2;
  options.ahead_tasks_max = 4;
  options.accounts_max = 3;
  options.settled_memory = 4;
  return options;
}

class Program {
 public:
  explicit Program(test::Recipe& recipe)
      : recipe_(recipe), options_(options_by(recipe)), broker_(std::in_place, options_) {}

  void run() {
    for (std::size_t call = 0; call < kCallsMax && !recipe_.empty() && !drained_; ++call) {
      step();
    }
  }

 private:
  struct HandedOut {
    TaskId task;
    PeerId to;
    std::string worker;  // its name
  };

  void step() {
    const auto what = recipe_.byte();
    if (what < 20) return greet();
    if (what < 60) return submit();
    if (what < 95) return answer();
    if (what < 125) return store();
    if (what < 180) return say(what);
    switch (what % 8) {
      case 0:
      case 1:
        return pass_time();
      case 2:
        return with([&](auto& out) { broker_->peer_gone(some_peer(), now_, out); });
      case 3:
        return with([&](auto& out) {
          broker_->turn_away(some_peer(), Reason::malformed, "odd", now_, out);
        });
      case 4:
        return commit();
      case 5:
        return recipe_.one_in(4) ? list_identities() : look();
      case 6:
        return recipe_.one_in(8) ? with([&](auto& out) { broker_->drain(out); })
                                 : broker_->journal_full(recipe_.one_in(2));
      case 7:
        return recipe_.one_in(4) ? begin_again() : pass_time();
    }
  }

  PeerId some_peer() { return PeerId{1 + recipe_.pick(kPeers)}; }

  // --- peers that do their part

  void greet() {
    const auto peer = some_peer();
    auto message = test::made_message(recipe_, 0);
    auto& hello = std::get<Hello>(message);
    hello.role = kRoles[peer.value() - 1];
    hear(peer, std::move(message));
  }

  void submit() {
    const PeerId from{1 + recipe_.pick(2)};
    hear(from, test::made_message(recipe_, Message(Submit{}).index()));
  }

  /// Takes one of the first four; rarely it stays, to be taken again.
  template <class Each>
  Each take_from(std::vector<Each>& all) {
    const auto position = all.begin() + static_cast<std::ptrdiff_t>(
                                            recipe_.pick(std::min<std::size_t>(all.size(), 4)));
    Each taken = *position;
    if (!recipe_.one_in(16)) all.erase(position);
    return taken;
  }

  /// A worker ends a hand-out, most often its own.
  void answer() {
    if (open_.empty()) return;
    const auto lease = take_from(open_);
    const auto& handed = handed_out_.at(lease);
    const auto how = recipe_.byte();
    const auto by = how % 16 == 15 ? some_peer() : handed.to;
    if (how % 4 == 0) {
      hear(by, Nack{handed.task, lease, reason_table()[how % kReasonCount].reason, "odd"});
    } else if (how % 4 == 1) {
      hear(by, Release{{{handed.task, lease}}});
    } else {
      hear(by, Results{{{handed.task, lease, "token", 10ms, {{}, 1, 0}}}});
    }
  }

  /// The sink says that an outcome is stored, rarely as something else.
  void store() {
    if (outcomes_.empty()) return;
    auto settled = take_from(outcomes_);
    if (recipe_.one_in(16)) settled.status = Status::lost;
    hear(sink_, Stored{{settled}});
  }

  /// Anybody anything.
  void say(std::size_t type) {
    const auto from = some_peer();
    hear(from, test::made_message(recipe_, type));
  }

  // --- the shell

  void hear(PeerId from, Message message) {
    test::give_frames(recipe_, message);
    if (auto* hello = std::get_if<Hello>(&message)) {
      name_sources(hello->sources);
      hello->identity = kIdentities[from.value() - 1];
      names_[from] = hello->name;
    } else if (auto* sources = std::get_if<Sources>(&message)) {
      name_sources(sources->sources);
    } else if (auto* results = std::get_if<Results>(&message)) {
      for (auto& result : results->tasks) {
        if (!prove(from, result)) return;
      }
    }
    for_each_payload(message, [this](Payload& payload) {
      if (payload.frames == 0) return;
      payload.id = PayloadId{++last_payload_};
      payloads_.emplace(payload.id, payload.bytes);
    });
    heard().saw(message);
    with([&](auto& out) { broker_->receive(from, std::move(message), now_, out); });
  }

  static void name_sources(std::vector<SourceClaim>& claims) {
    for (auto& claim : claims) claim.hash = security::source_hash(claim.name);
  }

  /// What the shell lets through. False: it turned the peer away.
  bool prove(PeerId from, TaskResult& result) {
    const auto name = names_.find(from);
    const auto handed = handed_out_.find(result.lease);
    const bool proved = name != names_.end() && handed != handed_out_.end() &&
                        handed->second.task == result.id && handed->second.worker == name->second;
    if (proved) return true;
    result.token.clear();
    if (result.lease.incarnation != options_.incarnation || name == names_.end()) return true;
    with([&](auto& out) { broker_->turn_away(from, Reason::malformed, "token", now_, out); });
    return false;
  }

  void pass_time() {
    constexpr std::array<Duration, 8> kSteps{1us, 1ms, 50ms, 500ms, 1s, 3s, 61s, 1h};
    const Time target = now_ + recipe_.one_of(kSteps);
    for (int ticks = 0; ticks < kTicksMax && broker_->next_deadline() <= target; ++ticks) {
      now_ = std::max(now_, broker_->next_deadline());
      tick();
    }
    now_ = target;
    tick();
  }

  void tick() {
    with([&](auto& out) { broker_->tick(now_, out); });
    FRAMEFLEET_ASSERT(drained_ || broker_->next_deadline() > now_);
  }

  void commit() {
    if (!options_.journal) return;
    const auto number = disk_.commit(recipe_.pick(disk_.waiting() + 1));
    with([&](auto& out) { broker_->written(number, now_, out); });
  }

  /// kill -9, and a new broker on what the disk has; without a journal on nothing.
  void begin_again() {
    disk_.commit(recipe_.pick(disk_.waiting() + 1));
    ++options_.incarnation;
    payloads_.clear();
    names_.clear();
    welcomed_.clear();
    outcomes_.clear();
    ++done.restarts;
    last_lease_ = 0;
    broker_.emplace(options_);
    if (!options_.journal) return;
    with([&](auto& out) {
      const auto put = [this](std::uint64_t bytes) {
        if (bytes == kNone) return Payload{};
        const PayloadId id{++last_payload_};
        payloads_.emplace(id, bytes);
        return Payload{id, 1, bytes};
      };
      std::set<TaskId> damaged;
      for (const auto& [id, kept] : disk_.tasks()) {
        if (recipe_.one_in(8)) damaged.insert(id);
      }
      disk_.restore(*broker_, now_, put, damaged, out);
    });
  }

  /// The allow-list is another one.
  void list_identities() {
    std::map<std::string, broker::QuotaLimits> limits;
    for (const auto* name : {"front", "back"}) {
      if (recipe_.one_in(4)) continue;
      constexpr std::array kShares{1.0, 0.5, 0.01};
      limits[name] = {.tasks_per_second = static_cast<double>(recipe_.pick(3)),
                      .bytes_per_second = recipe_.pick(3) * std::uint64_t{1000},
                      .unsettled_max = recipe_.pick(4),
                      .backlog_share = recipe_.one_of(kShares)};
    }
    broker_->set_identities(limits);
    broker_->check_invariants();
  }

  void look() {
    const auto stats = broker_->stats(now_);
    FRAMEFLEET_ASSERT(stats.fleet.in_progress.in_all() <= options_.backlog_tasks_max);
    broker_->worker_rows(now_);
    broker_->source_rows(now_);
    broker_->job_rows(now_);
  }

  template <class Act>
  void with(Act act) {
    broker::Effects effects;
    act(effects);
    if (options_.journal) {
      disk_.take(effects, *broker_, now_,
                 [this](const Payload& payload) { return payload.id ? held(payload) : kNone; });
    }
    for (const auto& effect : effects) perform(effect);
    FRAMEFLEET_ASSERT(!drained_ || payloads_.empty());
    broker_->check_invariants();
  }

  void perform(const broker::Effect& effect) {
    if (const auto* send = std::get_if<broker::SendTo>(&effect)) {
      FRAMEFLEET_ASSERT(send->peer);
      for_each_payload(send->message, [this](const Payload& payload) {
        if (payload.id) held(payload);
      });
      if (std::holds_alternative<Welcome>(send->message)) welcomed_.insert(send->peer);
      if (const auto* assign = std::get_if<Assign>(&send->message)) {
        for (const auto& task : assign->tasks) note_hand_out(send->peer, task);
      } else if (const auto* sent = std::get_if<Outcomes>(&send->message)) {
        sink_ = send->peer;
        for (const auto& each : sent->outcomes) {
          outcomes_.push_back({each.id, each.status, each.reason, each.text});
        }
      }
    } else if (const auto* forget = std::get_if<broker::ForgetPeer>(&effect)) {
      names_.erase(forget->peer);
      welcomed_.erase(forget->peer);
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      FRAMEFLEET_ASSERT(payloads_.erase(release->payload) == 1);
    } else if (std::holds_alternative<broker::TaskSettled>(effect)) {
      ++done.settled;
    } else if (std::holds_alternative<broker::Drained>(effect)) {
      drained_ = true;
      ++done.drained;
      FRAMEFLEET_ASSERT(broker_->fleet_status(now_).in_progress.in_all() == 0);
    }
  }

  std::uint64_t held(const Payload& payload) const {
    const auto position = payloads_.find(payload.id);
    FRAMEFLEET_ASSERT(position != payloads_.end() && position->second == payload.bytes);
    return position->second;
  }

  void note_hand_out(PeerId worker, const AssignedTask& task) {
    FRAMEFLEET_ASSERT(welcomed_.contains(worker));
    FRAMEFLEET_ASSERT(task.lease.incarnation == options_.incarnation);
    FRAMEFLEET_ASSERT(task.lease.counter > last_lease_);
    last_lease_ = task.lease.counter;
    handed_out_[task.lease] = {task.id, worker, names_.at(worker)};
    open_.push_back(task.lease);
    ++done.handed_out;
  }

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  test::Recipe& recipe_;
  broker::CoreOptions options_;
  std::optional<broker::Dispatcher> broker_;
  test::JournalDisk<std::uint64_t> disk_;  // payloads by their sizes
  Time now_{Duration{1h}};
  std::map<PayloadId, std::uint64_t> payloads_;  // what the shell holds
  std::uint64_t last_payload_{0};
  std::map<PeerId, std::string> names_;
  std::set<PeerId> welcomed_;
  std::map<LeaseId, HandedOut> handed_out_;
  std::vector<LeaseId> open_;          // that nobody has answered to
  std::vector<SettledTask> outcomes_;  // as they were sent, and are not said to be stored
  PeerId sink_{1};                     // to whom
  std::uint64_t last_lease_{0};
  bool drained_{false};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::Recipe recipe(test::as_input(data, size));
  Program(recipe).run();
  return 0;
}
