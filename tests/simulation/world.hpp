#pragma once
// All four cores in one thread, in virtual time, over a network that misbehaves by a seed.
//
// Messages are copied between nodes with what their payloads hold, so a payload that was let go too
// early, mixed up or leaked is found. Crashed nodes lose everything but the sink's store and what
// was committed to the broker's journal, where it has one. The same seed gives the same run, to the
// byte.

#include "broker/core/dispatcher.hpp"
#include "broker/core/outbox.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/promises.hpp"
#include "tests/support/journal_disk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace framefleet::simulation {

struct WorldOptions {
  std::uint64_t seed{1};
  std::size_t workers{3};
  std::size_t folders{2};
  std::size_t cameras{1};
  /// Pictures of a folder; a camera takes as many in a tenth of a second each.
  std::uint64_t tasks_per_producer{20};
  /// Stop after so many steps, at rest or not; 0: when everything is at rest. Short schedules find
  /// what needs two or three faults close together.
  std::uint64_t steps_max{0};
  /// Virtual time during which faults happen; afterwards everything must come to rest.
  Duration fault_time{std::chrono::seconds{20}};
  /// Faults per second of virtual time, of all kinds together.
  double fault_rate{1.0};
  /// Share of messages lost or doubled while faults last.
  double loss{0.01};
  double doubling{0.01};
  bool trace{false};
};

/// A promise that did not hold: what, and when.
struct Violation {
  std::string text;
};

struct WorldReport {
  std::optional<Violation> violation;
  std::uint64_t steps{0};
  std::uint64_t crashes{0};
  std::uint64_t cuts{0};
  std::uint64_t drains{0};
  std::uint64_t self_tests{0};
  std::uint64_t failed_self_tests{0};
  std::uint64_t lost_messages{0};
  std::uint64_t busy_answers{0};
  std::uint64_t stored{0};
  std::uint64_t failed{0};
  std::uint64_t superseded{0};
  std::uint64_t expired{0};
  std::uint64_t cancelled{0};
  std::uint64_t lost{0};          ///< Their pictures were gone when a broker had forgotten them.
  std::uint64_t unaccounted{0};   ///< Of these, those of producers that did not come back.
  std::uint64_t handed_ahead{0};  ///< Tasks assigned to a worker without a free slot.
  std::uint64_t recalled{0};
  std::uint64_t lined_up{0};      ///< Orders that waited in a pool.
  std::uint64_t taken_back{0};    ///< Of these, those that left it again.
  std::uint64_t begun_before{0};  ///< Wanted back when work on them had begun.
  std::uint64_t restored{0};      ///< Tasks that a broker found in its journal.
  std::uint64_t controls{0};      ///< Orders of operators.
  std::uint64_t from_before{0};   ///< Tasks ended by results of an earlier broker's hand-outs.
  std::uint64_t worked_again{0};  ///< Hand-outs of tasks that were stored already.
  std::uint64_t thefts{0};        ///< Tried by somebody with another key.
  std::uint64_t digest{0};        ///< Of all messages in order: equal seeds give equal digests.
  std::vector<std::string> trace;

  /// Adds the numbers of another run.
  void add(const WorldReport& other) {
    for (const auto number :
         {&WorldReport::steps,         &WorldReport::crashes,      &WorldReport::cuts,
          &WorldReport::drains,        &WorldReport::self_tests,   &WorldReport::failed_self_tests,
          &WorldReport::lost_messages, &WorldReport::busy_answers, &WorldReport::stored,
          &WorldReport::failed,        &WorldReport::superseded,   &WorldReport::expired,
          &WorldReport::cancelled,     &WorldReport::lost,         &WorldReport::unaccounted,
          &WorldReport::handed_ahead,  &WorldReport::recalled,     &WorldReport::lined_up,
          &WorldReport::taken_back,    &WorldReport::begun_before, &WorldReport::restored,
          &WorldReport::controls,      &WorldReport::from_before,  &WorldReport::worked_again,
          &WorldReport::thefts}) {
      this->*number += other.*number;
    }
  }
};

