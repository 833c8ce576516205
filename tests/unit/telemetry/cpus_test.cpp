#include "shared/telemetry/cpus.hpp"

#include "tests/support/catch.hpp"

namespace framefleet::telemetry {

TEST_CASE("a quota of processors is read from cpu.max") {
  CHECK(parse_cpu_max("150000 100000") == 1.5);
  CHECK(parse_cpu_max("50000 100000\n") == 0.5);
  CHECK_FALSE(parse_cpu_max("max 100000"));
  CHECK_FALSE(parse_cpu_max(""));
  CHECK_FALSE(parse_cpu_max("5"));
  CHECK_FALSE(parse_cpu_max("0 0"));
  CHECK_FALSE(parse_cpu_max("5 -1"));
  CHECK_FALSE(parse_cpu_max("5 1x"));
  CHECK(usable_cpus() >= 1);
}

}  // namespace framefleet::telemetry
