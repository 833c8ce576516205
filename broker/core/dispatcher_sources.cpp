// Which sources producers have: claimed with their hello, and anew whenever they change.

#include "broker/core/dispatcher.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace framefleet::broker {

/// What a producer has from now on. A source that it has already keeps its tasks and its turn.
void Dispatcher::on_sources(PeerId from, Sources said, Time now, Effects& out) {
  if (auto refused = ledger_.refusal_of(said.sources, peers_.at(from).quota)) {
    turn_away(from, refused->reason, refused->text, now, out);
    return;
  }
  auto& peer = peers_.at(from);
  const auto before = std::exchange(peer.hello.sources, std::move(said.sources));
  peer.sources_at = now;
  const auto& after = peer.hello.sources;
  for (const auto& claimed : after) {
    const auto* source = ledger_.find_source(claimed.hash);
    const bool owned = source != nullptr && source->owner == from;
    if (!owned || source->epoch != claimed.epoch ||
        source->weight != std::max(1U, claimed.weight) || source->expected != claimed.expected ||
        source->interval != claimed.interval) {
      claim(from, claimed, now, out);
    }
  }
  for (const auto& gone : before) {
    if (std::ranges::find(after, gone.hash, &SourceClaim::hash) == after.end()) {
      abandon(from, gone, Reason::drained, now, out);
    }
  }
  ledger_.keep_few([this](Source& idle) { backlog_.forget(idle); });
  out.push_back(SendTo{from, Claimed{said.number}});
}

/// Of two producers that claim a source the later one owns it; Ledger::refusal_of() has compared
/// the epochs. Two of one name are two connections of one producer, of which one is dead. That may
/// be this one: hellos of several connections are read in any order after we stood still. So the
/// other is forgotten, and if it lives it hears that and dials anew.
void Dispatcher::claim(PeerId from, const SourceClaim& claim, Time now, Effects& out) {
  auto& source = ledger_.open_source(claim.hash, claim.name);
  PeerId overtaken;
  if (const auto before = peers_.find(source.owner); before != peers_.end()) {
    before->second.tasks -= source.in_progress.backlog();
    before->second.bytes -= source.bytes;
    if (before->second.hello.name == peers_.at(from).hello.name) overtaken = source.owner;
  }
  auto* const job_before = source.counted_in;
  source.quota = peers_.at(from).quota;
  ledger_.claimed(source, from, claim);
  if (source.counted_in != job_before) note_end_of(job_before, now, out);
  backlog_.set_weight(source, std::max<std::uint32_t>(1, claim.weight));
  auto& owner = peers_.at(from);
  owner.tasks += source.in_progress.backlog();
  owner.bytes += source.bytes;
  if (!overtaken || overtaken == from) return;
  forget(overtaken, Reason::none, now, out);
  out.push_back(ForgetPeer{overtaken});
}

/// Its producer has it no more. `reason`: `drained` where it says so itself.
void Dispatcher::abandon(PeerId from, const SourceClaim& claim, Reason reason, Time now,
                         Effects& out) {
  auto* const source = ledger_.find_source(claim.hash);
  if (source == nullptr || source->owner != from) return;
  if (const auto owner = peers_.find(from); owner != peers_.end()) {
    owner->second.tasks -= source->in_progress.backlog();
    owner->second.bytes -= source->bytes;
  }
  ledger_.abandoned(*source);
  auto* const job = source->counted_in;
  note_end_of(job, now, out);
  // It left in order: whoever submits for this job again means it.
  if (reason == Reason::drained && job != nullptr && job->sources == 0) {
    job->cancelled = false;
    ledger_.note(job);
  }
}

std::vector<SourceRow> Dispatcher::source_rows(Time now) const {
  struct Said {
    const SourceClaim* claim;
    Time at;
  };
  std::unordered_map<std::uint64_t, Said> said;  // looked up alone
  for (const auto& [id, peer] : peers_) {
    for (const auto& claim : peer.hello.sources) {
      const auto* source = ledger_.find_source(claim.hash);
      if (source != nullptr && source->owner == id) said[claim.hash] = {&claim, peer.sources_at};
    }
  }
  std::vector<SourceRow> rows;
  for (const auto* source : ledger_.sources()) {
    const auto owner = peers_.find(source->owner);
    rows.push_back({.name = source->name,
                    .owner = owner == peers_.end() ? std::string{} : owner->second.hello.name,
                    .epoch = source->epoch,
                    .weight = source->weight,
                    .paused = source->paused,
                    .account = source->account,
                    .in_progress = source->in_progress,
                    .unaccounted = source->unaccounted,
                    .bytes = source->bytes,
                    .mean_service = source->service.value(),
                    .state = {},
                    .state_for = {},
                    .state_text = {}});
    if (const auto found = said.find(source->hash); found != said.end()) {
      const auto& [claim, at] = found->second;
      auto& row = rows.back();
      row.state = claim->state;
      row.state_text = claim->state_text;
      if (!row.state.empty()) row.state_for = claim->state_for + (now - at);
    }
  }
  if (ledger_.other_sources().submitted > 0) {
    SourceRow other;
    other.name = "other";
    other.account = ledger_.other_sources();
    rows.push_back(std::move(other));
  }
  return rows;
}

}  // namespace framefleet::broker
