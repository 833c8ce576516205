#include "producer/shell.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/source_name.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/detector_list.hpp"
#include "shared/base/failpoint.hpp"
#include "shared/config/version.hpp"
#include "shared/security/digest.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr int kBatchMax = 256;
constexpr Duration kPublishInterval = std::chrono::milliseconds{200};

Hello hello_of(const ProducerOptions& options, const Plan& plan) {
  auto hello = hello_as(Role::producer, options.name, config::version());
  for (const auto& source : plan.sources) {
    hello.sources.push_back({.name = source->name(),
                             .epoch = source->epoch(),
                             .weight = options.weight,
                             .expected = source->count().value_or(0)});
  }
  return hello;
}

std::vector<SourceOutline> outlines_of(const ProducerOptions& options, const Plan& plan) {
  const auto paced =
      options.rate > 0
          ? std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1.0 / options.rate))
          : Duration::zero();
  std::vector<SourceOutline> outlines;
  for (const auto& source : plan.sources) {
    outlines.push_back({source->name(), security::source_hash(source->name()), source->epoch(),
                        std::max(source->interval(), paced), options.task_class});
  }
  return outlines;
}

/// The options that make other results belong to the name of the job.
std::string job_name(const ProducerOptions& options) {
  if (!options.job.empty()) return options.job;
  auto detectors = split_detectors(options.detect);
  if (options.annotate) detectors.emplace_back("annotate");
  if (!options.second.empty()) detectors.push_back("second=" + options.second.string());
  return job_of(options.sources, detectors);
}

/// Every task of a run can travel if that with the longest texts can.
Result<void, Error> check_task(const ProducerOptions& options) {
  const TaskDescription longest{.origin = std::string(wire::kOriginBytesMax, 'x'),
                                .detect = split_detectors(options.detect),
                                .annotate = options.annotate,
                                .captured_at_ms = wire::kWallClockMsMax,
                                .unreadable = std::string(wire::kTextBytesMax, 'x')};
  const auto encoded = wire::encode_task(longest);
  if (!encoded) {
    return fail(Error{"--detect is too long to travel with a picture: " + encoded.error().text,
                      exit_code::kUsage});
  }
  SubmittedTask task;
  task.source = "any";
  task.job = options.job;
  task.task_class = options.task_class;
  task.priority = options.priority;
  task.detectors = detector_names(longest.detect);
  task.ttl = options.ttl;
  task.digest.assign(wire::kDigestBytesMax, 'x');
  task.task = *encoded;
  return transport::check_sendable(Submit{{std::move(task)}});
}

Result<void, Error> check_hello(const Hello& hello) {
  if (hello.sources.size() > wire::kSourcesMax) {
    return fail(Error{std::to_string(hello.sources.size()) +
                          " sources: a producer can have at most " +
                          std::to_string(wire::kSourcesMax) + "; name the folder above them",
                      exit_code::kUsage});
  }
  return transport::check_sendable(hello);
}

Result<std::optional<transport::Frame>, Error> read_second(const ProducerOptions& options) {
  if (options.second.empty()) return std::optional<transport::Frame>{};
  auto contents = read_file(options.second.string(), options.picture_bytes_max);
  if (!contents) {
    return fail(Error{"the second picture " + options.second.string() + ": " + contents.error(),
                      exit_code::kNoInput});
  }
  return std::optional{transport::Frame::of(std::move(contents->bytes))};
}

}  // namespace

Result<std::unique_ptr<Shell>, Error> Shell::open(ProducerOptions options,
                                                  telemetry::Program& program) {
  if (auto sound = check(options); !sound) return fail(sound.error());
  auto channel = transport::Channel::open({.connect = options.connect});
  if (!channel) return fail(channel.error());
  auto second = read_second(options);
  if (!second) return fail(second.error());
  options.job = job_name(options);
  if (auto fits = check_task(options); !fits) return fail(fits.error());
  // What an earlier run may have done is asked for; without a manifest nothing is known of one.
  options.submission.ask_first = !options.manifest.empty();
  PlanOptions plan_options;
  plan_options.job = options.job;
  plan_options.manifest_folder = options.manifest;
  plan_options.fresh_epoch = static_cast<std::uint32_t>(telemetry::wall_clock_ms() / 1000);
  plan_options.picture_bytes_max = options.picture_bytes_max;
  plan_options.list = &std::cin;
  auto plan = plan_sources(options.sources, plan_options);
  if (!plan) return fail(plan.error());
  if (auto fits = check_hello(hello_of(options, *plan)); !fits) return fail(fits.error());
  return std::unique_ptr<Shell>(new Shell(std::move(options), program, std::move(*channel),
                                          std::move(*plan), std::move(*second)));
}

