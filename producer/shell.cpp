#include "producer/shell.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/source_name.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/detector_list.hpp"
#include "shared/base/failpoint.hpp"
#include "shared/base/joining.hpp"
#include "shared/config/version.hpp"
#include "shared/security/digest.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/wire/codec.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <tuple>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr int kBatchMax = 256;
constexpr Duration kPublishInterval = std::chrono::milliseconds{200};

/// Between two pictures of a source: its own pace, or a slower one that is asked for.
Duration interval_of(const ProducerOptions& options, const ImageSource& source) {
  if (options.rate <= 0) return source.interval();
  return std::max(source.interval(), std::chrono::duration_cast<Duration>(
                                         std::chrono::duration<double>(1.0 / options.rate)));
}

Hello hello_of(const ProducerOptions& options, const Plan& plan) {
  auto hello = hello_as(Role::producer, options.name, config::version());
  for (const auto& source : plan.sources) {
    hello.sources.push_back({.name = source->name(),
                             .epoch = source->epoch(),
                             .weight = options.weight,
                             .expected = source->count().value_or(0),
                             .interval = interval_of(options, *source)});
  }
  return hello;
}

std::vector<SourceOutline> outlines_of(const ProducerOptions& options, const Plan& plan) {
  std::vector<SourceOutline> outlines;
  for (const auto& source : plan.sources) {
    outlines.push_back({source->name(), security::source_hash(source->name()), source->epoch(),
                        interval_of(options, *source), options.task_class,
                        source->growing() != nullptr});
  }
  return outlines;
}

