#include "cli/scaler.hpp"

#include "cli/json_reading.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <utility>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kLookInterval = std::chrono::seconds{1};
/// A broker that is there answers in milliseconds.
constexpr Duration kAnswerTimeout = std::chrono::seconds{5};
/// A broker that starts, or is started again, is away for a moment.
constexpr std::uint32_t kSilentLooksTold = 5;

}  // namespace

void wait_for(std::span<const int> fds, Time until) {
  constexpr Duration kLongest = std::chrono::minutes(1);
  std::vector<pollfd> waits;
  for (const int fd : fds) waits.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  const Duration left = until == kNever ? kLongest : until - telemetry::monotonic_now();
  const auto timeout = ceil_ms(std::clamp(left, Duration::zero(), kLongest));
  ::poll(waits.data(), waits.size(), static_cast<int>(timeout));
}

Scaler::Scaler(ScalerOptions options)
    : options_(std::move(options)), autoscaler_(options_.autoscaler) {}

void Scaler::wait(std::span<const int> fds, Time until) {
  if (question_ == Question::none) until = std::min(until, look_at_);
  if (client_ == nullptr) {
    wait_for(fds, until);
  } else {
    ended_ = client_->take_turn(until, fds);
  }
}

void Scaler::turn(Supervisor& supervisor, Time now, SupervisorEffects& effects) {
  if (!supervisor.working()) {
    client_.reset();
    question_ = Question::none;
    look_at_ = kNever;
    return;
  }
  if (look_at_ == kNever) look_at_ = now + kLookInterval;  // the broker is about to come
  if (auto ended = std::exchange(ended_, std::nullopt)) {
    if (*ended) {
      hear(**ended, supervisor, now, effects);
    } else {
      lose_sight(ended->error().text, supervisor, effects);
    }
  }
  if (question_ == Question::none && now >= look_at_) look(supervisor, now, effects);
}

void Scaler::look(Supervisor& supervisor, Time now, SupervisorEffects& effects) {
  look_at_ = now + kLookInterval;
  if (client_ == nullptr) {
    OperatorOptions options;
    options.connect = options_.endpoint;
    options.timeout = kAnswerTimeout;
    auto opened = OperatorClient::open(options);
    if (!opened) {
      lose_sight(opened.error().text, supervisor, effects);
      return;
    }
    client_ = *std::move(opened);
  }
  ask(Question::how_many, {}, supervisor, effects);
}

void Scaler::ask(Question question, Control control, Supervisor& supervisor,
                 SupervisorEffects& effects) {
  question_ = question;
  const auto begun = client_->begin(std::move(control));
  if (!begun) lose_sight(begun.error().text, supervisor, effects);
}

void Scaler::hear(const Answer& answer, Supervisor& supervisor, Time now,
                  SupervisorEffects& effects) {
  const auto question = std::exchange(question_, Question::none);
  if (question == Question::who_leaves) {
    if (answer.reason == Reason::none) let_leave(answer.document, supervisor, effects);
    return;  // not_found: they are not known there yet, or not any more
  }
  const auto status = Json::parse(answer.document, nullptr, false);
  const auto desired = count(status, "desired_workers");
  if (!desired) {
    lose_sight("the broker does not say how many workers it needs; are both of one version?",
               supervisor, effects);
    return;
  }
  silent_looks_ = 0;
  const auto demand = object(status, "demand");
  seen_ = {*desired, number(demand, "offered_slots").value_or(0),
           number(demand, "waiting_seconds").value_or(0)};
  step(supervisor, now, effects);
}

void Scaler::step(Supervisor& supervisor, Time now, SupervisorEffects& effects) {
  const auto before = supervisor.workers();
  const auto step = autoscaler_.look(seen_.desired, before, now);
  if (step.start > 0) {
    tell(before, before + step.start, {}, effects);
    supervisor.start_workers(step.start, now, effects);
  }
  if (step.drain == 0) return;
  const auto given_up = supervisor.give_up_waiting(step.drain);
  if (given_up > 0) tell(before, before - given_up, {}, effects);
  Control control;
  control.verb = ControlVerb::drain_idlest;
  control.limit = step.drain - given_up;
  for (const auto& name : supervisor.staying_workers()) {
    control.names.push_back(options_.prefix + name);
  }
  if (control.limit == 0 || control.names.empty()) return;
  ask(Question::who_leaves, std::move(control), supervisor, effects);
}

void Scaler::let_leave(const std::string& document, Supervisor& supervisor,
                       SupervisorEffects& effects) {
  const auto before = supervisor.workers();
  auto leaving = texts(Json::parse(document, nullptr, false), "draining");
  for (const auto& name : leaving) {
    if (name.starts_with(options_.prefix)) {
      supervisor.asked_to_leave(name.substr(options_.prefix.size()));
    }
  }
  tell(before, supervisor.workers(), std::move(leaving), effects);
}

void Scaler::lose_sight(const std::string& why, Supervisor& supervisor,
                        SupervisorEffects& effects) {
  client_.reset();
  question_ = Question::none;
  autoscaler_.lost_sight();
  if (++silent_looks_ == kSilentLooksTold) {
    effects.push_back(NotScaling{supervisor.workers(), why});
  }
}

void Scaler::tell(std::uint32_t before, std::uint32_t after, std::vector<std::string> leaving,
                  SupervisorEffects& effects) const {
  effects.push_back(Scaled{before, after, seen_.desired, seen_.offered_slots, seen_.waiting_seconds,
                           std::move(leaving)});
}

}  // namespace framefleet::cli
