#include "sink/shell.hpp"

#include "sink/stores/sqlite_store.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/config/version.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace framefleet::sink {
namespace {

constexpr int kBatchMax = 256;
constexpr Duration kPublishInterval = std::chrono::milliseconds{200};
/// Between two looks for what retention may empty.
constexpr Duration kPruneInterval = std::chrono::minutes{1};
/// A list of dead letters may be this long even where the broker takes only smaller pictures.
constexpr std::uint64_t kAnswerFrameBytesMin = std::uint64_t{1} << 20U;

Hello hello_of(const SinkOptions& options, const std::string& store) {
  auto hello = hello_as(Role::sink, options.name, config::version());
  hello.store = store;
  hello.new_store = options.accept_new_store;
  return hello;
}

}  // namespace

Result<std::unique_ptr<Shell>, Error> Shell::open(const SinkOptions& options,
                                                  telemetry::Program& program) {
  auto channel = transport::Channel::open({.connect = options.connect, .keys = options.keys});
  if (!channel) return fail(channel.error());
  if (auto announced = transport::check_sendable(hello_of(options, "")); !announced) {
    return fail(announced.error());
  }
  SqliteStoreOptions store_options;
  store_options.folder = options.store;
  store_options.ndjson = options.ndjson;
  store_options.retention.keep =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.keep);
  store_options.retention.keep_bytes = options.keep_bytes.count;
  store_options.dead_letters_bytes_max = options.dead_letters_bytes_max.count;
  store_options.now_ms = telemetry::wall_clock_ms;
  store_options.build = std::string(config::version());
  auto store = SqliteStore::open(std::move(store_options));
  if (!store) return fail(store.error());
  return std::unique_ptr<Shell>(new Shell(options, program, std::move(*channel),
                                          std::make_unique<StoreThread>(std::move(*store))));
}

Shell::Shell(const SinkOptions& options, telemetry::Program& program,
             std::unique_ptr<transport::Channel> channel, std::unique_ptr<StoreThread> store)
    : options_(options),
      program_(program),
      channel_(std::move(channel)),
      store_(std::move(store)),
      intake_(hello_of(options, store_->uuid()), options.intake),
      drain_(program, options.drain_timeout),
      link_watch_(program) {
  program_.http.add(metrics_.source());
  program_.log.info("store_open", {{"folder", options_.store.string()}, {"uuid", store_->uuid()}});
}

Result<int, Error> Shell::run() {
  const std::array fds{program_.signals.fd(), store_->notify_fd()};
  while (!intake_.over()) {
    const Time now = telemetry::monotonic_now();
    program_.turned(now);
    switch (drain_.hear(now)) {
      case telemetry::DrainWatch::Word::nothing:
        break;
      case telemetry::DrainWatch::Word::drain:
        failpoint("sink.drain.begin");
        intake_.drain(now, effects_);
        perform(now);
        break;
      case telemetry::DrainWatch::Word::stop:
        // What is committed stays; the broker sends the rest again.
        return drain_.gave_up() ? exit_code::kSomeFailed : exit_code::kOk;
    }
    take_completions(now);
    const auto status = store_->status();
    report_store(status);
    if (!status.fatal.empty()) return fail(Error{status.fatal, exit_code::kDiskError});
    if (refused_by_store_) {
      // The core has one piece of work under way and we one prune, so there is always a place.
      return fail(Error{"the store's queue is full, which cannot be", exit_code::kInternal});
    }
    intake_.tick(now, effects_);
    perform(now);
    prune_when_due(now);
    publish(now);
    const Time deadline = std::min({intake_.next_deadline(), drain_.deadline(), publish_at_});
    channel_->wait(fds, std::max(Duration::zero(), deadline - telemetry::monotonic_now()));
    receive_messages();
    if (auto unsendable = channel_->take_unsendable()) return fail(std::move(*unsendable));
  }
  if (auto refusal = telemetry::refusal_of(intake_.link()); refusal && !drain_.draining()) {
    return fail(std::move(*refusal));
  }
  store_->stop();
  program_.log.info("drained", {{"stored", store_->status().stats.stored}});
  return exit_code::kOk;
}

void Shell::receive_messages() {
  for (int i = 0; i < kBatchMax; ++i) {
    auto incoming = channel_->receive();
    if (!incoming) return;
    const Time now = telemetry::monotonic_now();
    if (incoming->message) {
      intake_.receive(std::move(*incoming->message), now, effects_);
      perform(now);
    } else {
      program_.log.warn("broker_malformed", {{"text", incoming->fault}});
    }
  }
}

void Shell::take_completions(Time now) {
  for (auto& done : store_->take_done()) {
    if (auto* stored = std::get_if<BatchStored>(&done)) {
      metrics_.committed(now - commit_began_at_);
      intake_.committed(std::move(stored->tasks), now, effects_);
    } else if (auto* found = std::get_if<FindAnswer>(&done)) {
      intake_.found(std::move(found->stored), now, effects_);
    } else if (auto* step = std::get_if<PruneStep>(&done)) {
      pruned(*step, now);
    } else {
      report(std::get<ControlAnswer>(std::move(done)), now);
    }
    perform(now);
  }
}

