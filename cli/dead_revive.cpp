#include "cli/dead_revive.hpp"

#include "cli/dead_export.hpp"
#include "cli/humane.hpp"
#include "producer/core/submission.hpp"

#include "shared/base/detector_list.hpp"
#include "shared/config/version.hpp"
#include "shared/security/digest.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/wire/codec.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace framefleet::cli {
namespace {

using telemetry::monotonic_now;

/// The source of one revival: a name that no other process makes, an epoch that is the time.
producer::SourceOutline new_source() {
  const auto now_s = static_cast<std::uint32_t>(telemetry::wall_clock_ms() / 1000);
  const std::string name = fmt::format("revived/{}-{}", now_s, ::getpid());
  return {.name = name, .hash = security::source_hash(name), .epoch = now_s};
}

Hello hello_of(const producer::SourceOutline& source, std::uint64_t expected) {
  auto hello = hello_as(Role::producer, source.name, config::version());
  SourceClaim claim;
  claim.name = source.name;
  claim.epoch = source.epoch;
  claim.expected = expected;
  hello.sources.push_back(std::move(claim));
  return hello;
}

class Revival {
 public:
  Revival(const OperatorOptions& options, ReviveOptions revive, OperatorClient& client,
          std::unique_ptr<transport::Channel> channel)
      : timeout_(options.timeout),
        revive_(std::move(revive)),
        client_(client),
        channel_(std::move(channel)),
        source_(new_source()),
        submission_(hello_of(source_, revive_.tasks.size()), {source_}, {}, monotonic_now()),
        up_at_(monotonic_now()) {}

  Result<int, Error> run() {
    while (!submission_.over()) {
      const Time next = keep_up();
      client_.keep_alive();
      read_one();
      if (fatal_) return fail(*fatal_);
      if (monotonic_now() - up_at_ > timeout_) {
        return fail(
            Error{"the connection to the broker is lost; what was submitted goes on, see "
                  "framefleet dead list",
                  exit_code::kUnavailable});
      }
      const Time deadline = std::min({next, client_.next_deadline(), up_at_ + timeout_});
      const bool idle = effects_.empty() && to_read_.empty();
      channel_->wait(
          {}, idle ? std::max(Duration::zero(), deadline - monotonic_now()) : Duration::zero());
      if (auto unsendable = channel_->take_unsendable()) return fail(std::move(*unsendable));
    }
    perform();
    return ended();
  }

 private:
  /// Does what is due of the submission, without waiting; also while a letter is being fetched,
  /// which may take longer than the broker bears silence. When to call it again.
  Time keep_up() {
    receive();
    submission_.tick(monotonic_now(), effects_);
    perform();
    if (submission_.link().up()) up_at_ = monotonic_now();
    return submission_.next_deadline();
  }

  void receive() {
    constexpr int kBatchMax = 64;
    for (int i = 0; i < kBatchMax; ++i) {
      auto incoming = channel_->receive();
      if (!incoming) return;
      if (!incoming->message) continue;
      submission_.receive(std::move(*incoming->message), monotonic_now(), effects_);
    }
  }

  void perform() {
    for (auto& effect : std::exchange(effects_, {})) {
      if (transport::perform_common(*channel_, effect)) continue;
      if (const auto* wanted = std::get_if<producer::ListSequences>(&effect)) {
        list(*wanted);
      } else if (const auto* picture = std::get_if<producer::ReadPicture>(&effect)) {
        to_read_.push_back(picture->ref);
      } else if (const auto* end = std::get_if<producer::TaskEnded>(&effect)) {
        report(*end);
      }
    }
  }

  void list(const producer::ListSequences& wanted) {
    std::vector<std::uint64_t> sequences;
    for (auto next = wanted.from; next < revive_.tasks.size() && sequences.size() < wanted.count;
         ++next) {
      sequences.push_back(next);
    }
    submission_.listed(wanted.source, sequences, monotonic_now(), effects_);
  }

  void read_one() {
    if (to_read_.empty()) return;
    const auto ref = to_read_.front();
    to_read_.pop_front();
    auto task = task_of(ref);
    if (task) {
      submission_.picture(ref, *std::move(task), monotonic_now(), effects_);
      return;
    }
    if (task.error().exit_code == exit_code::kUnavailable) {
      fatal_ = std::move(task.error());  // the others would fare no better
      return;
    }
    submission_.no_picture(ref, false, monotonic_now(), effects_);
    if (!first_error_) first_error_ = task.error().exit_code;
    print(ref, "not_revived", {}, task.error().text);
  }

