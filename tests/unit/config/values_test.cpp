#include "shared/config/values.hpp"

#include "tests/support/catch.hpp"

#include <chrono>

using namespace framefleet;
using namespace framefleet::config;
using namespace std::chrono_literals;

TEST_CASE("a duration is a number with its unit") {
  CHECK(parse_duration("5s") == Duration{5s});
  CHECK(parse_duration("250ms") == Duration{250ms});
  CHECK(parse_duration("2min") == Duration{2min});
  CHECK(parse_duration("30d") == Duration{720h});
  CHECK(parse_duration("1.5h") == Duration{90min});
  CHECK(parse_duration("7us") == Duration{7us});
  CHECK(parse_duration("0s") == Duration{0});
  CHECK(parse_duration("0.25s") == Duration{250ms});
}

TEST_CASE("what is no duration says why") {
  CHECK(parse_duration("5").error() == "\"5\" lacks its unit");
  CHECK(parse_duration("").error() == "\"\" is not a duration");
  CHECK(parse_duration("-5s").error() == "\"-5s\" is not a duration");
  CHECK(parse_duration("5 s").error() == "\" s\" is not a unit of time");
  CHECK(parse_duration("5m").error() == "\"m\" is not a unit of time");
  CHECK(parse_duration("1.s").error() == "\"1.s\" is not a duration");
  CHECK(parse_duration("0.5ns").error() == "\"0.5ns\" is too large or too fine");
  CHECK(parse_duration("200000d").error() == "\"200000d\" is too large or too fine");
  CHECK(parse_duration("99999999999999999999s").error() ==
        "\"99999999999999999999s\" is not a duration");
}

TEST_CASE("a size is a count of bytes or a number with its unit") {
  CHECK(parse_bytes("64MiB") == mib(64));
  CHECK(parse_bytes("1GB") == Bytes{1'000'000'000});
  CHECK(parse_bytes("4096") == kib(4));
  CHECK(parse_bytes("0.5KiB") == Bytes{512});
  CHECK(parse_bytes("0") == Bytes{0});
  CHECK(parse_bytes("9223372036854775807") == kBytesMax);
}

TEST_CASE("what is no size says why") {
  CHECK(parse_bytes("MiB").error() == "\"MiB\" is not a size");
  CHECK(parse_bytes("-1").error() == "\"-1\" is not a size");
  CHECK(parse_bytes("5mb").error() == "\"mb\" is not a unit of size");
  CHECK(parse_bytes("0.1B").error() == "\"0.1B\" is too large or not a whole number of bytes");
  CHECK(parse_bytes("9000000TiB").error() ==
        "\"9000000TiB\" is too large or not a whole number of bytes");
}

TEST_CASE("durations and sizes print in their largest exact unit and read back") {
  CHECK(duration_text(2500ms) == "2500ms");
  CHECK(duration_text(120s) == "2min");
  CHECK(duration_text(24h) == "1d");
  CHECK(duration_text(Duration{0}) == "0s");
  CHECK(bytes_text(mib(64)) == "64MiB");
  CHECK(bytes_text(Bytes{3'000'000'000}) == "3GB");
  CHECK(bytes_text(Bytes{1001}) == "1001B");
  CHECK(bytes_text(Bytes{0}) == "0B");
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{999}, std::int64_t{1'500'000'000},
                               std::int64_t{86'400'000'000'001}, std::int64_t{INT64_MAX}}) {
    CHECK(parse_duration(duration_text(Duration{n})) == Duration{n});
    const Bytes bytes{static_cast<std::uint64_t>(n)};
    CHECK(parse_bytes(bytes_text(bytes)) == bytes);
  }
}