void Shell::report_store(const StoreThreadStatus& status) {
  if (status.blocked == blocked_) return;
  blocked_ = status.blocked;
  if (blocked_.empty()) {
    program_.log.info("store_unblocked");
  } else {
    program_.log.error(
        "store_blocked",
        {{"text", blocked_ + "; nothing is lost, make room on this disk: it is tried again"}});
  }
}

void Shell::prune_when_due(Time now) {
  const bool wanted = options_.keep > Duration::zero() || options_.keep_bytes.count > 0;
  if (!wanted || pruning_ || now < prune_at_ || !blocked_.empty()) return;
  prune_at_ = now + kPruneInterval;
  pruning_ = true;
  enqueue(PruneRequest{telemetry::wall_clock_ms()});
}

void Shell::pruned(const PruneStep& step, Time now) {
  pruning_ = false;
  if (std::exchange(excess_bytes_, step.excess_bytes) == 0 && step.excess_bytes > 0) {
    program_.log.warn(
        "cap_too_small",
        {{"excess_bytes", step.excess_bytes},
         {"text",
          "what stays of each outcome takes more than keep_bytes: every new one is emptied at "
          "once; raise it, or begin a new store"}});
  }
  if (step.outcomes == 0) return;
  program_.log.info("pruned", {{"outcomes", step.outcomes}, {"files", step.files}});
  if (step.more) prune_at_ = now;
}

void Shell::carry_out(Control control) {
  program_.log.info("operator_asked",
                    {{"verb", to_string(control.verb)}, {"tasks", control.tasks.size()}});
  enqueue(ControlRequest{std::move(control), std::max(intake_.link().welcome().payload_bytes_max,
                                                      kAnswerFrameBytesMin)});
}

void Shell::report(ControlAnswer answer, Time now) {
  std::vector<transport::Frame> frames;
  for (auto& frame : answer.frames) frames.push_back(transport::Frame::of(std::move(frame)));
  const auto payload = channel_->payloads().put(std::move(frames));
  intake_.reported({0, answer.reason, std::move(answer.text), payload}, now, effects_);
}

/// What the store refuses is noted, and ends the loop in its next turn: without an answer the core
/// would wait for ever.
void Shell::enqueue(StoreWork work) {
  if (!store_->enqueue(std::move(work))) refused_by_store_ = true;
}

void Shell::perform(Time now) {
  // Performing an effect may not make new ones; the list is taken so that it cannot grow meanwhile.
  auto effects = std::exchange(effects_, {});
  for (auto& effect : effects) {
    if (transport::perform_common(*channel_, effect)) continue;
    if (auto* batch = std::get_if<CommitBatch>(&effect)) {
      commit_began_at_ = now;
      commit(std::move(batch->outcomes));
    } else if (auto* find = std::get_if<FindStored>(&effect)) {
      enqueue(FindRequest{std::move(find->tasks)});
    } else if (auto* wanted = std::get_if<CarryOut>(&effect)) {
      carry_out(std::move(wanted->control));
    }
  }
  link_watch_.look(intake_.link(), channel_->trouble());
}

void Shell::commit(std::vector<Outcome> outcomes) {
  StoreBatch batch;
  for (auto& outcome : outcomes) batch.outcomes.push_back(prepared(std::move(outcome)));
  enqueue(std::move(batch));
}

/// Takes the payload apart; the views live until the core releases the payload, after the commit.
OutcomeToStore Shell::prepared(Outcome outcome) const {
  OutcomeToStore out;
  const auto frames = channel_->payloads().frames(outcome.payload.id);
  if (auto description = wire::decode_task(outcome.task)) {
    out.description = std::move(*description);
  } else if (!outcome.task.empty()) {
    program_.log.warn("description_unreadable",
                      {{"task", to_string(outcome.id)}, {"text", description.error().text}});
  }
  if (outcome.status == Status::failed) {
    for (const auto& frame : frames) out.picture.push_back(frame.text());
  } else if (outcome.status == Status::ok) {
    const auto bytes = frames.empty() ? std::span<const std::byte>{} : frames.front().bytes();
    auto record = wire::decode_record(bytes);
    if (record && record->artefacts.size() + 1 == frames.size()) {
      out.record = std::move(*record);
      for (const auto& frame : frames.subspan(1)) out.artefacts.push_back(frame.text());
    } else {
      // A failure must never look like an empty result.
      outcome.status = Status::failed;
      outcome.reason = Reason::malformed;
      outcome.text = record ? "the result's pictures are not those its record names"
                            : "the result's record cannot be read: " + record.error().text;
    }
  }
  out.outcome = std::move(outcome);
  return out;
}

void Shell::publish(Time now) {
  if (now < publish_at_) return;
  publish_at_ = now + kPublishInterval;
  const auto stats = intake_.stats();
  metrics_.publish({stats, store_->status()});
  if (drain_.draining()) return;
  if (!blocked_.empty()) {
    program_.health.not_ready("store: " + blocked_);
  } else if (!stats.link_up) {
    program_.health.not_ready("waiting for the broker");
  } else {
    program_.health.ready("serving");
  }
}

}  // namespace framefleet::sink
