#pragma once
// The core of `framefleet run`: which child is started, asked to leave or killed, and what the run
// ends with. Takes (event, now), appends effects; owns no process, file, clock or terminal.
//
//   planning ──planned──▶ working ──producer ended──▶ workers_leaving ─▶ broker_leaving ─▶
//   sink_leaving
//      │                   │   │                                                              │
//      │          interrupt│   │ a child's final error, a crash loop                          ▼
//      │                   ▼   ▼                                                            ended
//      └──────────▶ draining  aborting ───────────────────────────────────────────────────────▲
//                   (the producer ends, then as above)         second interrupt: stopping ─────┘
//
// Invariants: nothing is started after `working` and `draining`; once `ended`, no child is running
// and no effect is emitted. A child that dies while it is needed is started again (RestartPolicy),
// unless its exit code says that a new start would end the same way.

#include "cli/restart_policy.hpp"

#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::cli {

enum class ChildKind : std::uint8_t { producer, broker, sink, worker };

/// Names one child of the run; a child keeps its name over restarts.
struct ChildName {
  ChildKind kind{ChildKind::producer};
  std::uint32_t number{0};  ///< Of workers, from 1; 0 for the others.
  friend bool operator==(const ChildName&, const ChildName&) = default;
};
/// "broker", "worker-2": also the name of its log.
std::string to_string(const ChildName& child);

/// How a process ended: by its own exit code, or by a signal.
struct ExitStatus {
  int code{0};
  int signal{0};  ///< 0: it exited by itself.
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};
/// "exit code 73", "signal 9".
std::string to_string(const ExitStatus& status);

struct Start {
  ChildName child;
  friend bool operator==(const Start&, const Start&) = default;
};
struct Terminate {  ///< SIGTERM: drain and leave.
  ChildName child;
  friend bool operator==(const Terminate&, const Terminate&) = default;
};
struct Kill {  ///< SIGKILL.
  ChildName child;
  friend bool operator==(const Kill&, const Kill&) = default;
};
/// For people: the child died and will be started again after `delay`.
struct RestartPlanned {
  ChildName child;
  ExitStatus status;
  Duration delay{};
  friend bool operator==(const RestartPlanned&, const RestartPlanned&) = default;
};
using SupervisorEffect = std::variant<Start, Terminate, Kill, RestartPlanned>;
using SupervisorEffects = std::vector<SupervisorEffect>;

struct SupervisorOptions {
  std::uint32_t workers{1};
  Duration drain_timeout{std::chrono::seconds(30)};
  /// What the others get to leave by themselves when the run cannot go on: there is nothing to wait
  /// for.
  Duration abort_timeout{std::chrono::seconds(1)};
  RestartOptions restart;
};

/// What the run ended with. Complete once Supervisor::ended().
struct Verdict {
  int exit_code{0};
  std::string cause;                 ///< One sentence; "" where nothing went wrong.
  std::optional<ChildName> culprit;  ///< Whose log says more.
  bool interrupted{false};           ///< Before everything was submitted.
  std::vector<ChildName> killed;     ///< Did not leave within drain_timeout.
};

class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options);

  /// Starts the producer, which plans. Requires: called first, once.
  void begin(Time now, SupervisorEffects& effects);
  /// The producer knows what there is to do: the fleet is started.
  void planned(Time now, SupervisorEffects& effects);
  /// `settled` pictures so far; only its growth matters.
  void progressed(std::uint64_t settled) { settled_ = settled; }
  /// Requires: the child was started and had not exited.
  void exited(const ChildName& child, const ExitStatus& status, Time now,
              SupervisorEffects& effects);
  /// A child cannot be started or the shell met an error of its own: everything is stopped.
  void abort(int exit_code, std::string cause, Time now, SupervisorEffects& effects);
  /// First: drain. Second: stop now.
  void interrupt(Time now, SupervisorEffects& effects);
  /// Does what is due. Requires: also called whenever next_deadline() has come.
  void tick(Time now, SupervisorEffects& effects);

  Time next_deadline() const;
  bool draining() const { return phase_ == Phase::draining; }
  bool ended() const { return phase_ == Phase::ended; }
  const Verdict& verdict() const { return verdict_; }

  struct RestartCount {
    ChildName child;
    std::uint64_t restarts{0};
    friend bool operator==(const RestartCount&, const RestartCount&) = default;
  };
  /// Children that were started more than once.
  std::vector<RestartCount> restarts() const;

 private:
  enum class Phase : std::uint8_t {
    planning,
    working,
    draining,
    workers_leaving,
    broker_leaving,
    sink_leaving,
    aborting,
    stopping,
    ended,
  };
  enum class State : std::uint8_t { absent, running, waiting };
  struct Child {
    ChildName name;
    RestartPolicy policy;
    State state{State::absent};
    Time started_at{};
    Time restart_at{};  ///< While waiting.
    std::uint64_t starts{0};
  };

  Child& find(const ChildName& name);
  void start(Child& child, Time now, SupervisorEffects& effects);
  void producer_ended(const ExitStatus& status, Time now, SupervisorEffects& effects);
  void fleet_member_died(Child& child, const ExitStatus& status, Time now,
                         SupervisorEffects& effects);
  void leave(Time now, SupervisorEffects& effects);
  void advance(Time now, SupervisorEffects& effects);
  void forget_restarts();
  bool any_running(ChildKind kind) const;
  bool any_running() const;
  void terminate(ChildKind kind, SupervisorEffects& effects);
  void kill(ChildKind kind, SupervisorEffects& effects);
  void kill_all(SupervisorEffects& effects);
  void deadline_passed(Time now, SupervisorEffects& effects);

  SupervisorOptions options_;
  std::vector<Child> children_;  ///< Producer, broker, sink, workers: the order of starting.
  Phase phase_{Phase::planning};
  Time phase_deadline_{kNever};  ///< Of draining and leaving: then the rest is killed.
  std::uint64_t settled_{0};
  bool asked_to_stop_{false};
  Verdict verdict_;
};

}  // namespace framefleet::cli
