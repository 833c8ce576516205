#include "broker/shell.hpp"

#include "broker/status_document.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/base/joining.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace framefleet::broker {
namespace {

/// Messages handled between two looks at the clock.
constexpr int kBatchMax = 256;
/// Entries of them handled between two moments at which what was decided is sent: by then the first
/// one waits for long.
constexpr std::size_t kUnsentMax = 256;
/// Metrics and readiness are published this often; a scrape every second sees fresh numbers.
constexpr Duration kPublishInterval = std::chrono::milliseconds{200};

}  // namespace

Result<std::unique_ptr<Shell>, Error> Shell::open(BrokerOptions options,
                                                  telemetry::Program& program) {
  auto guard = Guard::open(options.keys, program);
  if (!guard) return fail(guard.error());
  std::unique_ptr<JournalLink> journal;
  if (options.journal.folder.empty()) {
    options.core.incarnation = incarnation_at(telemetry::wall_clock_ms());
  } else {
    auto& bytes_max = options.journal.bytes_max;
    if (bytes_max == 0) bytes_max = 2 * options.core.backlog_bytes_max;
    options.core.journal_bytes_max = bytes_max;
    auto opened = JournalLink::open(options.journal, program);
    if (!opened) return fail(opened.error());
    journal = std::move(*opened);
    options.core.journal = true;
    options.core.incarnation = journal->incarnation();
  }
  auto audit = AuditLog::open(options.audit, telemetry::wall_clock_ms);
  if (!audit) return fail(audit.error());
  auto hub = guard->open_hub(options.hub);
  if (!hub) return fail(hub.error());
  failpoint("broker.bound");
  std::unique_ptr<Shell> shell(new Shell(options, program, *std::move(guard), std::move(*hub),
                                         std::move(journal), std::move(*audit)));
  if (auto begun = shell->begin(); !begun) return fail(begun.error());
  return shell;
}

Shell::Shell(const BrokerOptions& options, telemetry::Program& program, Guard guard,
             std::unique_ptr<transport::Hub> hub, std::unique_ptr<JournalLink> journal,
             AuditLog audit)
    : options_(options),
      program_(program),
      journal_(std::move(journal)),
      guard_(std::move(guard)),
      hub_(std::move(hub)),
      dispatcher_(options.core),
      mint_(journal_ ? security::TokenMint(journal_->token_key()) : security::TokenMint()),
      drain_(program, options.drain_timeout),
      audit_(std::move(audit)) {
  dispatcher_.set_identities(guard_.limits());
  program_.http.add(metrics_.source());
  for (const auto& endpoint : hub_->endpoints()) {
    program_.log.info("listening", {{"endpoint", endpoint}});
  }
}

/// With what an earlier broker left, before the first message is read.
Result<void, Error> Shell::begin() {
  if (!journal_) return {};
  const Time now = now_ = telemetry::monotonic_now();
  auto restored = journal_->restore(dispatcher_, hub_->payloads(), now, effects_);
  if (!restored) return restored;
  failpoint("broker.restored");
  perform();
  return write(now);
}

Result<int, Error> Shell::run() {
  auto ended = work();
  if (!journal_ || !ended) return ended;
  // What was promised is on the disk before anybody can believe that we left in order.
  failpoint("broker.drain.journal");
  if (auto closed = journal_->close(dispatcher_); !closed) return fail(closed.error());
  failpoint("broker.drain.end");
  return ended;
}