Shell::Shell(ProducerOptions options, telemetry::Program& program,
             std::unique_ptr<transport::Channel> channel, Plan plan,
             std::optional<transport::Frame> second)
    : options_(std::move(options)),
      program_(program),
      channel_(std::move(channel)),
      plan_(std::move(plan)),
      second_(std::move(second)),
      detect_(split_detectors(options_.detect)),
      detectors_(detector_names(detect_)),
      submission_(hello_of(options_, plan_), outlines_of(options_, plan_), options_.submission,
                  telemetry::monotonic_now()),
      progress_(options_.progress_fd, program.log, telemetry::monotonic_now()),
      drain_(program, options_.drain_timeout),
      link_watch_(program) {
  program_.http.add(metrics_.source());
  const auto& skipped = plan_.skipped;
  progress_.plan(options_.job, pictures_in_all(),
                 skipped.hidden + skipped.other_extension + skipped.videos + skipped.special +
                     skipped.repeated);
  for (const auto& text : skipped.unreadable_folder_texts) {
    program_.log.warn("folder_unreadable", {{"text", text}});
  }
}

Result<int, Error> Shell::run() {
  const std::array fds{program_.signals.fd()};
  while (!submission_.over()) {
    const Time now = telemetry::monotonic_now();
    program_.health.turned(now);
    switch (drain_.hear(now)) {
      case telemetry::DrainWatch::Word::nothing:
        break;
      case telemetry::DrainWatch::Word::drain:
        failpoint("producer.drain.begin");
        submission_.drain(now, effects_);
        break;
      case telemetry::DrainWatch::Word::stop:
        return ended(now);
    }
    submission_.tick(now, effects_);
    perform();
    publish(now);
    const Time deadline = std::min(
        {submission_.next_deadline(), drain_.deadline(), publish_at_, progress_.next_at()});
    const Duration idle = std::max(Duration::zero(), deadline - telemetry::monotonic_now());
    channel_->wait(fds, effects_.empty() ? idle : Duration::zero());
    receive_messages();
    if (auto unsendable = channel_->take_unsendable()) return fail(std::move(*unsendable));
  }
  perform();  // the goodbye, and what ended last
  return ended(telemetry::monotonic_now());
}

Result<int, Error> Shell::ended(Time now) {
  const auto stats = submission_.stats();
  const bool interrupted = drain_.draining() && !submission_.complete();
  for (const auto& source : plan_.sources) {
    if (const auto remark = source->remark(); !remark.empty()) {
      program_.log.warn("source_remark", {{"source", source->name()}, {"text", remark}});
    }
  }
  progress_.end(stats, pictures_in_all(), interrupted, now);
  if (auto refusal = telemetry::refusal_of(submission_.link()); refusal && !drain_.draining()) {
    return fail(std::move(*refusal));
  }
  std::uint64_t not_ok = stats.rejected;
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    if (is_fault(static_cast<Status>(i), options_.task_class)) not_ok += stats.settled.at(i);
  }
  const bool something_failed = not_ok > 0 || source_broken_ || drain_.gave_up();
  return something_failed ? exit_code::kSomeFailed : exit_code::kOk;
}

void Shell::receive_messages() {
  for (int i = 0; i < kBatchMax; ++i) {
    auto incoming = channel_->receive();
    if (!incoming) return;
    if (incoming->message) {
      submission_.receive(std::move(*incoming->message), telemetry::monotonic_now(), effects_);
    } else {
      program_.log.warn("broker_malformed", {{"text", incoming->fault}});
    }
  }
}

