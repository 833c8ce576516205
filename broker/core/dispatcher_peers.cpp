// The dispatcher's dealings with its peers: who is there, who has gone, and what nobody here can
// do. What happens to tasks stands in dispatcher.cpp.

#include "broker/core/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {

void Dispatcher::on_hello(PeerId from, Hello hello, Time now, Effects& out) {
  if (peers_.contains(from)) forget(from, Reason::worker_lost, now, out);  // it began anew
  if (auto refused = refusal_of(hello)) {
    out.push_back(SendTo{from, std::move(*refused)});
    out.push_back(ForgetPeer{from});
    return;
  }
  out.push_back(SendTo{from, Welcome{.wire = common_version(kWireVersions, hello.wire),
                                     .incarnation = options_.incarnation,
                                     .heartbeat_interval = options_.heartbeat_interval,
                                     .peer_timeout = options_.peer_timeout,
                                     .grant_tasks = options_.grant_tasks,
                                     .grant_bytes = options_.grant_bytes,
                                     .payload_bytes_max = options_.payload_bytes_max}});
  switch (hello.role) {
    case Role::worker:
      workers_.add({.peer = from,
                    .name = hello.name,
                    .build = hello.build,
                    .detectors = hello.detectors,
                    .slots = hello.slots});
      note_routes(now);
      break;
    case Role::producer:
      for (const auto& claim : hello.sources) {
        owners_[claim.name] = from;
        epochs_[claim.name] = claim.epoch;
      }
      keep_accounts_few();
      break;
    case Role::sink:
      if (sink_) {  // the same store: its sink dialled anew before we missed it
        const PeerId before = sink_;
        forget(before, Reason::none, now, out);
        out.push_back(ForgetPeer{before});
      }
      sink_ = from;
      store_ = hello.store;
      break;
    case Role::client:
      break;
  }
  const Role role = hello.role;
  peers_[from] = {std::move(hello), now};
  next_silence_check_ = std::min(next_silence_check_, now + options_.peer_timeout);
  if (role == Role::sink) {
    send_outcomes(now, out);
    for (auto& [number, ask] : asks_) forward_ask(number, ask, now, out);
  }
  assign_all(now, out);
}

std::optional<Refused> Dispatcher::refusal_of(const Hello& hello) const {
  if (common_version(kWireVersions, hello.wire) == 0) {
    return Refused{Reason::wire_version,
                   "this broker speaks wire versions " + std::to_string(kWireVersions.min) +
                       " to " + std::to_string(kWireVersions.max),
                   {}};
  }
  const bool reads_tasks = hello.role != Role::client;
  if (reads_tasks && common_version(kTaskVersions, hello.task) == 0) {
    return Refused{Reason::task_version,
                   "this fleet uses task versions " + std::to_string(kTaskVersions.min) + " to " +
                       std::to_string(kTaskVersions.max),
                   {}};
  }
  // What is in progress needs workers and the sink, who may come back after a cut.
  const bool helps_to_finish =
      in_progress() && (hello.role == Role::worker || hello.role == Role::sink);
  if (draining_ && !helps_to_finish) {
    return Refused{Reason::draining, "this broker drains", options_.peer_timeout};
  }
  for (const auto& claim : hello.sources) {
    const auto epoch = epochs_.find(claim.name);
    if (epoch != epochs_.end() && claim.epoch < epoch->second) {
      return Refused{
          Reason::stale_epoch,
          "source '" + claim.name + "' is owned with epoch " + std::to_string(epoch->second),
          {}};
    }
  }
  if (hello.role != Role::sink) return std::nullopt;
  if (hello.store.empty()) {
    return Refused{Reason::malformed, "hello.store: a sink names the UUID of its store", {}};
  }
  if (!store_.empty() && hello.store != store_) {
    return Refused{Reason::other_store, "this broker's outcomes are in store " + store_, {}};
  }
  // The same name and store is the same sink over a new connection.
  if (sink_ && peers_.at(sink_).hello.name != hello.name) {
    return Refused{Reason::standby, "the sink '" + peers_.at(sink_).hello.name + "' is in service",
                   options_.peer_timeout};
  }
  return std::nullopt;
}

void Dispatcher::on_heartbeat(PeerId from, const Heartbeat& heartbeat, Time now, Effects& out) {
  for (const auto& lease : heartbeat.leases) {
    if (holds(from, lease)) leases_.extend(lease, now + options_.lease_duration);
  }
  if (auto* worker = workers_.find(from); worker != nullptr && worker->full) {
    worker->full = false;
    assign_all(now, out);
  }
  if (farewell_said_) {
    out.push_back(SendTo{from, Goodbye{}});  // it missed the first one
  } else {
    out.push_back(SendTo{from, Heartbeat{options_.incarnation, {}}});
  }
}