/// The options that make other results belong to the name of the job.
std::string job_name(const ProducerOptions& options) {
  if (!options.job.empty()) return options.job;
  if (options.sources.empty()) return "cameras";
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

/// Every camera can be announced with the longest word of its state, and its frames can travel.
Result<void, Error> check_cameras(const std::vector<CameraOptions>& cameras, const Hello& others,
                                  const std::string& job) {
  auto hello = others;
  for (const auto& options : cameras) {
    if (auto sound = LiveCameras::check(options, job); !sound) return sound;
    const auto is_it = [&options](const auto& claim) { return claim.name == options.name; };
    if (std::ranges::any_of(others.sources, is_it)) {
      return fail(
          Error{"camera \"" + options.name + "\": a source is called so too", exit_code::kConfig});
    }
    hello.sources.push_back({.name = options.name,
                             .epoch = ~std::uint32_t{0},
                             .weight = options.weight,
                             .interval = std::chrono::seconds{1},
                             .state = std::string(wire::kStateBytesMax, 'x'),
                             .state_for = wire::kDurationMax,
                             .state_text = std::string(wire::kStateTextBytesMax, 'x')});
  }
  return check_hello(hello);
}

/// A core file, or another process of this user, would tell the passwords of the cameras.
void keep_secrets(const std::vector<CameraOptions>& cameras) {
  const bool any = std::ranges::any_of(cameras, [](const CameraOptions& options) {
    return options.url.redacted() != options.url.reveal();
  });
  if (any) ::prctl(PR_SET_DUMPABLE, 0);
}

Result<Plan, Error> plan_of(const ProducerOptions& options, telemetry::Logger& log) {
  if (options.sources.empty()) return Plan{};
  PlanOptions plan_options;
  plan_options.job = options.job;
  plan_options.manifest_folder = options.manifest;
  plan_options.fresh_epoch = static_cast<std::uint32_t>(telemetry::wall_clock_ms() / 1000);
  plan_options.picture_bytes_max = options.picture_bytes_max;
  plan_options.list = &std::cin;
  plan_options.watch = options.watch;
  plan_options.realtime = options.realtime;
  plan_options.list_fd = STDIN_FILENO;
  plan_options.now = telemetry::monotonic_now();
  plan_options.shuffle = *shuffle_of(options.order, plan_options.fresh_epoch);
  if (plan_options.shuffle) log.info("shuffled", {{"seed", *plan_options.shuffle}});
  return plan_sources(options.sources, plan_options);
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
                                                  telemetry::Program& program,
                                                  ReadCameras read_cameras) {
  if (auto sound = check(options); !sound) return fail(sound.error());
  auto channel = transport::Channel::open({.connect = options.connect, .keys = options.keys});
  if (!channel) return fail(channel.error());
  auto second = read_second(options);
  if (!second) return fail(second.error());
  options.job = job_name(options);
  if (auto fits = check_task(options); !fits) return fail(fits.error());
  // What an earlier run may have done is asked for; without a manifest nothing is known of one.
  options.submission.ask_first = !options.manifest.empty();
  auto plan = plan_of(options, program.log);
  if (!plan) return fail(plan.error());
  if (auto fits = check_hello(hello_of(options, *plan)); !fits) return fail(fits.error());
  const auto cameras = options.cameras.cameras();
  if (auto fits = check_cameras(cameras, hello_of(options, *plan), options.job); !fits) {
    return fail(fits.error());
  }
  Result<std::string, Error> capture = std::string{};
  if (!cameras.empty()) capture = capture_program();
  if (!capture) return fail(capture.error());
  keep_secrets(cameras);
  LiveCameras live{std::move(*capture), options.job, program.log};
  return std::unique_ptr<Shell>(new Shell(std::move(options), program, std::move(*channel),
                                          std::move(*plan), std::move(*second), std::move(live),
                                          std::move(read_cameras)));
}

Shell::Shell(ProducerOptions options, telemetry::Program& program,
             std::unique_ptr<transport::Channel> channel, Plan plan,
             std::optional<transport::Frame> second, LiveCameras cameras, ReadCameras read_cameras)
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
      link_watch_(program),
      cameras_(std::move(cameras)),
      read_cameras_(std::move(read_cameras)) {
  program_.http.add(metrics_.source());
  for (std::size_t i = 0; i < plan_.sources.size(); ++i) {
    if (plan_.sources[i]->growing() != nullptr) growing_.push_back(i);
  }
  const auto& skipped = plan_.skipped;
  progress_.plan(options_.job, pictures_in_all(),
                 skipped.hidden + skipped.other_extension + skipped.videos + skipped.special +
                     skipped.repeated);
  for (const auto& text : skipped.unreadable_folder_texts) {
    program_.log.warn("folder_unreadable", {{"text", text}});
  }
  cameras_.apply(options_.cameras.cameras(), submission_, telemetry::monotonic_now(), effects_);
}

Result<int, Error> Shell::run() {
  while (!submission_.over()) {
    const Time now = telemetry::monotonic_now();
    program_.turned(now);
    switch (drain_.hear(now)) {
      case telemetry::DrainWatch::Word::nothing:
        break;
      case telemetry::DrainWatch::Word::drain:
        failpoint("producer.drain.begin");
        cameras_.stop(now);
        submission_.drain(now, effects_);
        if (!unread_.empty()) submission_.leave_unread(now, effects_);
        break;
      case telemetry::DrainWatch::Word::stop:
        return ended(now);
    }
    if (drain_.take_hangup() && !cameras_.empty()) std::ignore = reload(now);
    take_up_growth(now);
    submission_.tick(now, effects_);
    cameras_.turn(submission_, channel_->payloads(), now, effects_);
    perform();
    publish(now);
    wait();
    receive_messages();
    if (auto unsendable = channel_->take_unsendable()) return fail(std::move(*unsendable));
  }
  perform();  // the goodbye, and what ended last
  return ended(telemetry::monotonic_now());
}

void Shell::wait() {
  const Time deadline = std::min({submission_.next_deadline(), cameras_.next_deadline(),
                                  drain_.deadline(), publish_at_, progress_.next_at(), look_at()});
  const Duration idle = std::max(Duration::zero(), deadline - telemetry::monotonic_now());
  auto fds = cameras_.fds();
  fds.push_back(program_.signals.fd());
  for (const auto index : growing_) fds.push_back(plan_.sources[index]->growing()->fd());
  channel_->wait(fds, effects_.empty() && unread_.empty() ? idle : Duration::zero());
}

/// The cameras as the file has them now; what is wrong with it changes nothing.
Result<LiveCameras::Changes, Error> Shell::reload(Time now) {
  const auto refuse = [this](Error error) {
    program_.log.error("cameras_not_reloaded", {{"text", error.text}});
    return fail(std::move(error));
  };
  if (cameras_.empty()) {
    return refuse(Error{"this producer was started without cameras", exit_code::kNoInput});
  }
  auto cameras = read_cameras_();
  if (!cameras) return refuse(std::move(cameras.error()));
  auto fits = check_cameras(*cameras, hello_of(options_, plan_), options_.job);
  if (!fits) return refuse(std::move(fits.error()));
  keep_secrets(*cameras);
  const auto changes = cameras_.apply(*cameras, submission_, now, effects_);
  submission_.tick(now, effects_);
  program_.log.info("cameras_reloaded", {{"changes", changes.text()}});
  return changes;
}

void Shell::answer_reload(std::uint64_t asker, Time now) {
  Report report;
  report.asker = asker;
  if (const auto changes = reload(now)) {
    report.text = changes->text();
  } else {
    const bool is_config = changes.error().exit_code != exit_code::kNoInput;
    report.reason = is_config ? Reason::bad_configuration : Reason::not_found;
    report.text = changes.error().text;
  }
  channel_->send(report);
}

Result<int, Error> Shell::ended(Time now) {
  const auto stats = submission_.stats();
  const bool interrupted = drain_.draining() && !submission_.complete();
  for (const auto& source : plan_.sources) {
    const auto remark = source->remark();
    if (source->broke_off()) {
      source_broken_ = true;
      program_.log.error("source_broken", {{"source", source->name()}, {"text", remark}});
    } else if (!remark.empty()) {
      program_.log.warn("source_remark", {{"source", source->name()}, {"text", remark}});
    }
  }
  progress_.end(stats, pictures_in_all(), interrupted, now);
  if (auto refusal = telemetry::refusal_of(submission_.link()); refusal && !drain_.draining()) {
    return fail(std::move(*refusal));
  }
  const bool something_failed = faults_ > 0 || source_broken_ || drain_.gave_up();
  return something_failed ? exit_code::kSomeFailed : exit_code::kOk;
}

/// Nothing comes any more in a drain.
void Shell::take_up_growth(Time now) {
  if (drain_.draining()) growing_.clear();
  std::erase_if(growing_, [&](std::size_t index) {
    auto& source = *plan_.sources[index];
    const auto growth = source.growing()->grow(now);
    if (!growth.trouble.empty()) {
      source_broken_ = source_broken_ || growth.over;
      program_.log.warn("watch_trouble", {{"source", source.name()}, {"text", growth.trouble}});
    }
    if (growth.grew || growth.over) submission_.more(index, !growth.over, now, effects_);
    return growth.over;
  });
}

Time Shell::look_at() const {
  Time next = kNever;
  for (const auto index : growing_) {
    next = std::min(next, plan_.sources[index]->growing()->look_at());
  }
  return next;
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
  auto effects = std::exchange(effects_, {});
  join_sends(effects);
  for (auto& effect : effects) {
    if (transport::perform_common(*channel_, effect)) continue;
    if (const auto* wanted = std::get_if<ListSequences>(&effect)) {
      list(*wanted);
    } else if (const auto* picture = std::get_if<ReadPicture>(&effect)) {
      unread_.push_back(picture->ref);
    } else if (const auto* admitted = std::get_if<TaskAdmitted>(&effect)) {
      metrics_.observe(*admitted);
    } else if (const auto* end = std::get_if<TaskEnded>(&effect)) {
      metrics_.observe(*end);
      report(*end);
    } else if (const auto* asked = std::get_if<ReloadAsked>(&effect)) {
      answer_reload(asked->asker, telemetry::monotonic_now());
    }
  }
  read_what_is_ready();
  link_watch_.look(submission_.link(), channel_->trouble());
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

/// A film that is on its way to a frame far behind keeps waiting who wants that frame, and nobody
/// else: not the broker, not a signal, no other source.
void Shell::read_what_is_ready() {
  std::set<std::size_t> waits;
  std::erase_if(unread_, [&](PictureRef ref) {
    const auto waits_itself = [&] { return !plan_.sources.at(ref.source)->ready(ref.sequence); };
    if (waits.contains(ref.source) || waits_itself()) {
      waits.insert(ref.source);
      return false;
    }
    read(ref);
    return true;
  });
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
  const auto task_class = cameras_.class_of(ended.ref.source).value_or(options_.task_class);
  if (!ended.rejected && !is_fault(ended.settled.status, task_class)) return;
  ++faults_;
  const auto description = wire::decode_task(ended.description);
  progress_.task_failed(ended, description ? description->origin : std::string{});
}

std::optional<std::uint64_t> Shell::pictures_in_all() const {
  if (!cameras_.empty()) return std::nullopt;
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
  metrics_.publish({stats, cameras_.rows(now)});
  if (drain_.draining()) return;
  if (stats.link_up) {
    program_.health.ready("submitting");
  } else {
    program_.health.not_ready("waiting for the broker");
  }
}

}  // namespace framefleet::producer
