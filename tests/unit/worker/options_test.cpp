#include "worker/detectors/options.hpp"

#include "tests/support/catch.hpp"

#include <array>

namespace framefleet::worker {
namespace {

const std::array<OptionSpec, 4>& specs() {
  static const std::array<OptionSpec, 4> table{{
      {"size", OptionType::integer, "30", 1, 100, "px", {}, "a size"},
      {"scale", OptionType::real, "1.1", 1.01, 2, "", {}, "a scale"},
      {"kind", OptionType::choice, "3", 0, 0, "px", {"3", "5", "7"}, "a kind"},
      {"sleep", OptionType::time, "0ms", 0, 600, "", {}, "a time"},
  }};
  return table;
}

Result<Options, Error> parse(std::string_view text) {
  return Options::parse("faces", specs(), text);
}

void check_refused(std::string_view text, const std::string& message) {
  const auto options = parse(text);
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().text == message);
  CHECK(options.error().exit_code == exit_code::kUsage);
}

TEST_CASE("options that are not named have their defaults") {
  const auto options = parse("");
  REQUIRE(options.has_value());
  CHECK(options->integer("size") == 30);
  CHECK(options->real("scale") == 1.1);
  CHECK(options->choice("kind") == "3");
  CHECK(options->number("kind") == 3);
  CHECK(options->time("sleep") == Duration::zero());
}

TEST_CASE("options that are named have their values, limits included") {
  const auto options = parse("size=100&scale=1.01&kind=7&sleep=1.5s");
  REQUIRE(options.has_value());
  CHECK(options->integer("size") == 100);
  CHECK(options->real("scale") == 1.01);
  CHECK(options->number("kind") == 7);
  CHECK(options->time("sleep") == std::chrono::milliseconds(1500));
  CHECK(parse("sleep=20ms")->time("sleep") == std::chrono::milliseconds(20));
}

TEST_CASE("an option that does not exist names those that do") {
  check_refused("sise=3",
                "detector \"faces\" has no option \"sise\"; it has size, scale, kind or sleep");
  check_refused("&size=3",
                "detector \"faces\" has no option \"\"; it has size, scale, kind or sleep");
}

TEST_CASE("a value out of range, of another type or without a unit says what is accepted") {
  check_refused(
      "size=0",
      "detector \"faces\": option size=0 is not accepted; it takes a whole number, 1 to 100 px");
  check_refused(
      "size=2.5",
      "detector \"faces\": option size=2.5 is not accepted; it takes a whole number, 1 to 100 px");
  check_refused(
      "size=",
      "detector \"faces\": option size= is not accepted; it takes a whole number, 1 to 100 px");
  check_refused("scale=3",
                "detector \"faces\": option scale=3 is not accepted; it takes 1.01 to 2");
  check_refused("scale=nan",
                "detector \"faces\": option scale=nan is not accepted; it takes 1.01 to 2");
  check_refused("kind=4", "detector \"faces\": option kind=4 is not accepted; it takes 3, 5 or 7");
  check_refused("sleep=20",
                "detector \"faces\": option sleep=20 is not accepted; it takes 0s to 600s");
  check_refused("sleep=601s",
                "detector \"faces\": option sleep=601s is not accepted; it takes 0s to 600s");
}

TEST_CASE("an option without a value, or given twice, is refused") {
  check_refused("size", "detector \"faces\": option size has no value; write size=30");
  check_refused("size=3&size=4", "detector \"faces\": option size is given twice");
}

}  // namespace
}  // namespace framefleet::worker
