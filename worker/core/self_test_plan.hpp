#pragma once
// When each self-test of a worker runs, and what their answers mean for it: it is ready once every
// one of them was answered rightly, and not any more while the latest answer to one is wrong.
//
//   due ──begin──▶ running ──passed──▶ due again after the interval
//    ▲                │ failed
//    └────────────────┴──▶ due again after a pause that doubles up to the interval
//
// A test that ends without an answer is due again at once; the second time in a row it has failed.
// At first all are due at once; once each has been answered they run one at a time, so that tasks
// have the other slots. Takes (event, now); pure. Not thread-safe.

#include "shared/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

class SelfTestPlan {
 public:
  /// `names`: of the tests, for people; a test is its position here. `interval`: 0: those that
  /// have passed do not run again.
  SelfTestPlan(std::vector<std::string> names, Duration interval);

  /// Whether begin() would begin one.
  bool is_due(Time now) const { return next(now).has_value(); }
  /// The test that runs from now on, until passed() or failed(). Requires: is_due(now).
  std::size_t begin(Time now);
  void passed(std::size_t test, Time now);
  /// `fault`: what is wrong, for people; not empty.
  void failed(std::size_t test, std::string fault, Time now);
  /// It ended without an answer, and `why`: something else may have taken its child, so it is due
  /// again at once. The second time in a row it has failed.
  void unanswered(std::size_t test, const std::string& why, Time now);

  /// When the next one is due; kNever while that hangs on the end of one that runs.
  Time next_deadline() const;
  /// Why the worker is not ready; "" where it is.
  std::string not_ready() const;
  /// The latest answer was wrong.
  bool is_failing(std::size_t test) const { return !tests_[test].fault.empty(); }
  std::size_t count() const { return tests_.size(); }

 private:
  struct Test {
    std::string name;
    Time due_at{Time::min()};  // kNever: while it runs, or not again
    bool answered{false};
    std::string fault;           // of the latest answer
    std::uint32_t failures{0};   // one after the other
    bool was_unanswered{false};  // the latest time
  };

  std::optional<std::size_t> next(Time now) const;
  bool may_begin() const;

  std::vector<Test> tests_;
  Duration interval_;
  std::size_t running_{0};
};

}  // namespace framefleet::worker
