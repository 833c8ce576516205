#pragma once
// Keeps the number of a supervisor's workers where the broker says that it should be: asks it once
// a second, lets an Autoscaler decide, has workers started, and has the broker choose which of them
// leave. While the broker is away or does not answer, the workers stay as they are. Used by a loop:
// turn(), perform the effects, wait(). Threads: one.

#include "cli/autoscaler.hpp"
#include "cli/operator_client.hpp"
#include "cli/supervisor.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace framefleet::cli {

struct ScalerOptions {
  AutoscalerOptions autoscaler;
  std::string endpoint;  ///< Where the broker obeys operators.
  std::string prefix;    ///< Of the names that the supervisor's workers have in the fleet.
};

class Scaler {
 public:
  explicit Scaler(ScalerOptions options);

  /// Does what is due. Requires: also called whenever wait() returned.
  void turn(Supervisor& supervisor, Time now, SupervisorEffects& effects);
  /// Until `until`, or sooner: for the broker, or one of the descriptors.
  void wait(std::span<const int> fds, Time until);

 private:
  enum class Question : std::uint8_t { none, how_many, who_leaves };
  /// What the broker says of its demand.
  struct Seen {
    std::uint64_t desired{0};
    double offered_slots{0};
    double waiting_seconds{0};
  };

  void look(Supervisor& supervisor, Time now, SupervisorEffects& effects);
  void ask(Question question, Control control, Supervisor& supervisor, SupervisorEffects& effects);
  void hear(const Answer& answer, Supervisor& supervisor, Time now, SupervisorEffects& effects);
  void step(Supervisor& supervisor, Time now, SupervisorEffects& effects);
  void let_leave(const std::string& document, Supervisor& supervisor, SupervisorEffects& effects);
  void lose_sight(const std::string& why, Supervisor& supervisor, SupervisorEffects& effects);
  void tell(std::uint32_t before, std::uint32_t after, std::vector<std::string> leaving,
            SupervisorEffects& effects) const;

  ScalerOptions options_;
  Autoscaler autoscaler_;
  std::unique_ptr<OperatorClient> client_;
  Question question_{Question::none};
  std::optional<Result<Answer, Error>> ended_;  // how the question ended
  Seen seen_;
  Time look_at_{kNever};
  std::uint32_t silent_looks_{0};  // in a row
};

/// Until `until`, for a minute at most, or until one of the descriptors can be read.
void wait_for(std::span<const int> fds, Time until);

}  // namespace framefleet::cli
