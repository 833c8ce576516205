// The dispatcher's dealings with its peers: who is there, who has gone, and what nobody here can
// do. What happens to tasks stands in dispatcher.cpp.

#include "broker/core/dispatcher.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace framefleet::broker {
namespace {

/// Names of detectors that are remembered for the warning about misspelt ones: more than any fleet
/// has, and under a megabyte if every name is as long as it may be.
constexpr std::size_t kAnnouncedMax = 4096;

}  // namespace

void Dispatcher::on_hello(PeerId from, Hello hello, Time now, Effects& out) {
  if (peers_.contains(from)) forget(from, Reason::worker_lost, now, out);  // it began anew
  auto* const quota = quotas_.find_or_add(hello.identity);
  if (auto refused = refusal_of(hello, quota)) {
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
      welcome_worker(from, hello, now);
      break;
    case Role::sink:
      if (sink_) {  // the same store: its sink dialled anew before we missed it
        const PeerId before = sink_;
        forget(before, Reason::none, now, out);
        out.push_back(ForgetPeer{before});
      }
      sink_ = from;
      fleet_changed_ |= store_ != hello.store;
      store_ = hello.store;
      break;
    case Role::producer:
    case Role::client:
      break;
  }
  const Role role = hello.role;
  const auto& peer = peers_[from] = {
      .hello = std::move(hello), .quota = quota, .heard_at = now, .sources_at = now};
  next_silence_check_ = std::min(next_silence_check_, now + options_.peer_timeout);
  if (role == Role::producer) {
    for (const auto& source : peer.hello.sources) claim(from, source, now, out);
  }
  ledger_.keep_few([this](Source& idle) { backlog_.forget(idle); });
  if (role == Role::sink) {
    unroutable_check_at_ = now;  // nothing was looked at while there was no sink
    send_outcomes(now, out);
    for (auto& [number, ask] : asks_) forward_ask(number, ask, now, out);
    ask_for_the_restored(now, out);
  }
  assign_all(now, out);
}

void Dispatcher::welcome_worker(PeerId from, const Hello& hello, Time now) {
  Worker worker;
  worker.peer = from;
  worker.name = hello.name;
  worker.identity = hello.identity;
  worker.build = hello.build;
  worker.detectors = hello.detectors;
  worker.slots = hello.slots;
  worker.not_ready = hello.not_ready;
  workers_.add(std::move(worker));
  for (const auto& name : hello.detectors) {
    if (announced_.size() < kAnnouncedMax) announced_.insert(name);
  }
  note_routes(now);
}

std::optional<Refused> Dispatcher::refusal_of(const Hello& hello, const Quota* quota) const {
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
  // What is in progress needs workers and the sink, who may come back after a cut, and perhaps an
  // operator.
  const bool helps_to_finish = !tasks_.empty() && hello.role != Role::producer;
  if (draining_ && !helps_to_finish) {
    return Refused{Reason::draining, "this broker drains", options_.peer_timeout};
  }
  if (auto not_its_own = ledger_.refusal_of(hello.sources, quota)) return not_its_own;
  return hello.role == Role::sink ? refusal_of_sink(hello) : std::nullopt;
}