Result<int, Error> Shell::work() {
  program_.health.ready("serving");
  std::vector fds{program_.signals.fd()};
  if (journal_) fds.push_back(journal_->notify_fd());
  if (const auto keys = guard_.fd()) fds.push_back(*keys);
  while (!drained_) {
    const Time now = now_ = telemetry::monotonic_now();
    program_.turned(now);
    receive_messages();
    switch (drain_.hear(now)) {
      case telemetry::DrainWatch::Word::nothing:
        break;
      case telemetry::DrainWatch::Word::drain:
        failpoint("broker.drain.begin");
        dispatcher_.drain(effects_);
        break;
      case telemetry::DrainWatch::Word::stop:
        return given_up();
    }
    look_at_keys(now);
    dispatcher_.tick(now, effects_);
    perform();
    hub_->flush();
    for (const auto peer : hub_->take_unreachable()) {
      dispatcher_.peer_gone(peer, now, effects_);
      perform();
    }
    if (auto written = write(now); !written) return fail(written.error());
    outbox_.tick(now);
    send_out();
    publish(now);
    if (drained_) break;
    const Time deadline = std::min(
        {dispatcher_.next_deadline(), outbox_.next_deadline(), drain_.deadline(), publish_at_});
    hub_->wait(fds, std::max(Duration::zero(), deadline - telemetry::monotonic_now()));
  }
  program_.log.info("drained");
  return exit_code::kOk;
}

void Shell::receive_messages() {
  std::size_t unsent = 0;
  for (int i = 0; i < kBatchMax; ++i) {
    auto incoming = hub_->receive();
    if (!incoming) break;
    unsent += incoming->message ? entries_of(*incoming->message) : 1;
    handle(std::move(*incoming));
    if (unsent >= kUnsentMax) {
      send_out();
      unsent = 0;
    }
  }
  send_out();
}

/// Hands what is to be written to the journal, and takes what is.
Result<void, Error> Shell::write(Time now) {
  if (!journal_) return {};
  auto turned = journal_->turn(dispatcher_, now, effects_);
  if (!turned) return turned;
  perform();
  for (const auto time : journal_->take_commit_times()) metrics_.observe_commit(time);
  return {};
}

/// The exit code of a broker that leaves with tasks, if it does.
int Shell::given_up() const {
  const auto left = dispatcher_.fleet_status(now_).in_progress;
  if (left.in_all() == 0) return exit_code::kOk;
  program_.log.warn(journal_ ? "tasks_left_in_journal" : "tasks_given_up",
                    {{"ready", left.ready},
                     {"delayed", left.delayed},
                     {"leased", left.leased},
                     {"storing", left.storing}});
  return journal_ ? exit_code::kOk : exit_code::kSomeFailed;
}

void Shell::handle(transport::Hub::Incoming incoming) {
  const Time now = now_;
  const PeerId from = incoming.from;
  std::string fault = std::move(incoming.fault);
  if (incoming.message) fault = check_claims(from, *incoming.message);
  if (!fault.empty()) {
    program_.log.warn("peer_malformed", {{"peer", from.value()}, {"text", fault}});
    turn_away(from, incoming.message, Reason::malformed, fault, now);
    return;
  }
  if (const auto denial = guard_.denial_of(incoming)) {
    turn_away(from, incoming.message, Reason::not_permitted, *denial, now);
    return;
  }
  if (const auto* control = std::get_if<Control>(&*incoming.message);
      control != nullptr && !note_deed(from, incoming.sender, *control)) {
    return;
  }
  if (auto* hello = std::get_if<Hello>(&*incoming.message)) {
    for (auto& claim : hello->sources) claim.hash = security::source_hash(claim.name);
    hello->identity = guard_.identity_of(incoming.sender);
    names_[from] = hello->identity.empty() ? hello->name : hello->identity + "/" + hello->name;
    program_.log.info("peer_hello", {{"peer", from.value()},
                                     {"role", to_string(hello->role)},
                                     {"name", names_[from]},
                                     {"build", hello->build}});
  } else if (auto* sources = std::get_if<Sources>(&*incoming.message)) {
    for (auto& claim : sources->sources) claim.hash = security::source_hash(claim.name);
  } else if (const auto* nack = std::get_if<Nack>(&*incoming.message)) {
    program_.log.debug(
        "task_nacked",
        {{"task", to_string(nack->id)}, {"reason", to_string(nack->reason)}, {"text", nack->text}});
  }
  dispatcher_.receive(from, std::move(*incoming.message), now, effects_);
  if (dispatcher_.draining()) drain_.begin(now);  // an operator asked for it
  perform();
}

