// What the simulated cores ask for: messages, work in the pool, pictures, commits.

#include "tests/simulation/world.hpp"

#include "shared/base/joining.hpp"

#include <fmt/format.h>

#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

namespace {

std::string describe(const Message& message) {
  std::string text(name_of(message));
  const auto add = [&text](const TaskId& id, const LeaseId& lease) {
    text += fmt::format(" {} lease {}.{}", to_string(id), lease.incarnation, lease.counter);
  };
  if (const auto* submit = std::get_if<Submit>(&message)) {
    for (const auto& task : submit->tasks) text += " " + to_string(task.id);
  } else if (const auto* assign = std::get_if<Assign>(&message)) {
    for (const auto& task : assign->tasks) add(task.id, task.lease);
  } else if (const auto* results = std::get_if<Results>(&message)) {
    for (const auto& task : results->tasks) add(task.id, task.lease);
  } else if (const auto* nack = std::get_if<Nack>(&message)) {
    add(nack->id, nack->lease);
  } else if (const auto* outcomes = std::get_if<Outcomes>(&message)) {
    for (const auto& outcome : outcomes->outcomes) text += " " + to_string(outcome.id);
  } else if (const auto* stored = std::get_if<Stored>(&message)) {
    for (const auto& task : stored->tasks) text += " " + to_string(task.id);
  } else if (const auto* ask = std::get_if<Ask>(&message)) {
    for (const auto& id : ask->tasks) text += " " + to_string(id);
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) text += " " + to_string(task.id);
  }
  return text;
}

}  // namespace

// --- messages
// -------------------------------------------------------------------------------------

std::vector<Content> World::contents_of(const Message& message, const PayloadShelf& shelf) {
  std::vector<Content> contents;
  for_each_payload(message, [&](const Payload& payload) {
    if (!payload.id) return;
    const auto* content = shelf.find(payload.id);
    if (content == nullptr) {
      promises_.break_with("a payload is sent that was let go: " + std::string(name_of(message)));
    } else {
      contents.push_back(*content);
    }
  });
  return contents;
}

void World::send(ConnectionId id, bool to_broker, Message message, const PayloadShelf& shelf) {
  mix(message);
  Flight flight{id, to_broker, std::move(message), {}};
  flight.contents = contents_of(flight.message, shelf);
  if (!to_broker) {
    if (auto* assign = std::get_if<Assign>(&flight.message)) {
      for (auto& task : assign->tasks) task.token = journal_ ? "ours" : "";  // its key is kept
    }
    promises_.broker_sends(flight.message, flight.contents, agenda_.now());
    if (const auto* admitted = std::get_if<Admitted>(&flight.message)) {
      promises_.says_durable(*admitted, [this](const TaskId& task) { return disk_.has(task); });
    } else if (const auto* outcomes = std::get_if<Outcomes>(&flight.message);
               outcomes && journal_) {
      promises_.lets_store(*outcomes, [this](const TaskId& task) { return disk_.names(task); });
    }
    promises_.broker_assigns(id, flight.message);
  }
  if (promises_.broken()) return;
  if (options_.trace && network_.is_open(id)) {
    note(fmt::format("{} {} {}", to_broker ? "->" : "<-", id, describe(flight.message)));
  }
  network_.send(std::move(flight));
}

void World::arrive(Flight flight) {
  if (!network_.arrives(flight.connection, flight.to_broker)) return;
  if (flight.to_broker) {
    if (!broker_ || network_.incarnation_of(flight.connection) != incarnation_) return;
    if (broker_paused_) {
      broker_inbox_.push_back(std::move(flight));
      return;
    }
    flight.unpack(broker_shelf_);
    if (auto* hello = std::get_if<Hello>(&flight.message);
        keyed_ && hello != nullptr && !hello->sources.empty()) {
      hello->identity = identity_of(hello->sources.front().hash);
    }
    promises_.broker_hears(flight.connection, flight.message);
    broker::Effects effects;
    broker_->receive(PeerId{flight.connection}, flight.message, agenda_.now(), effects);
    promises_.broker_received(flight.message, effects, agenda_.now());
    perform(effects);
    return;
  }
  auto& client = clients_[network_.client_of(flight.connection)];
  if (!client.running || client.connection != flight.connection) return;
  if (client.paused) {
    client.inbox.push_back(std::move(flight));
    return;
  }
  flight.unpack(client.shelf);
  if (const auto* assign = std::get_if<Assign>(&flight.message)) note_deadlines(client, *assign);
  with_core(client, [&](auto& core, auto& out) {
    core.receive(std::move(flight.message), now_of(client), out);
  });
}

