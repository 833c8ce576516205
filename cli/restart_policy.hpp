#pragma once
// When a child that died is started again, and when not: back-off that doubles, and an end to a
// crash loop. One object per child. Pure; lengths of lives are handed in.

#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>

namespace framefleet::cli {

struct RestartOptions {
  Duration delay_min{std::chrono::milliseconds(100)};
  Duration delay_max{std::chrono::seconds(5)};
  /// A life this long ends the doubling: the child had come up and worked.
  Duration life_settled{std::chrono::seconds(2)};
  /// A death this soon after the start is an early one.
  Duration life_early{std::chrono::seconds(10)};
  /// So many early deaths in a row, none with progress in between, end the run.
  int early_deaths_max{5};
};

class RestartPolicy {
 public:
  explicit RestartPolicy(const RestartOptions& options) : options_(options) {}

  /// The child died after `lived`; `progress` is any count that grows while the run gets on.
  /// Answers how long to wait before the next start, or nothing: starting it again is hopeless.
  std::optional<Duration> died(Duration lived, std::uint64_t progress);

 private:
  RestartOptions options_;
  Duration delay_{};
  int early_deaths_{0};
  std::uint64_t progress_{0};  ///< At the previous death.
};

}  // namespace framefleet::cli
