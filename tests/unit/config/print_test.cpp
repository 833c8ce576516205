#include "tests/support/catch.hpp"
#include "tests/unit/config/example_check.hpp"
#include "tests/unit/config/sample_options.hpp"

#include "shared/config/version.hpp"

using namespace framefleet;
using namespace framefleet::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("--print-config names each value's origin") {
  const WrittenFile file{"[sample]\n\nslots = 10\n"};
  const auto outcome =
      Sample{}.load({"--config", file.path(), "--print-config", "--name", "x", "a.jpg"},
                    {{"FRAMEFLEET_SAMPLE_PEER_TIMEOUT", "15s"}});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(contains(outcome.out, "\n[sample]\n"));
  CHECK(contains(outcome.out, "\nslots = 10  # " + file.path() + ":3\n"));
  CHECK(contains(outcome.out, "\npeer_timeout = \"15s\"  # FRAMEFLEET_SAMPLE_PEER_TIMEOUT\n"));
  CHECK(contains(outcome.out, "\nname = \"x\"  # --name\n"));
  CHECK(contains(outcome.out, "\nbacklog_bytes_max = \"64MiB\"  # default\n"));
  CHECK(contains(outcome.out, "\n# SOURCE: \"a.jpg\"\n"));
}

TEST_CASE("what --print-config prints reads back to the same values, however odd") {
  Sample first;
  const WrittenFile secret{"s3cret\n", "token"};
  const std::vector<std::string> odd{"--name=quote \" backslash \\ tab \t bell \a ü",
                                     "--share=0.1",
                                     "--detect=a\"b,c",
                                     "--folder=/tmp/with space",
                                     "--journal",
                                     "--backlog-bytes-max=1048577",
                                     "--peer-timeout=1.000000001s",
                                     "--token=${file:" + secret.path() + "}"};
  REQUIRE(first.load(odd).run());
  auto arguments = odd;
  arguments.emplace_back("--print-config");
  const auto printed = Sample{}.load(arguments);
  const WrittenFile file{printed.out};
  Sample second;
  const auto outcome = second.load({"--config", file.path()});
  INFO(printed.out << outcome.err);
  CHECK(outcome.run());
  CHECK(second.options == first.options);
}

TEST_CASE("a secret is never printed") {
  const WrittenFile secret{"s3cret\n", "token"};
  const std::string reference = "${file:" + secret.path() + "}";
  Sample sample;
  REQUIRE(sample.load({"--token", reference}).run());
  CHECK(contains(config::effective_toml(sample.set),
                 "token = \"" + reference + "\"  # ***, --token\n"));
  for (const auto& text : {config::effective_toml(sample.set), config::help_text(sample.set),
                           config::example_toml(sample.set)}) {
    CHECK_FALSE(contains(text, "s3cret"));
  }
  for (const auto& value : config::effective_values(sample.set)) {
    CHECK_FALSE(contains(value.value, "s3cret"));
    if (value.name == "sample.token") CHECK(value.value == "***");
  }
}

TEST_CASE("--help shows sections, flags, units, ranges, defaults and the end") {
  Sample sample;
  sample.set.epilog("Signals: SIGTERM drains.\nExit codes: 0; 64.");
  // --help is answered whatever else is wrong.
  const auto outcome = sample.load({"--bogus", "--slots", "900", "-h"});
  CHECK(outcome.exit_code == 0);
  for (const auto* part :
       {"sample: Shows every kind of option.\n", "Usage: sample [options] [SOURCE…]\n",
        "[sample] One of each.\n", "  --slots N\n      Tasks at once. Allowed: from 1 to 64. ",
        "Default: 4.", "  --peer-timeout DURATION\n", "from 1s to 5min", "--backlog-bytes-max SIZE",
        "MiB", "Allowed: red, green. Default: \"green\".",
        "\nSignals: SIGTERM drains.\nExit codes"}) {
    INFO(part);
    CHECK(contains(outcome.out, part));
  }
  std::size_t line_start = 0;
  while (line_start < outcome.out.size()) {
    const auto line_end = outcome.out.find('\n', line_start);
    REQUIRE(line_end != std::string::npos);
    CHECK(line_end - line_start <= 100);
    line_start = line_end + 1;
  }
}

TEST_CASE("--version names the program, its version and its build") {
  const auto outcome = Sample{}.load({"--version"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "sample " + std::string(config::version()) + " (" + std::string(config::build()) + ")\n");
  CHECK_FALSE(config::version().empty());
}

TEST_CASE("the example lists every option at its default with its help and what is allowed") {
  Sample sample;
  const std::string text = config::example_toml(sample.set);
  CHECK(contains(text, "# Tasks at once. Allowed: an integer from 1 to 64.\nslots = 4\n"));

  const WrittenFile file{text};
  const auto names = config::parse_file_into(sample.set, file.path());
  REQUIRE(names.has_value());
  std::vector<std::string> all;
  for (const auto& option : sample.set.options()) all.push_back(option.name());
  CHECK(*names == all);
  CHECK(sample.options == SampleOptions{});
  check_example(sample.set, file.path());
}

TEST_CASE("the example keeps its defaults after other layers have changed the values") {
  Sample sample;
  const std::string before = config::example_toml(sample.set);
  REQUIRE(sample.load({"--slots", "9"}).run());
  CHECK(config::example_toml(sample.set) == before);
}

TEST_CASE("a file that sets some of the options names them") {
  Sample sample;
  const WrittenFile file{"[broker]\nendpoint = \"x\"\n[sample]\nslots = 5\n"};
  CHECK(config::parse_file_into(sample.set, file.path()).value() ==
        std::vector<std::string>{"sample.slots", "broker.endpoint"});
  const WrittenFile bad{"[sample]\nslots = 500\n"};
  const auto result = config::parse_file_into(sample.set, bad.path());
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().exit_code == exit_code::kConfig);
  CHECK(result.error().text == bad.path() +
                                   ":2:9: sample.slots: 500 is out of range; allowed: an integer "
                                   "from 1 to 64\n");
}