class World {
 public:
  explicit World(WorldOptions options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Runs to the end, or to the first violation. Call it once.
  WorldReport run();

 private:
  // Time (world.cpp)
  bool faulty() const { return agenda_.now() < Time{} + options_.fault_time; }
  /// A short schedule: everybody is quick to start, so that faults meet work.
  bool brief() const { return options_.steps_max > 0; }
  void step();
  Time now_of(const Client& client) const;
  Time broker_deadline() const;
  Time deadline_of(const Client& client) const;

  // Faults and operators (world_faults.cpp)
  void plan_fault();
  void happen();
  void hurt(Client& victim);
  void hurt_broker();
  void pause(Client& client);
  void test(Client& worker, bool was_ready);
  void end_test(Client& worker, bool passed);
  void pause_broker();
  void empty_broker_inbox();
  void operate();
  void steal();
  void order(Control control);
  void resume_everything();

  // Life and death (world.cpp)
  void add_client(Kind kind, std::size_t index);
  void start_broker();
  void restore_broker();
  void drain_broker();
  void end_broker();
  void start_later(Client& client, Duration wait);
  void start(Client& client);
  void crash(Client& client);
  void end(Client& client);
  void bury_the_finished();

  // The end (world_end.cpp)
  bool producers_are_done() const;
  bool broker_is_empty() const;
  std::string unrest() const;
  void check_end();
  void check_books();
  void check_folder(const Client& client, const producer::SubmissionStats& stats);
  void drain_workers();
  void check_nothing_is_kept(const Client& client);

  // Messages (world_effects.cpp)
  std::vector<Content> contents_of(const Message& message, const PayloadShelf& shelf);
  void send(ConnectionId id, bool to_broker, Message message, const PayloadShelf& shelf);
  void arrive(Flight flight);
  void note_deadlines(Client& client, const Assign& assign);

  // What the cores ask for (world_effects.cpp)
  void perform(broker::Effects& effects);
  void send_out();
  void write(const broker::Effects& effects);
  void commit_later();
  void perform(Client& client, producer::Effects& effects);
  void perform(Client& client, sink::Effects& effects);
  /// The effects that all clients have in common; true if it was one of them.
  template <class Effect>
  bool perform_common(Client& client, Effect& effect) {
    if (std::holds_alternative<Dial>(effect)) {
      dial(client);
    } else if (std::holds_alternative<HangUp>(effect)) {
      network_.hang_up(client.connection);
    } else if (auto* send = std::get_if<Send>(&effect)) {
      send_to_broker(client, std::move(send->message));
    } else {
      return false;
    }
    return true;
  }
  void dial(Client& client);
  void send_to_broker(Client& client, Message message);
  void let_go(Client& client, PayloadId payload);
  void plan(Client& client, Duration wait, Agenda::Action action);
  void list(Client& client, const producer::ListSequences& request);
  void read(Client& client, producer::PictureRef ref);
  void commit(Client& client, const std::vector<Outcome>& outcomes);
  void look_up(Client& client, const std::vector<TaskId>& tasks);

  // A worker and its pool (world_pool.cpp)
  void perform(Client& client, worker::Effects& effects);
  void take_up(Client& client, const AssignedTask& task);
  void begin_next(Client& client);
  void work(Client& client, const AssignedTask& task);
  void end_work(Client& client, const AssignedTask& task);
  void hear_of_ends(Client& client);
  void hear_of_end(Client& client, worker::Session& session, worker::Effects& out);
  void take_back(Client& client, const std::vector<LeaseId>& leases);

  /// Hands the client's core and an effects buffer to `act`, and performs what it asks for.
  template <class Act>
  void with_core(Client& client, Act act) {
    std::visit([&](auto& core) { act_on(client, core, act); }, client.core);
  }
  template <class Core, class Act>
  void with(Client& client, Act act) {
    act_on(client, std::get<Core>(client.core), act);
  }
  template <class Core, class Act>
  void act_on(Client& client, Core& core, Act& act) {
    if constexpr (!std::is_same_v<Core, std::monostate>) {
      typename EffectsOf<Core>::Type effects;
      act(core, effects);
      perform(client, effects);
    }
  }

  std::uint64_t count_of(const Client& producer) const {
    return options_.tasks_per_producer * (producer.live ? 2 : 1);
  }
  void note(std::string text);
  void mix(const Message& message);

  WorldOptions options_;
  Agenda agenda_;
  Network network_;
  Promises promises_;
  std::vector<Client> clients_;  // never grows after the constructor: actions refer to them
  std::optional<broker::Dispatcher> broker_;
  broker::Outbox outbox_;
  PayloadShelf broker_shelf_;
  std::vector<Flight> broker_inbox_;  // while it is paused
  std::uint32_t incarnation_{0};
  bool journal_{false};  // the broker has one
  bool keyed_{false};    // producers have keys, and so has a thief
  test::JournalDisk<Content> disk_;
  bool committing_{false};
  bool broker_paused_{false};
  bool broker_over_{false};  // it said Drained
  bool quick_{false};        // tasks take so little that workers are handed some ahead
  WorldReport report_;
};

}  // namespace framefleet::simulation
