#include "tests/support/catch.hpp"
#include "tests/unit/config/sample_options.hpp"

#include <algorithm>

using namespace framefleet;
using namespace framefleet::test;
using namespace std::chrono_literals;

namespace {

std::string origin(const Sample& sample, const std::string& name) {
  const auto values = config::effective_values(sample.set);
  const auto found = std::ranges::find(values, name, &config::Effective::name);
  return found == values.end() ? "no such option" : found->origin;
}

}  // namespace

TEST_CASE("without any layer the options keep their defaults") {
  Sample sample;
  const auto outcome = sample.load({});
  CHECK(outcome.run());
  CHECK(outcome.err.empty());
  CHECK(sample.options == SampleOptions{});
  CHECK(origin(sample, "sample.slots") == "default");
}

TEST_CASE("each layer wins over the one before, and the origin names it") {
  const WrittenFile file{"[sample]\nslots = 10\nname = \"file\"\nmode = \"disk\"\n"};
  Sample sample;
  REQUIRE(sample
              .load({"--config", file.path(), "--name", "flag"},
                    {{"FRAMEFLEET_SAMPLE_SLOTS", "20"}, {"FRAMEFLEET_SAMPLE_NAME", "variable"}})
              .run());
  CHECK(sample.options.mode == "disk");
  CHECK(sample.options.slots == 20);
  CHECK(sample.options.name == "flag");
  CHECK(origin(sample, "sample.mode") == file.path() + ":4");
  CHECK(origin(sample, "sample.slots") == "FRAMEFLEET_SAMPLE_SLOTS");
  CHECK(origin(sample, "sample.name") == "--name");
  CHECK(origin(sample, "sample.share") == "default");
}

TEST_CASE("FRAMEFLEET_CONFIG names the file, --config wins over it") {
  const WrittenFile one{"[sample]\nslots = 11\n"};
  const WrittenFile two{"[sample]\nslots = 22\n"};
  Sample sample;
  REQUIRE(sample.load({}, {{"FRAMEFLEET_CONFIG", one.path()}}).run());
  CHECK(sample.options.slots == 11);
  REQUIRE(sample.load({"--config", two.path()}, {{"FRAMEFLEET_CONFIG", one.path()}}).run());
  CHECK(sample.options.slots == 22);
}

TEST_CASE("variables hold every kind of option") {
  Sample sample;
  REQUIRE(sample
              .load({}, {{"FRAMEFLEET_SAMPLE_JOURNAL", "true"},
                         {"FRAMEFLEET_SAMPLE_SHARE", "0.5"},
                         {"FRAMEFLEET_SAMPLE_PEER_TIMEOUT", "15s"},
                         {"FRAMEFLEET_SAMPLE_BACKLOG_BYTES_MAX", "1GiB"},
                         {"FRAMEFLEET_SAMPLE_COLOUR", "red"},
                         {"FRAMEFLEET_SAMPLE_DETECT", "faces,edges"},
                         {"FRAMEFLEET_SAMPLE_FOLDER", "/tmp/x"}})
              .run());
  CHECK(sample.options.journal);
  CHECK(sample.options.share == 0.5);
  CHECK(sample.options.peer_timeout == 15s);
  CHECK(sample.options.backlog_bytes_max == config::gib(1));
  CHECK(sample.options.colour == Colour::red);
  CHECK(sample.options.detect == std::vector<std::string>{"faces", "edges"});
  CHECK(sample.options.folder == "/tmp/x");
}

TEST_CASE("a bad variable is told by its name and ends with 78") {
  const auto outcome = Sample{}.load({}, {{"FRAMEFLEET_SAMPLE_SLOTS", "1O"}});
  CHECK(outcome.exit_code == exit_code::kConfig);
  CHECK(outcome.err ==
        "FRAMEFLEET_SAMPLE_SLOTS: sample.slots: \"1O\" cannot be understood; allowed: an integer "
        "from 1 to 64\n");
  CHECK(Sample{}.load({}, {{"FRAMEFLEET_SAMPLE_JOURNAL", "yes"}}).err ==
        "FRAMEFLEET_SAMPLE_JOURNAL: sample.journal: \"yes\" cannot be understood; allowed: true or "
        "false\n");
}

TEST_CASE("an empty variable counts as not set") {
  Sample sample;
  REQUIRE(sample.load({}, {{"FRAMEFLEET_SAMPLE_SLOTS", ""}, {"FRAMEFLEET_CONFIG", ""}}).run());
  CHECK(sample.options == SampleOptions{});
}

TEST_CASE("a variable of our section that is no option is warned of, others are not ours") {
  Sample sample;
  const auto outcome =
      sample.load({}, {{"FRAMEFLEET_SAMPLE_SLOTZ", "5"}, {"FRAMEFLEET_OTHER_SLOTS", "5"}});
  CHECK(outcome.run());
  CHECK(outcome.warnings == std::vector<std::string>{
                                "FRAMEFLEET_SAMPLE_SLOTZ matches no option of sample, did you mean "
                                "FRAMEFLEET_SAMPLE_SLOTS?"});
}

TEST_CASE("mistakes of several layers are told together, and 78 wins over 64") {
  const auto outcome = Sample{}.load({"--slots", "99"}, {{"FRAMEFLEET_SAMPLE_SHARE", "9"}});
  CHECK(outcome.exit_code == exit_code::kConfig);
  CHECK(outcome.err.find("FRAMEFLEET_SAMPLE_SHARE: ") == 0);
  CHECK(outcome.err.find("\n--slots: sample.slots: 99 is out of range;") != std::string::npos);
}

TEST_CASE("a check of the values together runs after every layer and ends with 78") {
  Sample sample;
  sample.set.check([&]() -> std::optional<std::string> {
    if (sample.options.slots < 50) return std::nullopt;
    return "sample.slots: 50 or more need sample.journal";
  });
  CHECK(sample.load({}).run());
  const auto outcome = sample.load({"--slots", "50"});
  CHECK(outcome.exit_code == exit_code::kConfig);
  CHECK(outcome.err == "sample: options: sample.slots: 50 or more need sample.journal\n");
}