  Result<SubmittedTask, Error> task_of(producer::PictureRef ref) {
    const TaskId& old = revive_.tasks.at(ref.sequence);
    auto exported = fetch_dead_letter(client_, old, [this] { return keep_up(); });
    if (!exported) return fail(std::move(exported.error()));
    const DeadLetter& letter = exported->letter;
    auto description = wire::encode_task({.origin = letter.origin,
                                          .detect = letter.detect,
                                          .annotate = letter.annotate,
                                          .captured_at_ms = letter.captured_at_ms,
                                          .unreadable = {}});
    if (!description || letter.detect.empty()) {
      return fail(
          Error{fmt::format("its description cannot be made again: {}",
                            description ? "it names no detector" : description.error().text)});
    }
    std::vector<std::span<const std::byte>> bytes;
    for (const auto& picture : exported->pictures) bytes.push_back(picture.bytes());
    SubmittedTask task;
    task.id = new_id(ref);
    task.source = source_.name;
    task.job = source_.name;
    task.detectors = detector_names(letter.detect);
    task.digest = security::payload_digest(bytes);
    task.task = *std::move(description);
    task.revived_from = old;
    task.payload = channel_->payloads().put(std::move(exported->pictures));
    return task;
  }

  TaskId new_id(producer::PictureRef ref) const {
    return {source_.hash, source_.epoch, ref.sequence, 0};
  }

  void report(const producer::TaskEnded& end) {
    ++ended_count_;
    all_ok_ = all_ok_ && !end.rejected && end.settled.status == Status::ok;
    const auto status =
        end.rejected ? std::string("rejected") : std::string(to_string(end.settled.status));
    const bool has_reason = end.settled.reason != Reason::none;
    print(end.ref, status, has_reason ? std::string(to_string(end.settled.reason)) : std::string{},
          end.settled.text);
  }

  void print(producer::PictureRef ref, const std::string& status, const std::string& reason,
             const std::string& text) {
    const std::string from = to_string(revive_.tasks.at(ref.sequence));
    const std::string to = to_string(new_id(ref));
    if (revive_.json) {
      const nlohmann::ordered_json object{
          {"from", from}, {"to", to}, {"status", status}, {"reason", reason}, {"text", text}};
      fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      const char* separator = reason.empty() || text.empty() ? "" : ": ";
      const std::string why = reason + separator + text;
      fmt::print("{} -> {}: {}{}\n", from, to, status,
                 why.empty() ? "" : " (" + printable(why) + ")");
    }
    std::fflush(stdout);
  }

  Result<int, Error> ended() const {
    const Link& link = submission_.link();
    if (link.refusal().reason != Reason::none) {
      return fail(
          Error{"the broker refuses: " + explained(link.refusal().reason, link.refusal().text),
                exit_code::kUnavailable});
    }
    if (first_error_ && ended_count_ == 0) return *first_error_;
    return all_ok_ && !first_error_ ? exit_code::kOk : exit_code::kSomeFailed;
  }

  Duration timeout_;
  ReviveOptions revive_;
  OperatorClient& client_;
  std::unique_ptr<transport::Channel> channel_;
  producer::SourceOutline source_;
  producer::Submission submission_;
  producer::Effects effects_;
  std::deque<producer::PictureRef> to_read_;
  Time up_at_;  // when the submission's connection was up last
  std::optional<Error> fatal_;
  std::optional<int> first_error_;  // the exit code of the first letter that could not be submitted
  std::uint64_t ended_count_{0};
  bool all_ok_{true};
};

/// Every dead letter with a picture that was not revived yet.
Result<std::vector<TaskId>, Error> find_all(OperatorClient& client) {
  constexpr std::uint64_t kLettersMax = 1'000'000;
  Control control;
  control.verb = ControlVerb::dead_list;
  control.limit = kLettersMax;
  const auto answer = client.demand(std::move(control));
  if (!answer) return fail(answer.error());
  const auto letters = parse_dead_letters(answer->document);
  if (!letters) return fail(Error{letters.error()});
  if (!answer->text.empty()) fmt::print(stderr, "{}\n", printable(answer->text));
  std::vector<TaskId> tasks;
  for (const auto& letter : *letters) {
    const auto id = parse_task_id(letter.task);
    if (id && letter.bytes > 0 && letter.revived_as.empty()) tasks.push_back(*id);
  }
  return tasks;
}

}  // namespace

Result<int, Error> revive_dead_letters(const OperatorOptions& options, ReviveOptions revive) {
  auto client = OperatorClient::open(options);
  if (!client) return fail(std::move(client.error()));
  if (revive.all) {
    auto all = find_all(**client);
    if (!all) return fail(std::move(all.error()));
    revive.tasks = *std::move(all);
  }
  if (revive.tasks.empty()) {
    fmt::print(stderr, "no dead letter is left to revive\n");
    return exit_code::kOk;
  }
  auto channel = transport::Channel::open({.connect = (*client)->endpoint(), .keys = options.keys});
  if (!channel) return fail(std::move(channel.error()));
  return Revival(options, std::move(revive), **client, *std::move(channel)).run();
}

}  // namespace framefleet::cli