/// Writes down what an operator is about to do. False: that cannot be done, so neither is the deed.
bool Shell::note_deed(PeerId from, const transport::Hub::Sender& sender, const Control& control) {
  if (!is_deed(control.verb)) return true;
  Operator who;
  who.identity = guard_.identity_of(sender);
  who.user = sender.user;
  if (const auto name = names_.find(from); name != names_.end()) who.name = name->second;
  const auto written = audit_.asked(from, who, control);
  if (written) return true;
  program_.log.error("audit_failed", {{"text", written.error().text}});
  outbox_.add({from, Report{control.asker, Reason::no_audit, written.error().text, {}}}, now_);
  return false;
}

/// What came of a deed stands behind it. That this line is lost undoes nothing, and is told.
void Shell::note_end(const Result<void, Error>& written) {
  if (!written) program_.log.error("audit_failed", {{"text", written.error().text}});
}

/// Whoever may be here no more leaves at once, and what it had goes back.
void Shell::look_at_keys(Time now) {
  const auto gone = guard_.look(*hub_, drain_.take_hangup());
  if (!gone) return;
  dispatcher_.set_identities(guard_.limits());
  for (const auto peer : *gone) {
    turn_away(peer, std::nullopt, Reason::not_permitted, "its key was taken out of the allow-list",
              now);
  }
}

/// Closes the door on a peer, and lets go of what its last message brought.
void Shell::turn_away(PeerId from, const std::optional<Message>& message, Reason reason,
                      const std::string& text, Time now) {
  if (message) {
    for_each_payload(*message, [this](const Payload& payload) {
      if (payload.id) hub_->payloads().release(payload.id);
    });
  }
  dispatcher_.turn_away(from, reason, text, now, effects_);
  perform();
}

/// What a peer claims and must be able to prove: a source's hash, a lease's token. A token of a
/// broker without our key is no fault, and is taken away.
std::string Shell::check_claims(PeerId from, Message& message) {
  if (const auto* submit = std::get_if<Submit>(&message)) {
    for (const auto& task : submit->tasks) {
      if (!is_hash_of(task.id.source, task.source)) {
        return "the source part of " + to_string(task.id) + " is not the hash of '" + task.source +
               "'";
      }
    }
  } else if (auto* results = std::get_if<Results>(&message)) {
    const auto name = names_.find(from);
    const bool is_known = name != names_.end();
    for (auto& result : results->tasks) {
      // Proved: the lease was given to this worker, by us or by an earlier broker with our journal.
      if (is_known && mint_.verify(result.token, result.id, result.lease, name->second)) continue;
      if (is_known && result.lease.incarnation == options_.core.incarnation) {
        return "the token of the result of " + to_string(result.id) + " is not this worker's";
      }
      result.token.clear();
    }
  }
  return {};
}

/// The tasks of a source come one after the other.
bool Shell::is_hash_of(std::uint64_t hash, const std::string& source) {
  if (source != hashed_) {
    hash_ = security::source_hash(source);
    hashed_ = source;
  }
  return hash == hash_;
}

void Shell::perform() {
  if (journal_) journal_->gather(effects_, hub_->payloads());
  for (auto& effect : effects_) {
    if (auto* send_to = std::get_if<SendTo>(&effect)) {
      perform(*send_to);
    } else if (const auto* say = std::get_if<SayHeld>(&effect)) {
      outbox_.say_held(say->peer);
    } else if (const auto* forget = std::get_if<ForgetPeer>(&effect)) {
      if (const auto name = names_.find(forget->peer); name != names_.end()) {
        program_.log.info("peer_gone", {{"peer", forget->peer.value()}, {"name", name->second}});
        names_.erase(name);
      }
      note_end(audit_.gone(forget->peer));
      outbox_.forget(forget->peer);
      send_out();
      hub_->forget(forget->peer);
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      outbox_.release(release->payload);
    } else if (const auto* closed = std::get_if<LeaseClosed>(&effect)) {
      metrics_.observe(*closed);
    } else if (const auto* settled = std::get_if<TaskSettled>(&effect)) {
      metrics_.observe(*settled);
    } else if (const auto* wanted = std::get_if<Show>(&effect)) {
      show(*wanted);
    } else if (const auto* ended = std::get_if<JobEnded>(&effect)) {
      report_job(ended->job);
    } else if (const auto* dying = std::get_if<WorkersDying>(&effect)) {
      report_deaths(*dying);
    } else if (std::holds_alternative<Drained>(effect)) {
      drained_ = true;
    }
  }
  effects_.clear();
}

