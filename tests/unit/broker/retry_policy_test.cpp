#include "broker/core/retry_policy.hpp"

#include "tests/support/catch.hpp"

#include <set>

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

using What = Verdict::What;

TEST_CASE("every reason in the table is judged by its charge") {
  for (const auto& row : reason_table()) {
    INFO(row.code);
    Charges charges;
    const auto verdict = judge(row.reason, charges, 0.5, CoreOptions{});
    switch (row.charge) {
      case Charge::nothing:
        CHECK(verdict.what == What::again_now);
        CHECK(charges.failed + charges.lost == 0);
        break;
      case Charge::failed:
        CHECK(verdict.what == What::again_later);
        CHECK(charges.failed == 1);
        CHECK(charges.lost == 0);
        break;
      case Charge::lost:
        CHECK(verdict.what == What::again_later);
        CHECK(charges.failed == 0);
        CHECK(charges.lost == 1);
        break;
      case Charge::final:
      case Charge::answer:
        CHECK(verdict.what == What::give_up);
        break;
    }
  }
}

TEST_CASE("the counters are separate and each has its own end") {
  CoreOptions options;
  Charges charges;
  for (int i = 1; i < options.lost_attempts_max; ++i) {
    CHECK(judge(Reason::worker_lost, charges, 0.5, options).what == What::again_later);
  }
  CHECK(judge(Reason::detector_error, charges, 0.5, options).what == What::again_later);
  CHECK(judge(Reason::drained, charges, 0.5, options).what == What::again_now);
  CHECK(judge(Reason::child_crashed, charges, 0.5, options).what == What::again_later);
  CHECK(judge(Reason::detect_timeout, charges, 0.5, options).what == What::give_up);
  CHECK(judge(Reason::lease_expired, charges, 0.5, options).what == What::give_up);
}

TEST_CASE("the back-off lies between nothing and a ceiling that doubles up to its maximum") {
  CoreOptions options;
  options.failed_attempts_max = 100;
  const double nearly_one = 1.0 - 0x1.0p-53;
  Duration ceiling = options.retry_delay_base;
  Charges low;
  Charges high;
  for (int attempt = 1; attempt < 60; ++attempt) {
    CHECK(judge(Reason::detector_error, low, 0.0, options).delay == 0ns);
    const auto longest = judge(Reason::detector_error, high, nearly_one, options).delay;
    CHECK(longest < ceiling);
    CHECK(longest >= ceiling - 10us);
    ceiling = std::min(ceiling * 2, options.retry_delay_max);
  }
  CHECK(ceiling == options.retry_delay_max);
}

TEST_CASE("jitter is in [0, 1), the same for the same failure and another one for the next") {
  std::set<double> seen;
  double sum = 0;
  constexpr int kTasks = 1000;
  for (std::uint64_t sequence = 0; sequence < kTasks; ++sequence) {
    const TaskId task{42, 1, sequence, 0};
    for (std::uint16_t attempt = 1; attempt <= 3; ++attempt) {
      const double jitter = jitter_of(task, attempt);
      CHECK(jitter >= 0.0);
      CHECK(jitter < 1.0);
      CHECK(jitter == jitter_of(task, attempt));
      seen.insert(jitter);
      sum += jitter;
    }
  }
  CHECK(seen.size() == 3 * kTasks);
  CHECK(sum / (3 * kTasks) == Approx(0.5).margin(0.05));
}
