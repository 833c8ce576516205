#include "tests/support/catch.hpp"
#include "tests/unit/config/sample_options.hpp"

using namespace framefleet;
using namespace framefleet::test;
using namespace std::chrono_literals;

namespace {

/// What is said about arguments that cannot be used; the exit code is 64.
std::string refusal(const std::vector<std::string>& arguments) {
  const auto outcome = Sample{}.load(arguments);
  CHECK(outcome.exit_code == exit_code::kUsage);
  CHECK(outcome.out.empty());
  return outcome.err;
}

}  // namespace

TEST_CASE("flags take their value after a space or an equals sign, the last one wins") {
  Sample sample;
  REQUIRE(sample.load({"--slots", "5", "--peer-timeout=3s", "--slots=6", "--folder", "a b"}).run());
  CHECK(sample.options.slots == 6);
  CHECK(sample.options.peer_timeout == 3s);
  CHECK(sample.options.folder == "a b");
}

TEST_CASE("a switch is turned on by its name, off by --no-name") {
  Sample sample;
  REQUIRE(sample.load({"--journal", "a.jpg"}).run());
  CHECK(sample.options.journal);
  CHECK(sample.options.sources == std::vector<std::string>{"a.jpg"});
  REQUIRE(sample.load({"--no-journal"}).run());
  CHECK_FALSE(sample.options.journal);
  REQUIRE(sample.load({"--no-journal", "--journal=true"}).run());
  CHECK(sample.options.journal);
}

TEST_CASE("a list flag adds up over commas and repetitions and replaces the layers below") {
  Sample sample;
  REQUIRE(sample
              .load({"--detect", "faces,edges", "--detect=corners"},
                    {{"FRAMEFLEET_SAMPLE_DETECT", "blend"}})
              .run());
  CHECK(sample.options.detect == std::vector<std::string>{"faces", "edges", "corners"});
}

TEST_CASE("an empty value is a value") {
  Sample sample;
  REQUIRE(sample.load({"--name=", "a.jpg"}).run());
  CHECK(sample.options.name.empty());
  CHECK(sample.options.sources.size() == 1);
}

TEST_CASE("arguments are taken as they are: brackets, commas, a lone dash, anything after --") {
  Sample sample;
  REQUIRE(sample.load({"[2020]", "a,b", "-", "--slots", "2", "--", "--slots", "-x"}).run());
  CHECK(sample.options.sources == std::vector<std::string>{"[2020]", "a,b", "-", "--slots", "-x"});
  CHECK(sample.options.slots == 2);
}

TEST_CASE("a negative number is a value, not a flag") {
  CHECK(refusal({"--share", "-1"}) ==
        "--share: sample.share: -1 is out of range; allowed: a number from 0.0 to 1.0\n");
}

TEST_CASE("an unknown flag suggests the nearest one") {
  CHECK(refusal({"--slotz=5"}) ==
        "--slotz=5: unknown option, did you mean --slots?\nTry: sample --help\n");
  CHECK(refusal({"-q"}) == "-q: unknown option\nTry: sample --help\n");
  CHECK(refusal({"--verison"}).find("did you mean --version?") != std::string::npos);
}

TEST_CASE("a flag without its value is told and swallows no other flag") {
  const std::string wanted =
      "--slots: needs a value (write --slots=VALUE if it starts with --)\nTry: sample --help\n";
  CHECK(refusal({"--slots"}) == wanted);
  CHECK(refusal({"--slots", "--journal"}) == wanted);
}

TEST_CASE("a flag's bad value is told with what is allowed") {
  CHECK(refusal({"--slots", "x"}) ==
        "--slots: sample.slots: \"x\" cannot be understood; allowed: an integer from 1 to 64\n");
  CHECK(refusal({"--journal=maybe"}).find("--journal: sample.journal: \"maybe\"") == 0);
  CHECK(refusal({"--token", "s3cret"}).find("s3cret") == std::string::npos);
}

TEST_CASE("a key that stands in two sections has its section in the flag, in both") {
  std::string one;
  std::string two;
  std::string level;
  config::OptionSet set{"two", "Has a key twice."};
  set.section("broker").add("listen", one, {});
  set.section("metrics").add("listen", two, {});
  set.section("log", "", config::FlagStyle::section_and_key).add("level", level, {});
  REQUIRE(
      config::load(set, {"--broker-listen", "a", "--metrics-listen", "b", "--log-level", "c"}, {})
          .run());
  CHECK(one == "a");
  CHECK(two == "b");
  CHECK(level == "c");
  CHECK(config::load(set, {"--listen", "a"}, {}).exit_code == exit_code::kUsage);
}

TEST_CASE("the number of arguments is checked") {
  std::vector<std::string> words;
  config::OptionSet set{"show", "Shows one."};
  set.positional("ID", words, {.help = "What to show.", .count_min = 1, .count_max = 2});
  CHECK(config::load(set, {}, {}).err == "ID: arguments: 0 given; allowed: 1 to 2\n");
  CHECK(config::load(set, {"a", "b", "c"}, {}).exit_code == exit_code::kUsage);
  CHECK(config::load(set, {"a"}, {}).run());
  CHECK(words == std::vector<std::string>{"a"});
}

TEST_CASE("a program without arguments refuses them") {
  config::OptionSet set{"plain", "Takes none."};
  CHECK(config::load(set, {"x"}, {}).err ==
        "x: unexpected; plain takes options alone\nTry: plain --help\n");
}

TEST_CASE("arguments win over the same field in the file and are its origin") {
  std::vector<std::string> sources;
  config::OptionSet set{"both", "Has sources in two ways."};
  set.section("producer").add("sources", sources, {});
  set.positional("SOURCE", sources, {.count_min = 1});
  const WrittenFile file{"[producer]\nsources = [\"a\", \"b,c\"]\n"};
  REQUIRE(config::load(set, {"--config", file.path()}, {}).run());
  CHECK(sources == std::vector<std::string>{"a", "b,c"});
  REQUIRE(config::load(set, {"--config", file.path(), "d"}, {}).run());
  CHECK(sources == std::vector<std::string>{"d"});
  CHECK(config::effective_values(set).front().origin == "arguments");
}

TEST_CASE("argc and argv skip the program's name") {
  Sample sample;
  const char* argv[] = {"sample", "--slots", "9", nullptr};
  REQUIRE(config::load(sample.set, 3, argv, {}).run());
  CHECK(sample.options.slots == 9);
}
