#pragma once
// Tells the log when the connection to the broker comes up and goes down, and an operator why a
// broker wants nothing to do with us. Threads: the loop's.

#include "shared/base/link.hpp"
#include "shared/telemetry/program.hpp"

#include <optional>
#include <string>

namespace framefleet::telemetry {

class LinkWatch {
 public:
  explicit LinkWatch(Program& program) : program_(program) {}

  /// Call once a turn. `trouble`: why the broker cannot be talked to, where that is known.
  void look(const Link& link, const std::string& trouble);

 private:
  Program& program_;
  bool was_up_{false};
  std::string told_;  // the trouble that stands in the log since the connection was up last
};

/// The broker's refusal as the error to end with (69); nothing if there was none.
std::optional<Error> refusal_of(const Link& link);

}  // namespace framefleet::telemetry
