#include "worker/shell.hpp"

#include "worker/detectors/registry.hpp"
#include "worker/open_pool.hpp"
#include "worker/pool/zygote.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/base/joining.hpp"
#include "shared/config/version.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/telemetry/process_stat.hpp"
#include "shared/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

namespace framefleet::worker {
namespace {

constexpr int kBatchMax = 64;
constexpr Duration kPublishInterval = std::chrono::milliseconds{200};

Hello hello_of(const WorkerOptions& options) {
  auto hello = hello_as(Role::worker, options.name, config::version());
  hello.detectors = options.detectors;
  hello.slots = options.slots;
  return hello;
}

/// Without a word about its detectors a worker offers all that need no model, or have one.
std::vector<std::string> all_it_has(const DetectorSettings& settings) {
  std::vector<std::string> names;
  for (const auto& kind : detector_kinds()) {
    if (!kind.needs_model || check_detector(kind.name, settings)) names.emplace_back(kind.name);
  }
  return names;
}

/// Leaves out what a refused model is of: another model, or a cascade, would give other answers
/// under the same name.
Result<void, Error> check_offer(WorkerOptions& options) {
  const auto& settings = options.pool.workbench.detectors;
  if (options.detectors.empty()) options.detectors = all_it_has(settings);
  for (const auto& refused : options.refused_models) {
    std::erase(options.detectors, refused.detector);
    if (options.detectors.empty()) return fail(refused.error);
  }
  for (const auto& name : options.detectors) {
    auto checked = check_detector(name, settings);
    if (!checked) return checked;
  }
  return {};
}

/// The detectors that children are to have warm: those that are offered, and those that the
/// self-tests ask for.
std::vector<std::string> warm_detectors(const WorkerOptions& options) {
  auto names = options.detectors;
  for (const auto& test : self_tests_of(options.detectors, formats_of(options))) {
    names.emplace_back(test.detector);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::optional<int> run_as_child_process(int argc, const char* const* argv) {
  if (const auto tried = run_as_model_trial(argc, argv)) return tried;
  return run_as_zygote(argc, argv);
}

Result<std::unique_ptr<Shell>, Error> Shell::open(WorkerOptions options,
                                                  telemetry::Program& program) {
  for (const auto& refused : options.refused_models) {
    program.log.error(
        "model_refused",
        {{"model", refused.name}, {"detector", refused.detector}, {"text", refused.error.text}});
  }
  if (auto checked = check_offer(options); !checked) return fail(checked.error());
  auto channel = transport::Channel::open({.connect = options.connect, .keys = options.keys});
  if (!channel) return fail(channel.error());
  if (auto announced = transport::check_sendable(hello_of(options)); !announced) {
    return fail(announced.error());
  }
  options.pool.slots = options.slots;
  options.pool.line_max = kAheadMax;
  WorkerOptions of_pool = options;
  of_pool.detectors = warm_detectors(options);
  auto pool = open_pool(std::move(of_pool));
  if (!pool) return fail(pool.error());
  return std::unique_ptr<Shell>(new Shell(options, program, std::move(*channel), std::move(*pool)));
}

Shell::Shell(const WorkerOptions& options, telemetry::Program& program,
             std::unique_ptr<transport::Channel> channel, std::unique_ptr<Pool> pool)
    : options_(options),
      program_(program),
      channel_(std::move(channel)),
      pool_(std::move(pool)),
      self_tester_(options.detectors, formats_of(options), options.self_test_interval, program.log),
      session_(hello_of(options), options.link, pool_->line_max()),
      metrics_(options.detectors),
      drain_(program, options.drain_timeout),
      link_watch_(program) {
  program_.http.add(metrics_.source());
  stats_.slots = options.slots;
  for (const auto& refused : options.refused_models) ++stats_.refused_models[refused.detector];
  session_.set_not_ready(self_tester_.not_ready(), {}, effects_);
}

Result<int, Error> Shell::run() {
  auto ended = work();
  if (!session_.over()) {
    channel_->send(Goodbye{});  // the broker hands out again at once what was running
    channel_->hang_up();
  }
  channel_.reset();  // gives the goodbye its moment to get out
  return ended;
}

Result<int, Error> Shell::work() {
  const std::array fds{program_.signals.fd(), pool_->notify_fd()};
  while (!session_.over()) {
    const Time now = telemetry::monotonic_now();
    program_.turned(now);
    switch (drain_.hear(now)) {
      case telemetry::DrainWatch::Word::nothing:
        break;
      case telemetry::DrainWatch::Word::drain:
        failpoint("worker.drain.begin");
        session_.drain(now, effects_);
        perform(now);
        break;
      case telemetry::DrainWatch::Word::stop:
        return ended();
    }
    take_done(now);
    give_up_the_overdue(now);
    session_.tick(now, effects_);
    perform(now);
    run_self_tests(now);
    publish(now);
    channel_->wait(fds, std::max(Duration::zero(), next_deadline() - telemetry::monotonic_now()));
    receive_messages();
    // The broker can ask for a drain as well. One that is stuck leaves when the rest is done.
    if (session_.draining() && !stuck_) drain_.begin(telemetry::monotonic_now());
    if (auto fault = pool_->fault(); !fault.empty()) return fail(Error{std::move(fault)});
    if (auto unsendable = channel_->take_unsendable()) return fail(std::move(*unsendable));
  }
  return ended();
}

/// A self-test that waits for a slot is due when one frees, and in a drain never.
Time Shell::next_deadline() const {
  const bool tests_wait = session_.draining() || session_.slot_wanted();
  return std::min({session_.next_deadline(), drain_.deadline(), publish_at_,
                   tests_wait ? kNever : self_tester_.next_deadline()});
}

Result<int, Error> Shell::ended() const {
  if (auto refusal = telemetry::refusal_of(session_.link()); refusal && !drain_.draining()) {
    return fail(std::move(*refusal));
  }
  program_.log.info("worked", {{"results", session_.stats().finished}});
  if (stuck_) return exit_code::kInternal;
  return drain_.gave_up() ? exit_code::kSomeFailed : exit_code::kOk;
}

void Shell::exit_if_working(const Result<int, Error>& ended) {
  if (pool_->in_use() == 0) return;
  const int code = ended ? *ended : ended.error().exit_code;
  if (!tickets_.empty()) {
    program_.log.warn("leaving_tasks_behind", {{"tasks", tickets_.size()}, {"exit_code", code}});
  }
  if (options_.isolation == Isolation::process) return;  // child processes end with their pool
  if (!ended) program_.log.error("failed", {{"text", ended.error().text}});
  // A thread cannot be killed, and joining it would wait for its detector, which may take minutes
  // or for ever. It holds nothing that outlives the process.
  std::_Exit(code);
}

void Shell::receive_messages() {
  for (int i = 0; i < kBatchMax; ++i) {
    auto incoming = channel_->receive();
    if (!incoming) return;
    const Time now = telemetry::monotonic_now();
    if (incoming->message) {
      session_.receive(std::move(*incoming->message), now, effects_);
      perform(now);
    } else {
      program_.log.warn("broker_malformed", {{"text", incoming->fault}});
    }
  }
}

void Shell::take_done(Time now) {
  for (auto& done : pool_->take_done()) {
    if (self_tester_.runs(done.ticket)) {
      take_self_test(done, now);
      continue;
    }
    const auto ticket = tickets_.find(done.ticket);
    if (ticket == tickets_.end()) continue;
    const LeaseId lease = ticket->second;
    tickets_.erase(ticket);
    failpoint("worker.answer.taken");
    if (done.result) {
      finish(lease, std::move(*done.result), done.elapsed, now);
    } else {
      if (!done.abandoned) ++stats_.failed[done.result.error().reason];
      session_.failed(lease, done.result.error().reason, done.result.error().text, now, effects_);
    }
  }
  perform(now);
}

void Shell::finish(const LeaseId& lease, Worked worked, Duration elapsed, Time now) {
  auto record = wire::encode_record(worked.record);
  if (!record) return failed(lease, Reason::detector_error, record.error().text, now);
  if (const auto fault = too_much(*record, worked.artefacts); !fault.empty()) {
    return failed(lease, Reason::detector_error, fault, now);
  }
  metrics_.observe(worked.record);
  stats_.damaged += worked.record.damaged ? 1U : 0U;
  std::vector<transport::Frame> frames;
  frames.push_back(transport::Frame::of(std::move(*record)));
  for (auto& artefact : worked.artefacts) {
    frames.push_back(transport::Frame::of(std::move(artefact)));
  }
  session_.finished(lease, channel_->payloads().put(std::move(frames)), elapsed, now, effects_);
  failpoint("worker.result.kept");
}

/// Why a result is too much for the broker that welcomed us; "" when it is not.
std::string Shell::too_much(const std::string& record,
                            const std::vector<std::string>& artefacts) const {
  if (artefacts.size() > wire::kArtefactsMax) {
    return "the result has " + std::to_string(artefacts.size()) + " artefacts; the limit is " +
           std::to_string(wire::kArtefactsMax);
  }
  std::uint64_t bytes = record.size();
  for (const auto& artefact : artefacts) bytes += artefact.size();
  const auto bytes_max = session_.link().welcome().payload_bytes_max;
  if (bytes <= bytes_max) return {};
  return "the result has " + std::to_string(bytes) + " bytes; the broker takes " +
         std::to_string(bytes_max);
}

void Shell::failed(const LeaseId& lease, Reason reason, const std::string& text, Time now) {
  ++stats_.failed[reason];
  session_.failed(lease, reason, text, now, effects_);
}

/// The stage's budget is spent: the lease is not vouched for any more. A thread that does not come
/// back keeps its slot, so the worker finishes what else it has and makes room for a fresh process.
void Shell::give_up_the_overdue(Time now) {
  for (const auto& report : pool_->stages()) {
    if (!report.over_budget) continue;
    const bool detecting = report.stage == Stage::detect;
    const auto reason = detecting ? Reason::detect_timeout : Reason::decode_timeout;
    const auto ticket = tickets_.find(report.ticket);
    if (ticket != tickets_.end()) {
      session_.overdue(ticket->second, reason, report.detector, now, effects_);
    }
    if (!stuck_) {
      stuck_ = true;
      program_.log.error("task_overdue", {{"reason", to_string(reason)},
                                          {"detector", report.detector},
                                          {"elapsed", report.elapsed}});
      session_.drain(now, effects_);
    }
    perform(now);
  }
}

/// As many as there are free slots and tests that may begin.
void Shell::run_self_tests(Time now) {
  if (session_.draining()) {
    for (const auto ticket : self_tester_.tickets()) pool_->abandon(ticket);
    return;
  }
  while (self_tester_.is_due(now) && session_.take_slot()) {
    auto order = self_tester_.begin(++last_ticket_, now);
    const auto ticket = order.ticket;
    const auto id = order.id;
    if (pool_->start(std::move(order))) continue;
    const WorkError error{Reason::detector_error, "the pool has no free slot, which is a bug"};
    take_self_test({ticket, id, false, fail(error), {}}, now);
  }
}

void Shell::take_self_test(const WorkDone& done, Time now) {
  self_tester_.judge(done, now);
  session_.give_back_slot(now, effects_);
  const auto not_ready = self_tester_.not_ready();
  session_.set_not_ready(not_ready, now, effects_);
  perform(now);
  if (!not_ready.empty() || std::exchange(was_ready_, true)) return;
  program_.log.info("ready", {{"after", telemetry::process_age().value_or(Duration::zero())}});
}

void Shell::perform(Time now) {
  while (!effects_.empty()) {  // a task that could not be started was given back
    std::swap(effects_, performed_);
    join_sends(performed_);
    for (const auto& effect : performed_) {
      if (transport::perform_common(*channel_, effect)) continue;
      if (const auto* begin = std::get_if<StartTask>(&effect)) {
        start(begin->task, now);
      } else if (const auto* back = std::get_if<TakeBack>(&effect)) {
        take_back(back->leases, now);
      } else if (const auto* abandon = std::get_if<AbandonTask>(&effect)) {
        pool_->abandon(ticket_of(abandon->lease));
      }
    }
    performed_.clear();
  }
  link_watch_.look(session_.link(), channel_->trouble());
  if (session_.link().has_dialled()) note_hello();
}

/// Once: the time since the process was started.
void Shell::note_hello() {
  if (std::exchange(said_hello_, true)) return;
  program_.log.info("hello", {{"after", telemetry::process_age().value_or(Duration::zero())}});
}

void Shell::start(const AssignedTask& task, Time now) {
  auto description = wire::decode_task(task.task);
  if (!description) {
    return failed(task.lease, Reason::bad_description, description.error().text, now);
  }
  const auto held = channel_->payloads().frames(task.payload.id);
  auto frames = std::make_shared<std::vector<transport::Frame>>(held.begin(), held.end());
  WorkOrder order;
  order.ticket = ++last_ticket_;
  order.id = task.id;
  order.attempt = task.attempt;
  order.task = std::move(*description);
  for (const auto& frame : *frames) order.frames.push_back(frame.bytes());
  order.keep_alive = frames;
  tickets_.emplace(order.ticket, task.lease);
  failpoint("worker.order.before");
  const bool started = pool_->start(std::move(order));
  failpoint("worker.order.after");
  if (started) return;
  // The core counts the same slots as the pool, so this is a bug of ours; no task may pay for it.
  tickets_.erase(last_ticket_);
  program_.log.error("pool_full", {{"task", to_string(task.id)}});
  session_.failed(task.lease, Reason::drained, "", now, effects_);
}

void Shell::take_back(const std::vector<LeaseId>& leases, Time now) {
  std::vector<LeaseId> taken;
  for (const auto& lease : leases) {
    const auto ticket = ticket_of(lease);
    if (pool_->take_back(ticket)) {
      tickets_.erase(ticket);
      taken.push_back(lease);
    } else {
      session_.begun(lease, effects_);
    }
  }
  if (!taken.empty()) session_.taken_back(taken, now, effects_);
}

/// 0, which no order has: it is not in the pool.
std::uint64_t Shell::ticket_of(const LeaseId& lease) const {
  for (const auto& [ticket, held] : tickets_) {
    if (held == lease) return ticket;
  }
  return 0;
}

void Shell::take_pool_stats() {
  auto stats = pool_->stats();
  for (const auto& [cause, count] : stats.zygote_ends) {
    if (count == stats_.pool.zygote_ends[cause]) continue;
    program_.log.warn("zygote_ended", {{"reason", cause}, {"count", count}});
  }
  stats_.pool = std::move(stats);
}

/// What /readyz says of a worker that works, and of what it works without.
std::string Shell::serving() const {
  std::string text = "serving";
  for (const auto& refused : options_.refused_models) {
    text += "; model " + refused.name + " is refused, so there is no " + refused.detector;
  }
  return text;
}

void Shell::publish(Time now) {
  if (now < publish_at_) return;
  publish_at_ = now + kPublishInterval;
  stats_.session = session_.stats();
  take_pool_stats();
  stats_.self_tests = self_tester_.states();
  metrics_.publish(stats_);
  if (drain_.draining()) return;
  const auto not_ready = self_tester_.not_ready();
  if (stuck_) {
    program_.health.not_ready("a task is stuck; leaving");
  } else if (!stats_.session.link_up) {
    program_.health.not_ready("waiting for the broker");
  } else if (!not_ready.empty()) {
    program_.health.not_ready(not_ready);
  } else {
    program_.health.ready(serving());
  }
}

}  // namespace framefleet::worker
