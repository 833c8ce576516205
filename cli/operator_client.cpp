#include "cli/operator_client.hpp"

#include "cli/folders.hpp"
#include "cli/humane.hpp"

#include "shared/config/version.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace framefleet::cli {
namespace {

using telemetry::monotonic_now;

/// Messages taken in between two looks at the clock; a broker sends us next to nothing.
constexpr int kBatchMax = 64;
/// How long trouble with keys may stand that a broker's restart could be to blame for.
constexpr Duration kTroubleMax = std::chrono::seconds(1);

Hello hello_of_operator() {
  return hello_as(Role::client, fmt::format("operator-{}", ::getpid()), config::version());
}

/// What is wrong with the socket of an ipc address, asked of the file system: libzmq would try in
/// silence until it is there.
std::string fault_of_socket(const std::string& endpoint) {
  constexpr std::string_view kIpc = "ipc://";
  if (!endpoint.starts_with(kIpc)) return {};
  const std::string path = endpoint.substr(kIpc.size());
  if (::access(path.c_str(), W_OK) == 0) return {};
  if (errno == EACCES) {
    return fmt::format(
        "{} belongs to another user: operating is for the broker's own user and "
        "root",
        path);
  }
  return fmt::format("no broker at {}: {}; --connect names another address, --run a run's folder",
                     path, std::strerror(errno));
}

/// Whether it matters that a question may be carried out twice. Reading files again twice does not.
bool counts_twice(ControlVerb verb) { return is_deed(verb) && verb != ControlVerb::reload_sources; }

}  // namespace

Result<std::string, Error> endpoint_of(const OperatorOptions& options) {
  if (options.run.empty()) return options.connect;
  auto endpoint = RunFolder::endpoint_in(options.run);
  if (!endpoint.empty()) return endpoint;
  return fail(Error{fmt::format("no framefleet run is under way in {}", options.run.string()),
                    exit_code::kNoInput});
}

int exit_code_of(Reason reason) {
  if (reason == Reason::none) return exit_code::kOk;
  if (reason == Reason::not_found) return exit_code::kNoInput;
  if (reason == Reason::bad_configuration) return exit_code::kConfig;
  const bool ours = reason == Reason::malformed || reason == Reason::wrong_role;
  return ours ? exit_code::kInternal : exit_code::kUnavailable;
}

std::string explained(Reason reason, const std::string& text) {
  const std::string why(entry(reason).text);
  if (text.empty()) return why;
  return text.find(why) == std::string::npos ? why + ": " + text : text;
}

void print_answer(const Answer& answer) {
  fmt::print("{}\n", answer.text.empty() ? "done" : printable(answer.text));
}

Result<int, Error> carry_out(const OperatorOptions& options, Control control) {
  auto client = OperatorClient::open(options);
  if (!client) return fail(std::move(client.error()));
  const auto answer = (*client)->demand(std::move(control));
  if (!answer) return fail(answer.error());
  print_answer(*answer);
  return exit_code::kOk;
}

Result<std::unique_ptr<OperatorClient>, Error> OperatorClient::open(
    const OperatorOptions& options) {
  auto endpoint = endpoint_of(options);
  if (!endpoint) return fail(std::move(endpoint.error()));
  auto channel = transport::Channel::open({.connect = *endpoint, .keys = options.keys});
  if (!channel) return fail(std::move(channel.error()));
  if (auto fault = fault_of_socket(*endpoint); !fault.empty()) {
    return fail(Error{std::move(fault), exit_code::kUnavailable});
  }
  return std::unique_ptr<OperatorClient>(
      new OperatorClient(*std::move(endpoint), options.timeout, *std::move(channel)));
}

OperatorClient::OperatorClient(std::string endpoint, Duration timeout,
                               std::unique_ptr<transport::Channel> channel)
    : endpoint_(std::move(endpoint)),
      timeout_(timeout),
      channel_(std::move(channel)),
      link_(hello_of_operator(), {.leave_timeout = std::chrono::milliseconds(200)}) {}

OperatorClient::~OperatorClient() {
  question_.reset();
  link_.leave(monotonic_now(), effects_);
  perform();
  while (!link_.finished()) turn(link_.next_deadline());
}

Result<Answer, Error> OperatorClient::ask(Control control, const Meanwhile& meanwhile) {
  if (auto begun = begin(std::move(control)); !begun) return fail(std::move(begun.error()));
  while (true) {
    if (auto ended = take_turn(meanwhile ? meanwhile() : kNever)) return *std::move(ended);
  }
}

Result<void, Error> OperatorClient::begin(Control control) {
  control.asker = ++last_asker_;
  if (auto fits = transport::check_sendable(control); !fits) return fail(std::move(fits.error()));
  question_ = std::move(control);
  sent_at_loss_.reset();
  give_up_at_ = monotonic_now() + timeout_;
  if (link_.up()) put_question();
  return {};
}