/// An operator's question: the answer is a document, in payload frame 0.
void Shell::show(const Show& wanted) {
  std::string document;
  if (wanted.what == ControlVerb::workers) {
    document = workers_document(dispatcher_.worker_rows(now_));
  } else if (wanted.what == ControlVerb::drain_idlest) {
    document = draining_document(wanted.names);
  } else if (wanted.what == ControlVerb::sources) {
    document = sources_document(dispatcher_.source_rows(now_));
  } else if (wanted.what == ControlVerb::jobs) {
    document = jobs_document(dispatcher_.job_rows(now_));
  } else {
    document = status_document(dispatcher_.fleet_status(now_));
  }
  const auto payload = hub_->payloads().put(transport::Frame::of(std::move(document)));
  const Report report{wanted.asker, Reason::none, wanted.text, payload};
  note_end(audit_.answered(wanted.peer, report));
  outbox_.add({wanted.peer, report}, now_);
  outbox_.release(payload.id);
}

void Shell::report_job(const std::string& name) {
  const auto job = dispatcher_.job_row(name, now_);
  if (!job) return;
  program_.log.info("job_ended", {{"job", name},
                                  {"submitted", job->account.submitted},
                                  {"rejected", job->account.rejected},
                                  {"ok", job->account.settled_as(Status::ok)},
                                  {"failed", job->account.settled_as(Status::failed)},
                                  {"expired", job->account.settled_as(Status::expired)},
                                  {"superseded", job->account.settled_as(Status::superseded)},
                                  {"cancelled", job->account.settled_as(Status::cancelled)},
                                  {"lost", job->account.settled_as(Status::lost)},
                                  {"elapsed", job->elapsed}});
}

void Shell::report_deaths(const WorkersDying& dying) {
  if (dying.on) {
    program_.log.error("workers_dying",
                       {{"died", dying.died},
                        {"text",
                         "more than half of the workers died within a minute; tasks that "
                         "workers died with before are held back until it ends"}});
  } else {
    program_.log.info("workers_live_again", {{"died", dying.died}});
  }
}

void Shell::perform(SendTo& send_to) {
  if (auto* assign = std::get_if<Assign>(&send_to.message)) {
    const auto& name = names_[send_to.peer];
    for (auto& task : assign->tasks) task.token = mint_.mint(task.id, task.lease, name);
  } else if (const auto* report = std::get_if<Report>(&send_to.message)) {
    note_end(audit_.answered(send_to.peer, *report));
  } else if (const auto* refused = std::get_if<Refused>(&send_to.message)) {
    program_.log.warn("peer_refused", {{"peer", send_to.peer.value()},
                                       {"reason", to_string(refused->reason)},
                                       {"text", refused->text}});
  }
  metrics_.observe(send_to.message);
  outbox_.add(std::move(send_to), now_);
}

/// What was decided since the last time; only then are its payloads let go.
void Shell::send_out() {
  for (const auto& message : outbox_.messages()) hub_->send(message.peer, message.message);
  for (const auto payload : outbox_.released()) hub_->payloads().release(payload);
  outbox_.clear();
}

void Shell::publish(Time now) {
  if (now < publish_at_) return;
  publish_at_ = now + kPublishInterval;
  BrokerStats stats;
  stats.dispatcher = dispatcher_.stats(now);
  stats.hub = hub_->stats();
  stats.guard = guard_.stats();
  guard_.report(stats.hub, now);
  if (journal_) stats.journal = journal_->stats();
  stats.backlog_bytes_max = options_.core.backlog_bytes_max;
  stats.unstored_bytes_max = options_.core.unstored_bytes_max;
  metrics_.publish(std::move(stats));
}

}  // namespace framefleet::broker
