#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "shared/base/assert.hpp"
#include "tests/simulation/network.hpp"

namespace framefleet::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kInputBytes = 1000;
constexpr std::uint64_t kResultBytes = 100;
/// After the last fault everything must be at rest within this much virtual time: several back-offs
/// (at most 30 s each) and resend intervals one after the other.
constexpr Duration kRestTime = 10min;
constexpr std::uint64_t kStepsMax = 2'000'000;

/// Tasks whose sequence ends in 7 always fail in the detector, those in 9 are refused by the image gate.
bool is_poison(const TaskId& id) { return id.sequence % 10 == 7; }
bool is_refused(const TaskId& id) { return id.sequence % 10 == 9; }

enum class Kind : std::uint8_t { worker, producer, sink };

}  // namespace

/// One client process: its core while it runs, and what it holds.
struct Client {
  Kind kind{Kind::worker};
  std::size_t index{0};  // among its kind
  std::optional<worker::Session> session;
  std::optional<producer::Submission> submission;
  std::optional<sink::Intake> intake;
  PayloadShelf shelf;
  ConnectionId connection{0};
  std::uint32_t life{0};  // +1 at each start; what was planned for an earlier life is void
  bool running{false};
  bool paused{false};
  std::map<LeaseId, TaskId> pool;  // worker: what its pool has
};

class World::Implementation {
 public:
  explicit Implementation(WorldOptions options) : options_(options), random_(options.seed) {
    for (std::size_t i = 0; i < options_.workers; ++i) add_client(Kind::worker, i);
    for (std::size_t i = 0; i < options_.producers; ++i) add_client(Kind::producer, i);
    add_client(Kind::sink, 0);
  }