std::optional<Result<Answer, Error>> OperatorClient::take_turn(Time until,
                                                               std::span<const int> fds) {
  std::optional<Result<Answer, Error>> ended;
  if (!question_ || answer_can_come()) {
    if (auto answer = turn(question_ ? std::min(until, give_up_at_) : until, fds)) {
      ended = *std::move(answer);
    }
  }
  if (question_ && !ended && !answer_can_come()) ended = fail(no_answer());
  if (ended) question_.reset();
  return ended;
}

bool OperatorClient::answer_can_come() const {
  return monotonic_now() < give_up_at_ && !link_.finished() && !deed_unanswered();
}

Result<Answer, Error> OperatorClient::demand(Control control, const Meanwhile& meanwhile) {
  auto answer = ask(std::move(control), meanwhile);
  if (!answer || answer->reason == Reason::none) return answer;
  return fail(Error{explained(answer->reason, answer->text), exit_code_of(answer->reason)});
}

void OperatorClient::idle(Duration duration) {
  const Time until = monotonic_now() + duration;
  while (monotonic_now() < until && !link_.finished()) turn(until);
}

void OperatorClient::keep_alive() { turn(monotonic_now()); }

std::optional<Answer> OperatorClient::turn(Time until, std::span<const int> fds) {
  const Time now = monotonic_now();
  if (link_.tick(now, effects_) == LinkEvent::beat_due) link_.beat({}, now, effects_);
  perform();
  const Time deadline = std::min(until, link_.next_deadline());
  channel_->wait(fds, std::max(Duration::zero(), deadline - monotonic_now()));
  if (!link_.up() && !channel_->trouble().empty()) {
    give_up_at_ = std::min(give_up_at_, monotonic_now() + kTroubleMax);
    troubled_ = true;
  }
  for (int i = 0; i < kBatchMax; ++i) {
    auto incoming = channel_->receive();
    if (!incoming) return std::nullopt;
    if (!incoming->message) continue;  // it breaks the protocol; what we wait for may follow
    auto answer = take(*std::move(incoming->message));
    if (answer) return answer;
  }
  return std::nullopt;
}

std::optional<Answer> OperatorClient::take(Message message) {
  const bool is_up = link_.receive(message, monotonic_now(), effects_) == LinkEvent::up;
  perform();
  if (is_up) {
    was_up_ = true;
    if (std::exchange(troubled_, false)) give_up_at_ = monotonic_now() + timeout_;
    if (question_ && !deed_unanswered()) put_question();
    return std::nullopt;
  }
  std::optional<Answer> answer;
  const auto* const report = std::get_if<Report>(&message);
  if (report != nullptr && question_ && report->asker == question_->asker) {
    answer = Answer{report->reason, report->text, {}, {}};
    const auto frames = channel_->payloads().frames(report->payload.id);
    if (!frames.empty()) {
      answer->document = std::string(frames.front().text());
      answer->frames.assign(frames.begin() + 1, frames.end());
    }
  }
  for_each_payload(message, [this](const Payload& payload) {
    if (payload.id) effects_.push_back(ReleasePayload{payload.id});
  });
  perform();
  return answer;
}

void OperatorClient::put_question() {
  channel_->send(*question_);
  sent_at_loss_ = link_.losses();
}

bool OperatorClient::deed_unanswered() const {
  return question_ && counts_twice(question_->verb) && sent_at_loss_ &&
         *sent_at_loss_ != link_.losses();
}

void OperatorClient::perform() {
  for (const auto& effect : effects_) transport::perform_common(*channel_, effect);
  effects_.clear();
}

Error OperatorClient::no_answer() const {
  if (link_.finished()) {
    const Refused& refusal = link_.refusal();
    return {fmt::format("the broker at {} refuses: {}", endpoint_,
                        explained(refusal.reason, refusal.text)),
            exit_code::kUnavailable};
  }
  if (question_ && counts_twice(question_->verb) && sent_at_loss_) {
    return {fmt::format("the broker at {} was told, but its answer {}; 'framefleet status' and "
                        "'framefleet jobs' show what came of it",
                        endpoint_,
                        deed_unanswered()
                            ? std::string("is lost")
                            : fmt::format("has not come within {:.3g} s", seconds(timeout_))),
            exit_code::kUnavailable};
  }
  if (!channel_->trouble().empty()) return {channel_->trouble(), exit_code::kUnavailable};
  return {fmt::format("{} at {} within {:.3g} s",
                      was_up_ ? "no answer of the broker" : "no broker answers", endpoint_,
                      seconds(timeout_)),
          exit_code::kUnavailable};
}

}  // namespace framefleet::cli