void World::note_deadlines(Client& client, const Assign& assign) {
  auto taken = client.in_pool();
  for (const auto& task : assign.tasks) {
    if (taken++ >= client.slots()) ++report_.handed_ahead;
    if (task.ttl_left == Duration::zero() || client.deadlines.contains(task.lease)) continue;
    client.deadlines[task.lease] = now_of(client) + task.ttl_left;
  }
}

void World::mix(const Message& message) {
  const auto add = [this](std::uint64_t value) {
    report_.digest = (report_.digest ^ value) * 0x100000001B3ULL;  // FNV-1a, 64 bit
  };
  add(static_cast<std::uint64_t>(agenda_.now().time_since_epoch().count()));
  add(message.index());
  if (const auto* assign = std::get_if<Assign>(&message)) {
    for (const auto& task : assign->tasks) add(std::hash<TaskId>{}(task.id) + task.lease.counter);
  }
}

// --- the broker
// -----------------------------------------------------------------------------------

void World::perform(broker::Effects& effects) {
  if (journal_) write(effects);
  for (auto& effect : effects) {
    if (auto* send_to = std::get_if<broker::SendTo>(&effect)) {
      outbox_.add(std::move(*send_to), agenda_.now());
    } else if (const auto* say = std::get_if<broker::SayHeld>(&effect)) {
      outbox_.say_held(say->peer);
    } else if (const auto* forget = std::get_if<broker::ForgetPeer>(&effect)) {
      outbox_.forget(forget->peer);
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      outbox_.release(release->payload);
    } else if (std::holds_alternative<broker::Drained>(effect)) {
      broker_over_ = true;
    }
  }
  send_out();
  promises_.broker_rests(*broker_, agenda_.now());
}

void World::send_out() {
  for (const auto& send_to : outbox_.messages()) {
    send(send_to.peer.value(), false, send_to.message, broker_shelf_);
  }
  for (const auto payload : outbox_.released()) {
    if (!broker_shelf_.release(payload)) {
      promises_.break_with("the broker lets a payload go twice");
    }
  }
  outbox_.clear();
}

/// What the broker wants kept is on its disk a little later.
void World::write(const broker::Effects& effects) {
  const bool something = disk_.take(effects, *broker_, agenda_.now(), [&](const Payload& payload) {
    const auto* content = broker_shelf_.find(payload.id);
    if (content == nullptr) promises_.break_with("a payload is to be written that was let go");
    return content == nullptr ? Content{} : *content;
  });
  if (something && !committing_) commit_later();
}

void World::commit_later() {
  committing_ = true;
  const Duration longest = agenda_.chance(0.02) ? Duration{1s} : 10ms;
  const auto all = disk_.waiting();
  agenda_.after(agenda_.delay(100us, longest), [this, all, incarnation = incarnation_] {
    if (incarnation != incarnation_ || !broker_) return;
    if (broker_paused_) return commit_later();
    committing_ = false;
    broker::Effects effects;
    broker_->written(disk_.commit(all), agenda_.now(), effects);
    perform(effects);
    if (disk_.waiting() > 0 && !committing_) commit_later();
  });
}

// --- its clients
// ----------------------------------------------------------------------------------

void World::send_to_broker(Client& client, Message message) {
  if (client.kind == Kind::sink) promises_.sink_sends(message);
  send(client.connection, true, std::move(message), client.shelf);
}

void World::dial(Client& client) {
  network_.hang_up(client.connection);
  client.connection = network_.dial(client.position, broker_ ? incarnation_ : 0);
}

void World::let_go(Client& client, PayloadId payload) {
  if (!client.shelf.release(payload)) {
    promises_.break_with(client.name() + " lets a payload go twice");
  }
}

/// For this life of the client: not at all when it has ended by then, later while it is paused.
void World::plan(Client& client, Duration wait, Agenda::Action action) {
  agenda_.after(wait, [this, &client, life = client.life, action = std::move(action)] {
    if (client.life != life) return;
    if (client.paused) {
      plan(client, 100ms, action);
    } else {
      action();
    }
  });
}