void Shell::perform() {
  // Reading a picture tells the core of it, which has new effects. They are for the next turn, so
  // that messages and heartbeats are not kept waiting by a source that never ends.
  for (auto& effect : std::exchange(effects_, {})) {
    if (transport::perform_common(*channel_, effect)) continue;
    if (const auto* wanted = std::get_if<ListSequences>(&effect)) {
      list(*wanted);
    } else if (const auto* picture = std::get_if<ReadPicture>(&effect)) {
      read(picture->ref);
    } else if (const auto* admitted = std::get_if<TaskAdmitted>(&effect)) {
      metrics_.observe(*admitted);
    } else if (const auto* end = std::get_if<TaskEnded>(&effect)) {
      metrics_.observe(*end);
      report(*end);
    }
  }
  link_watch_.look(submission_.link());
}

void Shell::list(const ListSequences& wanted) {
  std::vector<std::uint64_t> sequences;
  const auto& source = *plan_.sources.at(wanted.source);
  auto next = source.next_sequence(wanted.from);
  while (next && sequences.size() < wanted.count) {
    sequences.push_back(*next);
    next = source.next_sequence(*next + 1);
  }
  submission_.listed(wanted.source, sequences, telemetry::monotonic_now(), effects_);
}

void Shell::read(PictureRef ref) {
  auto& source = *plan_.sources.at(ref.source);
  const Time began_at = telemetry::monotonic_now();
  auto picture = source.read(ref.sequence);
  const Time now = telemetry::monotonic_now();
  if (!picture) {
    source_broken_ = true;
    program_.log.error("source_broken",
                       {{"source", source.name()}, {"text", picture.error().text}});
    submission_.no_picture(ref, true, now, effects_);
  } else if (!*picture) {
    submission_.no_picture(ref, !source.next_sequence(ref.sequence + 1), now, effects_);
  } else {
    metrics_.read(now - began_at);
    failpoint("producer.picture.read");
    submission_.picture(ref, task_of(ref, std::move(**picture)), now, effects_);
  }
}

SubmittedTask Shell::task_of(PictureRef ref, Picture picture) {
  const auto& source = *plan_.sources.at(ref.source);
  TaskDescription description;
  description.origin = std::move(picture.origin);
  description.detect = detect_;
  description.annotate = options_.annotate;
  const auto captured_at_ms =
      picture.captured_at_ms > 0 ? picture.captured_at_ms : telemetry::wall_clock_ms();
  description.captured_at_ms = std::min<std::int64_t>(captured_at_ms, wire::kWallClockMsMax);
  description.unreadable = std::move(picture.unreadable);
  std::vector<transport::Frame> frames;
  if (description.unreadable.empty()) {
    frames.push_back(transport::Frame::of(std::move(picture.bytes)));
    if (second_) frames.push_back(*second_);
  }
  std::vector<std::span<const std::byte>> bytes;
  for (const auto& frame : frames) bytes.push_back(frame.bytes());

  SubmittedTask task;
  task.id = {security::source_hash(source.name()), source.epoch(), ref.sequence, 0};
  task.source = source.name();
  task.job = options_.job;
  task.task_class = options_.task_class;
  task.priority = options_.priority;
  task.detectors = detectors_;
  task.ttl = options_.ttl;
  task.digest = security::payload_digest(bytes);
  auto encoded = wire::encode_task(description);
  FRAMEFLEET_ASSERT(encoded.has_value());  // open() has checked it
  task.task = std::move(*encoded);
  task.payload = channel_->payloads().put(std::move(frames));
  return task;
}

void Shell::report(const TaskEnded& ended) {
  if (!ended.rejected && !is_fault(ended.settled.status, options_.task_class)) return;
  const auto description = wire::decode_task(ended.description);
  progress_.task_failed(ended, description ? description->origin : std::string{});
}

std::optional<std::uint64_t> Shell::pictures_in_all() const {
  std::uint64_t sum = 0;
  for (const auto& source : plan_.sources) {
    const auto count = source->count();
    if (!count) return std::nullopt;
    sum += *count;
  }
  return sum;
}

void Shell::publish(Time now) {
  const auto stats = submission_.stats();
  progress_.counts(stats, pictures_in_all(), now);
  if (now < publish_at_) return;
  publish_at_ = now + kPublishInterval;
  metrics_.publish(stats);
  if (drain_.draining()) return;
  if (stats.link_up) {
    program_.health.ready("submitting");
  } else {
    program_.health.not_ready("waiting for the broker");
  }
}

}  // namespace framefleet::producer