void Dispatcher::on_goodbye(PeerId from, Time now, Effects& out) {
  const bool is_known = peers_.contains(from);
  if (is_known && !farewell_said_) out.push_back(SendTo{from, Goodbye{}});
  forget(from, Reason::drained, now, out);
  out.push_back(ForgetPeer{from});
  assign_all(now, out);
}

void Dispatcher::turn_away(PeerId from, Reason reason, const std::string& text, Time now,
                           Effects& out) {
  out.push_back(SendTo{from, Refused{reason, text, {}}});
  forget(from, Reason::worker_lost, now, out);
  out.push_back(ForgetPeer{from});
  assign_all(now, out);
}

void Dispatcher::peer_gone(PeerId peer, Time now, Effects& out) {
  forget(peer, Reason::worker_lost, now, out);
  out.push_back(ForgetPeer{peer});
  assign_all(now, out);
  say_farewell_when_empty(out);
}

/// Takes the peer out of every table. `reason` is what its leases are closed with.
void Dispatcher::forget(PeerId peer, Reason reason, Time now, Effects& out) {
  if (peers_.erase(peer) == 0) return;
  while (const auto lease = leases_.pop_owned_by(peer)) hand_back(*lease, reason, "", now, out);
  if (workers_.find(peer) != nullptr) {
    workers_.remove(peer);
    note_routes(now);
  }
  std::erase_if(owners_, [peer](const auto& owner) { return owner.second == peer; });
  std::erase_if(asks_, [peer](const auto& ask) { return ask.second.asker == peer; });
  if (sink_ == peer) {
    sink_ = PeerId{};
    storing_.send_again();
    resend_outcomes_at_ = kNever;
    for (auto& [number, ask] : asks_) ask.answer_by = kNever;
  }
}

void Dispatcher::expire_silent_peers(Time now, Effects& out) {
  if (now < next_silence_check_) return;
  next_silence_check_ = kNever;
  std::vector<PeerId> silent;
  for (const auto& [id, peer] : peers_) {
    const Time silent_at = peer.heard_at + options_.peer_timeout;
    if (silent_at <= now) {
      silent.push_back(id);
    } else {
      next_silence_check_ = std::min(next_silence_check_, silent_at);
    }
  }
  for (const auto id : silent) {
    forget(id, Reason::worker_lost, now, out);
    out.push_back(ForgetPeer{id});
  }
}

void Dispatcher::on_drain(PeerId from, Time now) {
  workers_.find(from)->draining = true;
  note_routes(now);
}

/// Which routes have a worker. Without any worker there is nothing to tell: they may all come.
void Dispatcher::note_routes(Time now) {
  noted_routes_ = backlog_.routes_opened();
  const auto& workers = workers_.all();
  backlog_.note_served(
      [&workers](const Route& route) {
        return workers.empty() ||
               std::any_of(workers.begin(), workers.end(), [&](const auto& entry) {
                 return !entry.second.draining && entry.second.serves(route);
               });
      },
      now);
}

/// There are workers, and for long enough none that could do these.
void Dispatcher::fail_unroutable(Time now, Effects& out) {
  if (!sink_) return;
  while (const auto id = backlog_.pop_unserved(now - options_.unroutable_timeout)) {
    auto& task = task_at(*id);
    auto outcome = outcome_of(task, now);
    outcome.status = Status::failed;
    outcome.reason = Reason::no_worker;
    outcome.text = "no worker has all of:";
    for (const auto& name : task.submitted.detectors) outcome.text += " " + name;
    outcome.payload = task.submitted.payload;
    end_task(std::move(outcome), {}, {}, now, out);
  }
}

/// Sources come and go with every job; the books of those that are gone and settled become one
/// account.
void Dispatcher::keep_accounts_few() {
  if (ledger_.by_source().size() <= options_.accounts_max) return;
  std::vector<std::string> idle;
  for (const auto& [source, account] : ledger_.by_source()) {
    const bool settled = account.admitted == account.settled_in_all();
    if (settled && source != "other" && !owners_.contains(source)) idle.push_back(source);
  }
  for (const auto& source : idle) {
    ledger_.fold(source);
    epochs_.erase(source);
  }
}

void Dispatcher::drain(Effects& out) {
  draining_ = true;
  say_farewell_when_empty(out);
}

void Dispatcher::say_farewell_when_empty(Effects& out) {
  if (!draining_ || in_progress()) return;
  if (!farewell_said_) {
    farewell_said_ = true;
    for (const auto& [id, peer] : peers_) out.push_back(SendTo{id, Goodbye{}});
  }
  // Peers leave the table as they answer or fall silent.
  if (peers_.empty()) out.push_back(Drained{});
}

}  // namespace framefleet::broker