  WorldReport run() {
    // Whoever starts first: in any order, spread over a second.
    at(now_ + delay(0ms, 1s), [this] { start_broker(); });
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      at(now_ + delay(0ms, 1s), [this, i] { start(clients_[i]); });
    }
    plan_fault();
    const Time rest_by = Time{} + options_.fault_time + kRestTime;
    while (!report_.violation && report_.steps < kStepsMax) {
      if (now_ > Time{} + options_.fault_time && all_at_rest()) break;
      if (now_ > rest_by) {
        violate("not at rest " + fmt::format("{}", seconds(kRestTime)) + " s after the last fault: " +
                unrest());
        break;
      }
      step();
    }
    if (!report_.violation) check_end();
    return std::move(report_);
  }

 private:
  using Action = std::function<void()>;

  // --- time --------------------------------------------------------------------------------------
  void at(Time when, Action action) { agenda_.emplace(std::pair{when, ++events_}, std::move(action)); }
  Duration delay(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count());
    return least + Duration{static_cast<Duration::rep>(span == 0 ? 0 : random_() % span)};
  }
  bool chance(double probability) {
    return static_cast<double>(random_() >> 11U) * 0x1.0p-53 < probability;
  }
  bool faulty() const { return now_ < Time{} + options_.fault_time; }

  /// The next thing that happens: an event of the agenda or a core's deadline, whichever is first.
  void step() {
    ++report_.steps;
    Time next = agenda_.empty() ? kNever : agenda_.begin()->first.first;
    Client* due = nullptr;
    bool broker_due = false;
    if (broker_ && !broker_paused_ && broker_->next_deadline() < next) {
      next = broker_->next_deadline();
      broker_due = true;
    }
    for (auto& client : clients_) {
      const Time deadline = deadline_of(client);
      if (deadline < next) {
        next = deadline;
        due = &client;
        broker_due = false;
      }
    }
    FRAMEFLEET_ASSERT(next != kNever);
    now_ = std::max(now_, next);
    if (broker_due) {
      broker::Effects effects;
      broker_->tick(now_, effects);
      perform(effects);
    } else if (due != nullptr) {
      tick(*due);
    } else {
      auto action = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      action();
    }
    if (broker_) broker_->check_invariants();
  }

  Time deadline_of(const Client& client) const {
    if (!client.running || client.paused) return kNever;
    switch (client.kind) {
      case Kind::worker:
        return client.session->next_deadline();
      case Kind::producer:
        return client.submission->next_deadline();
      case Kind::sink:
        return client.intake->next_deadline();
    }
    return kNever;
  }

  void tick(Client& client) {
    switch (client.kind) {
      case Kind::worker: {
        worker::Effects effects;
        client.session->tick(now_, effects);
        perform(client, effects);
        break;
      }
      case Kind::producer: {
        producer::Effects effects;
        client.submission->tick(now_, effects);
        perform(client, effects);
        break;
      }
      case Kind::sink: {
        sink::Effects effects;
        client.intake->tick(now_, effects);
        perform(client, effects);
        break;
      }
    }
  }

  // --- life and death ----------------------------------------------------------------------------
  void add_client(Kind kind, std::size_t index) {
    Client client;
    client.kind = kind;
    client.index = index;
    clients_.push_back(std::move(client));
  }

  void start_broker() {
    if (broker_) return;
    broker::CoreOptions options;
    options.incarnation = ++incarnation_;
    options.backlog_tasks_max = 30;
    options.backlog_bytes_max = 25 * kInputBytes;
    options.sink_window = 4;
    options.grant_tasks = 8;
    options.settled_memory = 10;
    broker_.emplace(options);
    note("broker starts, incarnation " + std::to_string(incarnation_));
  }

  void start(Client& client) {
    if (client.running) return;
    client.running = true;
    client.paused = false;
    ++client.life;
    const std::string name =
        fmt::format("{}-{}", static_cast<int>(client.kind), client.index);
    note("start " + name);
    if (client.kind == Kind::worker) {
      client.session.emplace(Hello{.role = Role::worker,
                                   .name = name,
                                   .detectors = {"edges", "faces"},
                                   .slots = client.index == 0 ? 2U : 1U},
                             LinkOptions{});
    } else if (client.kind == Kind::producer) {
      const SourceClaimed source = source_of(client.index);
      producer::SubmissionOptions options;
      options.ask_first = client.life > 1;
      options.window_tasks = 12;
      client.submission.emplace(
          Hello{.role = Role::producer, .name = name, .sources = {{source.name, 1}}},
          std::vector<producer::SourceOutline>{{source.name, source.hash, 1, {}}}, options, now_);
    } else {
      sink::IntakeOptions options;
      options.batch_tasks_max = 3;
      client.intake.emplace(Hello{.role = Role::sink, .name = name, .store = "store-1"}, options);
    }
  }

  void crash(Client& client) {
    if (!client.running) return;
    note(fmt::format("crash of client {}-{}", static_cast<int>(client.kind), client.index));
    ++report_.crashes;
    client.running = false;
    client.session.reset();
    client.submission.reset();
    client.intake.reset();
    client.shelf = {};
    client.pool.clear();
    ++client.life;
    cut(client.connection);
    const std::size_t position = static_cast<std::size_t>(&client - clients_.data());
    at(now_ + delay(10ms, 4s), [this, position] { start(clients_[position]); });
  }

  void crash_broker() {
    if (!broker_) return;
    note("crash of the broker");
    ++report_.crashes;
    broker_.reset();
    broker_shelf_ = {};
    broker_paused_ = false;
    for (auto& [id, connection] : connections_) connection.cut = true;
    at(now_ + delay(10ms, 4s), [this] { start_broker(); });
  }

  void cut(ConnectionId id) {
    if (const auto position = connections_.find(id); position != connections_.end()) {
      position->second.cut = true;
    }
  }

  void plan_fault() {
    const double mean = 1.0 / options_.fault_rate;
    const auto wait = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
        mean * (0.1 + 1.8 * (static_cast<double>(random_() >> 11U) * 0x1.0p-53))));
    at(now_ + wait, [this] {
      if (!faulty()) return;
      happen();
      plan_fault();
    });
  }

  void happen() {
    auto& victim = clients_[random_() % clients_.size()];
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        crash(victim);
        break;
      case 3:
        crash_broker();
        break;
      case 4:
      case 5:
        ++report_.cuts;
        note(fmt::format("cut of connection {}", victim.connection));
        cut(victim.connection);
        break;
      case 6: {  // SIGSTOP for a while: longer than every time-out, or shorter
        victim.paused = true;
        note(fmt::format("pause of client {}-{}", static_cast<int>(victim.kind), victim.index));
        const std::size_t position = static_cast<std::size_t>(&victim - clients_.data());
        at(now_ + delay(100ms, 8s), [this, position] { resume(clients_[position]); });
        break;
      }
      default:
        broker_paused_ = broker_.has_value();
        note("pause of the broker");
        at(now_ + delay(100ms, 5s), [this] {
          broker_paused_ = false;
          auto waiting = std::move(broker_inbox_);
          broker_inbox_.clear();
          for (auto& flight : waiting) arrive(std::move(flight));
        });
        break;
    }
  }

  void resume(Client& client) {
    if (!client.paused) return;
    client.paused = false;
    auto waiting = std::move(client_inbox_[&client]);
    client_inbox_[&client].clear();
    for (auto& flight : waiting) arrive(std::move(flight));
  }

  // --- the network -------------------------------------------------------------------------------
  void dial(Client& client) {
    cut(client.connection);
    client.connection = ++last_connection_;
    Connection connection;
    connection.client = static_cast<std::size_t>(&client - clients_.data());
    connection.incarnation = broker_ ? incarnation_ : 0;
    connection.cut = !broker_;
    connections_[client.connection] = connection;
  }

  template <class Shelf>
  std::vector<Content> contents_of(Message& message, const Shelf& shelf) {
    std::vector<Content> contents;
    for_each_payload(message, [&](Payload& payload) {
      if (!payload.id) return;
      const auto* content = shelf.find(payload.id);
      if (content == nullptr) {
        violate("a payload is sent that was let go: " + std::string(name_of(message)));
        return;
      }
      contents.push_back(*content);
    });
    return contents;
  }

  template <class Shelf>
  void send(ConnectionId id, bool to_broker, Message message, const Shelf& shelf) {
    mix(message);
    const auto position = connections_.find(id);
    Flight flight{id, to_broker, std::move(message), {}};
    flight.contents = contents_of(flight.message, shelf);
    if (report_.violation || position == connections_.end() || position->second.cut) return;
    if (options_.trace) {
      note(fmt::format("{} {} {}", to_broker ? "->" : "<-", id, describe(flight.message)));
    }
    if (faulty() && chance(options_.loss)) {
      ++report_.lost_messages;
      return;
    }
    if (faulty() && chance(options_.doubling)) launch(position->second, flight);
    launch(position->second, std::move(flight));
  }

  void launch(Connection& connection, Flight flight) {
    Duration late = delay(50us, 2ms);
    if (faulty() && chance(0.02)) late += delay(0ms, 3s);
    auto& last = connection.last_arrival[flight.to_broker ? 1 : 0];
    last = std::max(last, now_ + late);
    at(last, [this, flight = std::move(flight)]() mutable { arrive(std::move(flight)); });
  }

  void arrive(Flight flight) {
    const auto position = connections_.find(flight.connection);
    if (position == connections_.end() || position->second.cut) return;
    if (flight.to_broker) {
      if (!broker_ || position->second.incarnation != incarnation_) return;
      if (broker_paused_) {
        broker_inbox_.push_back(std::move(flight));
        return;
      }
      unpack(flight, broker_shelf_);
      broker::Effects effects;
      broker_->receive(PeerId{flight.connection}, std::move(flight.message), now_, effects);
      perform(effects);
      return;
    }
    auto& client = clients_[position->second.client];
    if (!client.running || client.connection != flight.connection) return;
    if (client.paused) {
      client_inbox_[&client].push_back(std::move(flight));
      return;
    }
    unpack(flight, client.shelf);
    deliver(client, std::move(flight.message));
  }

  static void unpack(Flight& flight, PayloadShelf& shelf) {
    auto content = flight.contents.begin();
    for_each_payload(flight.message, [&](Payload& payload) {
      if (payload.id) payload.id = shelf.put(*content++);
    });
  }

  void deliver(Client& client, Message message) {
    if (client.kind == Kind::worker) {
      worker::Effects effects;
      client.session->receive(std::move(message), now_, effects);
      perform(client, effects);
    } else if (client.kind == Kind::producer) {
      producer::Effects effects;
      client.submission->receive(std::move(message), now_, effects);
      perform(client, effects);
    } else {
      sink::Effects effects;
      client.intake->receive(std::move(message), now_, effects);
      perform(client, effects);
    }
  }

  // --- performing effects ------------------------------------------------------------------------
  void perform(broker::Effects& effects) {
    for (auto& effect : effects) {
      if (auto* send_to = std::get_if<broker::SendTo>(&effect)) {
        send(send_to->peer.value(), false, std::move(send_to->message), broker_shelf_);
      } else if (const auto* release = std::get_if<broker::ReleasePayload>(&effect)) {
        if (!broker_shelf_.release(release->payload)) violate("the broker lets a payload go twice");
      }
    }
  }

  /// The effects that all clients have in common; true if it was one of them.
  template <class Effect>
  bool perform_common(Client& client, Effect& effect) {
    if (std::holds_alternative<Dial>(effect)) {
      dial(client);
    } else if (std::holds_alternative<HangUp>(effect)) {
      cut(client.connection);
    } else if (auto* message = std::get_if<Send>(&effect)) {
      send(client.connection, true, std::move(message->message), client.shelf);
    } else {
      return false;
    }
    return true;
  }

  void let_go(Client& client, PayloadId payload) {
    if (!client.shelf.release(payload)) violate("a client lets a payload go twice");
  }

  void perform(Client& client, worker::Effects& effects) {
    const std::uint32_t life = client.life;
    const std::size_t position = static_cast<std::size_t>(&client - clients_.data());
    for (auto& effect : effects) {
      if (perform_common(client, effect)) continue;
      if (const auto* start_task = std::get_if<worker::StartTask>(&effect)) {
        const auto task = start_task->task;
        const auto* content = client.shelf.find(task.payload.id);
        if (content == nullptr || content->task != task.id) violate("a task came with wrong pixels");
        client.pool[task.lease] = task.id;
        if (client.pool.size() > (client.index == 0 ? 2U : 1U)) violate("more tasks than slots");
        if (store_.contains(task.id)) ++report_.worked_again;
        at(now_ + delay(1ms, chance(0.02) ? 9s : 200ms), [this, position, life, task] {
          if (clients_[position].life == life) pool_done(clients_[position], task);
        });
      } else if (const auto* release = std::get_if<worker::ReleasePayload>(&effect)) {
        let_go(client, release->payload);
      }
    }
  }

  void pool_done(Client& client, const AssignedTask& task) {
    if (client.paused) {
      const std::uint32_t life = client.life;
      const std::size_t position = static_cast<std::size_t>(&client - clients_.data());
      at(now_ + 100ms, [this, position, life, task] {
        if (clients_[position].life == life) pool_done(clients_[position], task);
      });
      return;
    }
    client.pool.erase(task.lease);
    worker::Effects effects;
    if (is_poison(task.id)) {
      client.session->failed(task.lease, Reason::detector_error, "poison", now_, effects);
    } else if (is_refused(task.id)) {
      client.session->failed(task.lease, Reason::not_a_picture, "not a picture", now_, effects);
    } else {
      const auto payload = client.shelf.put({task.id, true});
      client.session->finished(task.lease, {payload, 1, kResultBytes}, 10ms, now_, effects);
    }
    perform(client, effects);
  }

  void perform(Client& client, producer::Effects& effects) {
    std::vector<Action> answers;
    for (auto& effect : effects) {
      if (perform_common(client, effect)) continue;
      if (const auto* list = std::get_if<producer::ListSequences>(&effect)) {
        answers.push_back([this, &client, list = *list] { answer(client, list); });
      } else if (const auto* read = std::get_if<producer::ReadPicture>(&effect)) {
        answers.push_back([this, &client, ref = read->ref] { answer(client, ref); });
      } else if (const auto* release = std::get_if<producer::ReleasePayload>(&effect)) {
        let_go(client, release->payload);
      } else if (const auto* ended = std::get_if<producer::TaskEnded>(&effect)) {
        const auto stored = store_.find(ended->settled.id);
        if (stored == store_.end()) {
          violate("told settled and not stored: " + to_string(ended->settled.id));
        } else if (stored->second != ended->settled) {
          violate("told another outcome than the stored one: " + to_string(ended->settled.id));
        }
      }
    }
    for (auto& action : answers) action();
  }

  void answer(Client& client, const producer::ListSequences& list) {
    std::vector<std::uint64_t> sequences;
    for (auto s = list.from; s < options_.tasks_per_producer && sequences.size() < list.count; ++s) {
      sequences.push_back(s);
    }
    producer::Effects effects;
    client.submission->listed(list.source, sequences, now_, effects);
    perform(client, effects);
  }

  void answer(Client& client, producer::PictureRef ref) {
    const SourceClaimed source = source_of(client.index);
    SubmittedTask task;
    task.id = {source.hash, 1, ref.sequence, 0};
    task.source = source.name;
    task.job = "job";
    task.detectors = ref.sequence % 2 == 0 ? std::vector<std::string>{"faces"}
                                           : std::vector<std::string>{"edges", "faces"};
    task.digest = to_string(task.id);
    task.payload = {client.shelf.put({task.id, false}), 1, kInputBytes};
    producer::Effects effects;
    client.submission->picture(ref, std::move(task), now_, effects);
    perform(client, effects);
  }

  void perform(Client& client, sink::Effects& effects) {
    const std::uint32_t life = client.life;
    const std::size_t position = static_cast<std::size_t>(&client - clients_.data());
    for (auto& effect : effects) {
      if (perform_common(client, effect)) continue;
      if (auto* batch = std::get_if<sink::CommitBatch>(&effect)) {
        at(now_ + delay(1ms, chance(0.05) ? 6s : 20ms),
           [this, position, life, outcomes = std::move(batch->outcomes)]() mutable {
             if (clients_[position].life == life) commit(clients_[position], std::move(outcomes));
           });
      } else if (const auto* find = std::get_if<sink::FindStored>(&effect)) {
        at(now_ + delay(1ms, 20ms), [this, position, life, tasks = find->tasks] {
          if (clients_[position].life == life) look_up(clients_[position], tasks);
        });
      } else if (const auto* release = std::get_if<sink::ReleasePayload>(&effect)) {
        let_go(client, release->payload);
      }
    }
  }

  void commit(Client& client, std::vector<Outcome> outcomes) {
    std::vector<SettledTask> stored;
    for (const auto& outcome : outcomes) {
      check_outcome(client, outcome);
      const SettledTask row{outcome.id, outcome.status, outcome.reason, outcome.text};
      stored.push_back(store_.try_emplace(outcome.id, row).first->second);
    }
    // Committed, and perhaps the process dies before it can say so.
    if (faulty() && chance(0.02)) {
      crash(client);
      return;
    }
    sink::Effects effects;
    client.intake->committed(std::move(stored), now_, effects);
    perform(client, effects);
  }

  void look_up(Client& client, const std::vector<TaskId>& tasks) {
    std::vector<SettledTask> known;
    for (const auto& id : tasks) {
      if (const auto row = store_.find(id); row != store_.end()) known.push_back(row->second);
    }
    sink::Effects effects;
    client.intake->found(std::move(known), now_, effects);
    perform(client, effects);
  }

  // --- promises ----------------------------------------------------------------------------------
  void check_outcome(const Client& client, const Outcome& outcome) {
    const auto* content = client.shelf.find(outcome.payload.id);
    if (content == nullptr || content->task != outcome.id) {
      violate("an outcome came with another task's bytes: " + to_string(outcome.id));
      return;
    }
    if (content->is_result != (outcome.status == Status::ok)) violate("ok without a result");
    const bool must_fail = is_poison(outcome.id) || is_refused(outcome.id);
    const bool worn_out = entry(outcome.reason).charge == Charge::lost && outcome.attempts >= 10;
    if ((outcome.status == Status::ok) == must_fail && !worn_out) {
      violate(fmt::format("{} ended as {} ({})", to_string(outcome.id), to_string(outcome.status),
                          to_string(outcome.reason)));
    }
    if (is_refused(outcome.id) && outcome.reason == Reason::detector_error) violate("wrong reason");
  }

  static bool idle(const sink::Intake& intake) {
    const auto stats = intake.stats();
    return stats.waiting == 0 && stats.committing == 0;
  }

  bool all_at_rest() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) {
      return client.kind != Kind::producer || (client.running && client.submission->over());
    });
  }

  std::string unrest() const {
    std::string text;
    for (const auto& client : clients_) {
      if (client.kind != Kind::producer || !client.running) continue;
      const auto stats = client.submission->stats();
      text += fmt::format("producer {}: in flight {}, admitted {}, up {}; ", client.index,
                          stats.in_flight, stats.admitted, stats.link_up);
    }
    if (broker_) {
      const auto stats = broker_->stats();
      text += fmt::format("broker: ready {}, delayed {}, leased {}, storing {}, sink {}, workers {}",
                          stats.ready, stats.delayed, stats.leased, stats.storing,
                          stats.sink_connected, stats.workers);
    }
    return text;
  }

  /// After the end: every picture has one outcome, and every process drains to nothing.
  void check_end() {
    for (std::size_t p = 0; p < options_.producers; ++p) {
      for (std::uint64_t s = 0; s < options_.tasks_per_producer; ++s) {
        const TaskId id{source_of(p).hash, 1, s, 0};
        if (!store_.contains(id)) violate("not stored: " + to_string(id));
      }
    }
    if (store_.size() != options_.producers * options_.tasks_per_producer) {
      violate("more outcomes than pictures");
    }
    report_.stored = store_.size();
    for (const auto& [id, row] : store_) report_.failed += row.status == Status::failed ? 1U : 0U;
    drain_all();
  }

  void drain_all() {
    const Time give_up_at = now_ + 2min;
    const auto workers_left = [this] {
      return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) {
        return client.kind != Kind::worker || !client.running || client.session->over();
      });
    };
    while (!report_.violation && !workers_left() && now_ < give_up_at) {
      for (auto& client : clients_) {  // those too that come back only now
        if (client.kind != Kind::worker || !client.running || client.paused) continue;
        worker::Effects effects;
        client.session->drain(now_, effects);
        perform(client, effects);
      }
      step();
    }
    if (!workers_left()) violate("a worker does not end its drain");
    if (broker_) {
      const auto stats = broker_->stats();
      if (stats.ready + stats.delayed + stats.leased + stats.storing != 0) {
        violate("tasks are left in a broker at rest");
      }
      if (broker_shelf_.count() != 0) violate("the broker keeps payloads of nothing");
    }
    for (const auto& client : clients_) {
      const bool at_work = !client.pool.empty() || (client.intake && !idle(*client.intake));
      if (client.running && !at_work && client.shelf.count() != 0) {
        violate(fmt::format("client {}-{} keeps payloads of nothing", static_cast<int>(client.kind),
                            client.index));
      }
    }
  }

  void violate(std::string text) {
    if (report_.violation) return;
    report_.violation = Violation{fmt::format("at {:.6f} s: {}", seconds(now_.time_since_epoch()),
                                              std::move(text))};
  }

  // --- small things ------------------------------------------------------------------------------
  struct SourceClaimed {
    std::string name;
    std::uint64_t hash;
  };
  static SourceClaimed source_of(std::size_t producer) {
    return {"source-" + std::to_string(producer), 1000 + producer};
  }

  static std::string describe(const Message& message) {
    std::string text(name_of(message));
    if (const auto* submit = std::get_if<Submit>(&message)) {
      for (const auto& task : submit->tasks) text += " " + to_string(task.id);
    } else if (const auto* assign = std::get_if<Assign>(&message)) {
      for (const auto& task : assign->tasks) {
        text += fmt::format(" {} lease {}.{}", to_string(task.id), task.lease.incarnation,
                            task.lease.counter);
      }
    } else if (const auto* result = std::get_if<TaskResult>(&message)) {
      text += fmt::format(" {} lease {}.{}", to_string(result->id), result->lease.incarnation,
                          result->lease.counter);
    } else if (const auto* settled = std::get_if<Settled>(&message)) {
      for (const auto& task : settled->tasks) text += " " + to_string(task.id);
    }
    return text;
  }

  void note(std::string text) {
    if (options_.trace) {
      report_.trace.push_back(
          fmt::format("{:10.6f} {}", seconds(now_.time_since_epoch()), std::move(text)));
    }
  }

  void mix(const Message& message) {
    const auto add = [this](std::uint64_t value) {
      report_.digest = (report_.digest ^ value) * 0x100000001B3ULL;  // FNV-1a, 64 bit
    };
    add(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    add(message.index());
    if (const auto* assign = std::get_if<Assign>(&message)) {
      for (const auto& task : assign->tasks) add(std::hash<TaskId>{}(task.id) + task.lease.counter);
    }
  }

  WorldOptions options_;
  std::mt19937_64 random_;
  Time now_{};
  std::map<std::pair<Time, std::uint64_t>, Action> agenda_;
  std::uint64_t events_{0};
  std::vector<Client> clients_;
  std::optional<broker::Dispatcher> broker_;
  PayloadShelf broker_shelf_;
  bool broker_paused_{false};
  std::vector<Flight> broker_inbox_;
  std::map<const Client*, std::vector<Flight>> client_inbox_;
  std::uint32_t incarnation_{0};
  std::map<ConnectionId, Connection> connections_;
  ConnectionId last_connection_{0};
  std::map<TaskId, SettledTask> store_;  // survives everything
  WorldReport report_;
};

World::World(WorldOptions options) : implementation_(std::make_unique<Implementation>(options)) {}
World::~World() = default;
WorldReport World::run() { return implementation_->run(); }

}  // namespace framefleet::simulation