void World::perform(Client& client, producer::Effects& effects) {
  join_sends(effects);
  std::vector<Agenda::Action> answers;
  for (auto& effect : effects) {
    if (perform_common(client, effect)) continue;
    if (const auto* request = std::get_if<producer::ListSequences>(&effect)) {
      answers.push_back([this, &client, request = *request] { list(client, request); });
    } else if (const auto* picture = std::get_if<producer::ReadPicture>(&effect)) {
      answers.push_back([this, &client, ref = picture->ref] { read(client, ref); });
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      let_go(client, release->payload);
    } else if (const auto* ended = std::get_if<producer::TaskEnded>(&effect)) {
      promises_.producer_is_told(*ended);
      if (!client.told.insert(ended->ref).second) {
        promises_.break_with("told twice: " + to_string(ended->settled.id));
      }
    }
  }
  for (auto& answer : answers) answer();
}

void World::list(Client& client, const producer::ListSequences& request) {
  std::vector<std::uint64_t> sequences;
  for (auto s = request.from; s < count_of(client) && sequences.size() < request.count; ++s) {
    sequences.push_back(s);
  }
  with<producer::Submission>(client, [&](auto& submission, auto& out) {
    submission.listed(request.source, sequences, now_of(client), out);
  });
}

void World::read(Client& client, producer::PictureRef ref) {
  const auto source = source_of(client);
  SubmittedTask task;
  task.id = {source.hash, source.epoch, ref.sequence, 0};
  task.source = source.name;
  task.job = "job-" + std::to_string(client.index);
  task.task_class = source.task_class;
  task.priority = priority_of(task.id);
  task.ttl = ttl_of(task.id);
  task.detectors = needed_by(task.id);
  task.task = "description";
  task.digest = to_string(task.id);
  if (!client.seen.insert(ref).second && agenda_.chance(0.3)) {  // removed, or changed
    if (agenda_.chance(0.5)) {
      with<producer::Submission>(client, [&](auto& submission, auto& out) {
        submission.no_picture(ref, false, now_of(client), out);
      });
      return;
    }
    task.digest = "another picture";
  }
  task.payload = {client.shelf.put({task.id, false, {}}), 1, kInputBytes};
  with<producer::Submission>(client, [&](auto& submission, auto& out) {
    submission.picture(ref, std::move(task), now_of(client), out);
  });
}

void World::perform(Client& client, sink::Effects& effects) {
  for (auto& effect : effects) {
    if (perform_common(client, effect)) continue;
    if (auto* batch = std::get_if<sink::CommitBatch>(&effect)) {
      promises_.sink_commits(batch->outcomes, client.shelf);
      plan(client, agenda_.delay(1ms, agenda_.chance(0.05) ? 9s : 20ms),
           [this, &client, outcomes = std::move(batch->outcomes)] { commit(client, outcomes); });
    } else if (const auto* find = std::get_if<sink::FindStored>(&effect)) {
      plan(client, agenda_.delay(1ms, agenda_.chance(0.05) ? 3s : 20ms),
           [this, &client, tasks = find->tasks] { look_up(client, tasks); });
    } else if (const auto* order = std::get_if<sink::CarryOut>(&effect)) {
      plan(client, agenda_.delay(1ms, 20ms), [this, &client, asker = order->control.asker] {
        with<sink::Intake>(client, [&](auto& intake, auto& out) {
          const auto payload = client.shelf.put({});
          intake.reported({asker, Reason::none, {}, {payload, 1, 10}}, now_of(client), out);
        });
      });
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      let_go(client, release->payload);
    }
  }
}

void World::commit(Client& client, const std::vector<Outcome>& outcomes) {
  std::vector<SettledTask> stored;
  for (const auto& outcome : outcomes) stored.push_back(promises_.store(outcome, client.shelf));
  // Committed, and perhaps the process dies before it can say so.
  if (faulty() && agenda_.chance(0.02)) {
    crash(client);
    return;
  }
  with<sink::Intake>(client, [&](auto& intake, auto& out) {
    intake.committed(std::move(stored), now_of(client), out);
  });
}

void World::look_up(Client& client, const std::vector<TaskId>& tasks) {
  std::vector<SettledTask> known;
  for (const auto& id : tasks) {
    const auto row = promises_.stored().find(id);
    if (row != promises_.stored().end()) known.push_back(row->second);
  }
  with<sink::Intake>(client, [&](auto& intake, auto& out) {
    intake.found(std::move(known), now_of(client), out);
  });
}

}  // namespace framefleet::simulation
