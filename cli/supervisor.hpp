#pragma once
// The core of `framefleet run` and `framefleet autoscale`: which child is started, asked to leave
// or killed, and what it all ends with. Takes (event, now), appends effects; owns no process, file,
// clock or terminal.
//
//   planning ──planned──▶ working ──producer ended──▶ workers_leaving ─▶ broker_leaving ─▶
//   sink_leaving
//      │                   │   │                                                              │
//      │          interrupt│   │ a child's final error, a crash loop                          ▼
//      │                   ▼   ▼                                                            ended
//      └──────────▶ draining  aborting ───────────────────────────────────────────────────────▲
//                   (the producer ends, then as above)         second interrupt: stopping ─────┘
//
// With workers alone (autoscale) it begins with `working`; the first interrupt makes them leave,
// the second one is `aborting`.
//
// Invariants: nothing is started after `working` and `draining`; once `ended`, no child is running
// and no effect is emitted. A child that dies while it is needed is started again (RestartPolicy),
// unless its exit code says that a new start would end the same way. Where the number of workers
// changes (SupervisorOptions::scales), one that was asked to leave, or left with 0, stays away.

#include "cli/restart_policy.hpp"

#include "shared/base/result.hpp"
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
/// For people: their number changes, and what the broker said of its demand.
struct Scaled {
  std::uint32_t before{0};
  std::uint32_t after{0};
  std::uint64_t desired{0};
  double offered_slots{0};
  double waiting_seconds{0};
  std::vector<std::string> leaving;  ///< By their names in the fleet.
  friend bool operator==(const Scaled&, const Scaled&) = default;
};
/// For people: the broker does not say how many workers there should be; they stay as they are.
struct NotScaling {
  std::uint32_t workers{0};
  std::string why;
  friend bool operator==(const NotScaling&, const NotScaling&) = default;
};
using SupervisorEffect = std::variant<Start, Terminate, Kill, RestartPlanned, Scaled, NotScaling>;
using SupervisorEffects = std::vector<SupervisorEffect>;

struct SupervisorOptions {
  std::uint32_t workers{1};   ///< To begin with.
  bool scales{false};         ///< Their number changes.
  bool workers_alone{false};  ///< The rest of the fleet is somebody else's.
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

  /// Starts the producer, which plans, or the workers if they are alone. Requires: called first,
  /// once.
  void begin(Time now, SupervisorEffects& effects);
  /// The producer knows what there is to do: the fleet is started.
  void planned(Time now, SupervisorEffects& effects);
  /// `settled` pictures so far; only its growth matters.
  void progressed(std::uint64_t settled) { settled_ = settled; }
  /// Requires: the child was started and had not exited.
  void exited(const ChildName& child, const ExitStatus& status, Time now,
              SupervisorEffects& effects);
  /// A child cannot be started: everything is stopped.
  void not_started(const ChildName& child, const Error& error, Time now,
                   SupervisorEffects& effects);
  /// The shell met an error of its own: everything is stopped.
  void abort(int exit_code, std::string cause, Time now, SupervisorEffects& effects);
  /// First: drain. Second: stop now.
  void interrupt(Time now, SupervisorEffects& effects);
  /// Does what is due. Requires: also called whenever next_deadline() has come.
  void tick(Time now, SupervisorEffects& effects);

  // While it works, and workers come and go:

  /// Starts so many more of them.
  void start_workers(std::uint32_t count, Time now, SupervisorEffects& effects);
  /// Of those that died and wait to be started again at most `count` are given up; answers how many
  /// that were.
  std::uint32_t give_up_waiting(std::uint32_t count);
  /// This one was asked to leave, and is not needed any more. None of ours: nothing happens.
  void asked_to_leave(const std::string& worker);
  /// Running or about to be started again, without those that leave.
  std::uint32_t workers() const;
  /// Names of those that run and were not asked to leave.
  std::vector<std::string> staying_workers() const;

  Time next_deadline() const;
  bool working() const { return phase_ == Phase::working; }
  bool draining() const { return phase_ == Phase::draining; }
  bool ended() const { return phase_ == Phase::ended; }
  const Verdict& verdict() const { return verdict_; }

  struct RestartCount {
    ChildName child;
    std::uint64_t restarts{0};
    friend bool operator==(const RestartCount&, const RestartCount&) = default;
  };
  /// Children that died and were started again.
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
    std::uint64_t restarts{0};
    bool leaving{false};  ///< Asked to, while the others go on.
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
