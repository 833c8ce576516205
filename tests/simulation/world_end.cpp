// How a simulated run ends: when it is at rest, and what must be true then.

#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

/// A producer may have been told by the sink what the broker has yet to hear, or be gone while a
/// broker that crashed has yet to come back to what its journal has.
bool World::broker_is_empty() const {
  if (!broker_) return disk_.nothing_in_progress();
  return broker_->fleet_status(agenda_.now()).in_progress.in_all() == 0;
}

bool World::producers_are_done() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) {
    return client.kind != Kind::producer || client.gone || (client.running && client.is_complete());
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
  std::uint64_t of_folders = 0;
  for (const auto& client : clients_) {
    const auto* submission = std::get_if<producer::Submission>(&client.core);
    if (submission == nullptr) continue;
    const auto stats = submission->stats();
    if (stats.submitted != stats.admitted + stats.rejected) {
      promises_.break_with(client.name() + " does not count what it submitted");
    }
    if (!client.live) check_folder(client, stats);
  }
  for (const auto& id : promises_.durable()) {
    if (!promises_.stored().contains(id)) {
      promises_.break_with("durable, and not stored: " + to_string(id));
    }
  }
  for (const auto& id : promises_.unaccounted()) {
    if (!promises_.stored().contains(id)) {
      promises_.break_with("in an earlier broker's books, and not stored: " + to_string(id));
    }
  }
  for (const auto& [id, row] : promises_.stored()) {
    of_folders += id.source < 1000 + options_.folders ? 1U : 0U;
  }
  if (of_folders > options_.folders * options_.tasks_per_producer) {
    promises_.break_with("more outcomes than pictures");
  }
  if (broker_ && journal_) check_books();
  drain_workers();
}

/// However often it was restarted, the broker knows of all that is stored of folders; it may count
/// more, because whoever is not answered in time submits again.
void World::check_books() {
  std::map<std::uint64_t, std::uint64_t> stored;
  for (const auto& [id, row] : promises_.stored()) ++stored[id.source];
  std::map<std::string, std::uint64_t> counted;
  for (const auto& row : broker_->source_rows(agenda_.now()))
    counted[row.name] = row.account.settled_in_all();
  for (const auto& client : clients_) {
    if (client.kind != Kind::producer || client.live) continue;
    const auto source = source_of(client);
    const auto in_store = stored[source.hash];
    const auto in_books = counted[source.name];
    if (in_books < in_store) {
      promises_.break_with(fmt::format("of {} the broker counts {}, and the store has {}",
                                       source.name, in_books, in_store));
    }
  }
}

void World::check_folder(const Client& client, const producer::SubmissionStats& stats) {
  for (std::uint64_t s = 0; s < options_.tasks_per_producer; ++s) {
    const TaskId id{source_of(client).hash, 1, s, 0};
    if (!promises_.stored().contains(id) && !promises_.was_rejected(id)) {
      promises_.break_with("not stored: " + to_string(id));
    }
  }
  std::uint64_t told = stats.stored_before + stats.rejected;
  for (const auto count : stats.settled) told += count;
  if (told != options_.tasks_per_producer) {
    promises_.break_with(client.name() + " does not count what it was told");
  }
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
      with_core(client, [&](auto& core, auto& out) { core.drain(now_of(client), out); });
    }
    step();
  }
  if (!std::all_of(clients_.begin(), clients_.end(), is_left)) {
    promises_.break_with("a worker does not end its drain");
  }
  if (broker_) {
    const auto stats = broker_->stats(agenda_.now());
    report_.busy_answers += stats.busy_answers;
    report_.recalled += stats.recalled;
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
      client.in_pool() > client.tests ||
      (intake != nullptr && intake->stats().waiting + intake->stats().committing != 0);
  if (!at_work && client.shelf.count() != 0) {
    promises_.break_with(client.name() + " keeps payloads of nothing");
  }
}

}  // namespace framefleet::simulation