std::optional<Refused> Dispatcher::refusal_of_sink(const Hello& hello) const {
  if (hello.store.empty()) {
    return Refused{Reason::malformed, "hello.store: a sink names the UUID of its store", {}};
  }
  if (!store_.empty() && hello.store != store_ && !hello.new_store) {
    return Refused{Reason::other_store,
                   "this broker's outcomes are in store " + store_ +
                       "; to go on with another one start the sink with --accept-new-store",
                   {}};
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
  if (const auto* worker = workers_.find(from);
      worker != nullptr && (worker->full || worker->not_ready != heartbeat.not_ready)) {
    workers_.update(from, [&heartbeat](Worker& heard) {
      heard.full = false;
      heard.not_ready = heartbeat.not_ready;
    });
    note_service(from, now);
    assign_all(now, out);
  }
  if (const auto* worker = workers_.find(from); worker != nullptr && worker->asked_to_leave) {
    out.push_back(SendTo{from, Drain{}});  // it missed the first one
  }
  if (farewell_said_) {
    out.push_back(SendTo{from, Goodbye{}});  // it missed the first one
  } else {
    const bool is_producer = peers_.at(from).hello.role == Role::producer;
    Heartbeat answer{.incarnation = options_.incarnation, .leases = {}};
    if (is_producer) answer.slots = workers_.slots_in_service();
    out.push_back(SendTo{from, std::move(answer)});
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
  const auto position = peers_.find(peer);
  if (position == peers_.end()) return;
  const auto hello = std::move(position->second.hello);
  if (hello.role == Role::worker) forget_worker(peer, reason, now, out);
  forwarded_.forget(peer, out);
  peers_.erase(peer);
  for (const auto& claimed : hello.sources) abandon(peer, claimed, reason, now, out);
  std::erase_if(asks_, [peer](const auto& ask) { return ask.second.asker == peer; });
  unwritten_.forget(peer);
  if (sink_ == peer) {
    sink_ = PeerId{};
    storing_.send_again();
    resend_outcomes_at_ = kNever;
    std::erase_if(asks_, [](const auto& ask) { return !ask.second.asker; });
    for (auto& [number, ask] : asks_) ask.answer_by = kNever;
  }
}

/// What it may have begun with is charged to `reason`; what waited behind that is not to blame.
void Dispatcher::forget_worker(PeerId peer, Reason reason, Time now, Effects& out) {
  if (reason == Reason::worker_lost) {
    ++counts_.lost_workers;
    deaths_.died(workers_.find(peer)->name, now, workers_.all().size());
    if (deaths_.look(now)) out.push_back(WorkersDying{deaths_.on(), deaths_.count()});
  }
  const auto slots = workers_.find(peer)->slots;
  while (const auto lease = leases_.pop_owned_by(peer)) {
    const bool may_have_begun = leases_.count_of(peer) < slots;
    if (!may_have_begun && reason == Reason::worker_lost) task_at(lease->task).was_aboard = true;
    hand_back(*lease, may_have_begun ? reason : Reason::drained, "", now, out);
  }
  let_worker_go(peer);
  workers_.remove(peer);
  note_routes(now);
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

void Dispatcher::on_drain(PeerId from, Time now, Effects& out) {
  workers_.update(from, [](Worker& worker) {
    worker.draining = true;
    worker.asked_to_leave = false;
  });
  out.push_back(SayHeld{from});  // it leaves once it has heard of its last ends
  note_service(from, now);
}

/// The worker may have left the service, or come back to it.
void Dispatcher::note_service(PeerId from, Time now) {
  const auto* worker = workers_.find(from);
  if (from == alone_ && !worker->in_service() && worker->leased == 0) let_worker_go(from);
  note_routes(now);
}

/// Which routes have a worker. Without any worker there is nothing to tell: they may all come.
void Dispatcher::note_routes(Time now) {
  const auto served = workers_.all().empty() ? ~RouteMask{0} : workers_.note_routes(routes_);
  backlog_.set_rivals(workers_.rivals());
  std::uint64_t staying = 0;
  std::uint64_t slots = 0;
  for (const auto& [peer, worker] : workers_.all()) {
    if (worker.draining) continue;
    ++staying;
    slots += worker.slots;
  }
  demand_.note_workers(staying, slots);
  routes_.note_served(served, now);
  if ((routes_.open_routes() & ~served) != 0) {
    unroutable_check_at_ = std::min(unroutable_check_at_, now + options_.unroutable_timeout);
  }
}

/// When a ready task has waited long enough for a worker with its detectors while there were
/// others; kNever while there is one with them.
Time Dispatcher::unroutable_at(const Task& task) const {
  const Time since = routes_.unserved_since(task.route);
  return since == kNever ? kNever : std::max(since, task.queued_at) + options_.unroutable_timeout;
}

/// There are workers, and for long enough none that could do these. Looks at all tasks of such
/// routes, and therefore not too often: one may wait a sixteenth longer.
void Dispatcher::fail_unroutable(Time now, Effects& out) {
  if (!sink_ || paused_ || now < unroutable_check_at_) return;
  unroutable_check_at_ = kNever;
  std::vector<TaskId> over;
  const auto look = [&](const Task& task) {
    const Time at = unroutable_at(task);
    if (at <= now) {
      over.push_back(task.id);
    } else if (at != kNever) {
      const Time not_before = now + options_.unroutable_timeout / 16;
      unroutable_check_at_ = std::min(unroutable_check_at_, std::max(at, not_before));
    }
  };
  for (RouteMask left = backlog_.ready_routes(); left != 0; left &= left - 1) {
    const auto route = static_cast<RouteId>(std::countr_zero(left));
    if (routes_.unserved_since(route) != kNever) backlog_.for_each(route, look);
  }
  for (const auto& id : suspects_) {
    if (const auto& task = task_at(id); !task.source->paused) look(task);
  }
  for (const auto& id : over) {
    auto& task = task_at(id);
    auto outcome = outcome_of(task, now);
    outcome.status = Status::failed;
    outcome.reason = Reason::no_worker;
    outcome.text = "no worker that is ready has all of:";
    for (const auto& name : routes_.at(task.route)) outcome.text += " " + name;
    outcome.payload = task.payload;
    end_task(task, std::move(outcome), {}, {}, now, out);
  }
}

void Dispatcher::drain(Effects& out) {
  draining_ = true;
  say_farewell_when_empty(out);
}

void Dispatcher::say_farewell_when_empty(Effects& out) {
  if (!draining_ || !tasks_.empty() || !unwritten_.empty()) return;
  if (!farewell_said_) {
    farewell_said_ = true;
    for (const auto& [id, peer] : peers_) out.push_back(SendTo{id, Goodbye{}});
  }
  // Peers leave the table as they answer or fall silent.
  if (peers_.empty()) out.push_back(Drained{});
}

}  // namespace framefleet::broker
