#pragma once
// The self-tests of a worker on their way through its pool: makes their orders, judges what comes
// back, says what went wrong in the log. When they run is SelfTestPlan's. Threads: the loop's.

#include "worker/core/self_test_plan.hpp"
#include "worker/detectors/self_test.hpp"
#include "worker/pool/pool.hpp"

#include "shared/telemetry/log.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace framefleet::worker {

/// One of them, as the metrics tell it.
struct SelfTestState {
  std::string detector;
  std::string format;
  bool failed{false};     ///< The latest time.
  std::uint64_t runs{0};  ///< That came to an end, ever.
};

class SelfTester {
 public:
  /// Of a worker that offers `detectors` and takes `formats`; again after `interval` (0: only at
  /// start).
  SelfTester(const std::vector<std::string>& detectors, FormatSet formats, Duration interval,
             telemetry::Logger& log);

  bool is_due(Time now) const { return plan_.is_due(now); }
  Time next_deadline() const { return plan_.next_deadline(); }
  /// Why the worker takes no task; "": it does.
  std::string not_ready() const { return plan_.not_ready(); }

  /// The order of the one that begins now. Requires: is_due(now).
  WorkOrder begin(std::uint64_t ticket, Time now);
  bool runs(std::uint64_t ticket) const { return running_.contains(ticket); }
  /// Requires: runs(done.ticket). What was abandoned counts for nothing.
  void judge(const WorkDone& done, Time now);
  /// Tickets of those that are in the pool.
  std::vector<std::uint64_t> tickets() const;

  std::vector<SelfTestState> states() const;

 private:
  std::vector<SelfTest> tests_;
  std::vector<std::uint64_t> runs_;  // by test
  SelfTestPlan plan_;
  telemetry::Logger& log_;
  std::map<std::uint64_t, std::size_t> running_;  // test by ticket
};

}  // namespace framefleet::worker
