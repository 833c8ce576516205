#include "tests/support/catch.hpp"
#include "tests/unit/config/sample_options.hpp"

#include <unistd.h>

using namespace framefleet;
using namespace framefleet::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kFull = R"([sample]
journal = true
slots = 7
share = 1
peer_timeout = "1min"
backlog_bytes_max = 2097152
unstored_bytes_max = "1GB"
name = "a \"b\""
mode = "disk"
colour = "red"
detect = ["faces?min_size=40", "edges"]
folder = "/var/lib/x"
[broker]
endpoint = "tcp://broker:5555"
)";

/// The one complaint about `content`, without the file's name before it.
std::string complaint(const std::string& content) {
  const WrittenFile file{content};
  Sample sample;
  const auto outcome = sample.load({"--config", file.path()});
  CHECK(outcome.exit_code == exit_code::kConfig);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.substr(0, file.path().size()) == file.path());
  return outcome.err.substr(file.path().size());
}

std::string in_sample(const std::string& line) { return complaint("[sample]\n" + line + "\n"); }

}  // namespace

TEST_CASE("a file sets every kind of option") {
  const WrittenFile file{kFull};
  Sample sample;
  REQUIRE(sample.load({"--config", file.path()}).run());
  SampleOptions wanted;
  wanted.journal = true;
  wanted.slots = 7;
  wanted.share = 1.0;
  wanted.peer_timeout = 1min;
  wanted.backlog_bytes_max = config::mib(2);
  wanted.unstored_bytes_max = 1'000'000'000;
  wanted.name = "a \"b\"";
  wanted.mode = "disk";
  wanted.colour = Colour::red;
  wanted.detect = {"faces?min_size=40", "edges"};
  wanted.folder = "/var/lib/x";
  wanted.endpoint = "tcp://broker:5555";
  CHECK(sample.options == wanted);
}

TEST_CASE("a wrong type is told with its file, line and column and what is allowed") {
  CHECK(in_sample("journal = 1") ==
        ":2:11: sample.journal: wrong type, an integer; allowed: true or false\n");
  CHECK(in_sample("slots = \"many\"") ==
        ":2:9: sample.slots: wrong type, a text; allowed: an integer from 1 to 64\n");
  CHECK(in_sample("slots = 1.5") ==
        ":2:9: sample.slots: wrong type, a number; allowed: an integer from 1 to 64\n");
  CHECK(in_sample("share = true") ==
        ":2:9: sample.share: wrong type, true or false; allowed: a number from 0.0 to 1.0\n");
  CHECK(in_sample("name = 5") == ":2:8: sample.name: wrong type, an integer; allowed: text\n");
  CHECK(in_sample("folder = []") == ":2:10: sample.folder: wrong type, a list; allowed: a path\n");
  CHECK(in_sample("detect = \"faces\"") ==
        ":2:10: sample.detect: wrong type, a text; allowed: a list of text\n");
  CHECK(in_sample("detect = [\"a\", 5]") ==
        ":2:16: sample.detect: wrong type, an integer; allowed: a list of text\n");
  CHECK(
      in_sample("peer_timeout = true") ==
      ":2:16: sample.peer_timeout: wrong type, true or false; allowed: a duration (ns, us, ms, s, "
      "min, h, d) from 1s to 5min\n");
  CHECK(
      in_sample("backlog_bytes_max = 1.5") ==
      ":2:21: sample.backlog_bytes_max: wrong type, a number; allowed: a size (B, KB, MB, GB, TB, "
      "KiB, MiB, GiB, TiB) from 1MiB to 2GiB\n");
}

TEST_CASE("a missing or unknown unit is told") {
  CHECK(
      in_sample("peer_timeout = 5") ==
      ":2:16: sample.peer_timeout: \"5\" lacks its unit; allowed: a duration (ns, us, ms, s, min, "
      "h, d) from 1s to 5min\n");
  CHECK(in_sample("peer_timeout = \"5 apples\"").find("\" apples\" is not a unit of time") !=
        std::string::npos);
}

TEST_CASE("a value out of its range is told, at both ends") {
  CHECK(in_sample("slots = 0") ==
        ":2:9: sample.slots: 0 is out of range; allowed: an integer from 1 to 64\n");
  CHECK(in_sample("slots = 65").find(": 65 is out of range;") != std::string::npos);
  CHECK(in_sample("share = -0.5").find(": -0.5 is out of range;") != std::string::npos);
  CHECK(in_sample("share = inf").find(": inf is out of range;") != std::string::npos);
  CHECK(in_sample("share = nan").find(": nan is out of range;") != std::string::npos);
  CHECK(in_sample("peer_timeout = \"999ms\"").find(": 999ms is out of range;") !=
        std::string::npos);
  CHECK(in_sample("backlog_bytes_max = \"3GiB\"").find(": 3GiB is out of range;") !=
        std::string::npos);
}

TEST_CASE("the ends of a range are allowed") {
  const WrittenFile file{
      "[sample]\nslots = 64\npeer_timeout = \"1s\"\nbacklog_bytes_max = "
      "\"2GiB\"\nshare = 0\n"};
  Sample sample;
  CHECK(sample.load({"--config", file.path()}).err.empty());
  CHECK(sample.options.slots == 64);
}

TEST_CASE("a word that is not among the choices is told with those that are") {
  CHECK(in_sample("mode = \"disc\"") ==
        ":2:8: sample.mode: \"disc\" is not one of the words; allowed: memory, disk\n");
  CHECK(in_sample("colour = \"blue\"") ==
        ":2:10: sample.colour: \"blue\" is not one of the words; allowed: red, green\n");
}

TEST_CASE("an unknown key suggests the nearest one and lists all of them") {
  CHECK(in_sample("slotz = 5") ==
        ":2:1: sample.slotz: unknown key, did you mean slots?; allowed: journal, slots, share, "
        "peer_timeout, backlog_bytes_max, unstored_bytes_max, name, mode, colour, detect, folder, "
        "token\n");
  CHECK(in_sample("elephant = 5").find("unknown key; allowed: journal,") != std::string::npos);
  CHECK(in_sample("endpoint = \"x\"").find("unknown key, it belongs in [broker];") !=
        std::string::npos);
}

TEST_CASE("an unknown section and a key outside every section are told") {
  CHECK(complaint("\n[sampel]\n") ==
        ":2:2: sampel: unknown section, did you mean sample?; allowed: [sample], [broker]\n");
  CHECK(complaint("slots = 5\n") ==
        ":1:1: slots: a key outside every section; allowed: [sample], [broker]\n");
  CHECK(complaint("sample = 5\n") ==
        ":1:10: sample: is an integer, not a section; allowed: [sample]\n");
}

TEST_CASE("a file that is not TOML is told with its place") {
  CHECK(complaint("[sample]\nslots = = 5\n").substr(0, 15) == ":2:9: not TOML:");
  CHECK(complaint("[sample]\nslots = 1\nslots = 2\n").substr(0, 15) == ":3:9: not TOML:");
}

TEST_CASE("several mistakes are all told, in the order of the file, ten at most") {
  const WrittenFile file{"[sample]\nslots = 0\nzzzzzzzzz = 1\nshare = 7\n"};
  Sample sample;
  const auto outcome = sample.load({"--config", file.path()});
  CHECK(outcome.exit_code == exit_code::kConfig);
  const auto slots = outcome.err.find(":2:9: sample.slots");
  const auto unknown = outcome.err.find(":3:1: sample.zzzzzzzzz");
  const auto share = outcome.err.find(":4:9: sample.share");
  REQUIRE(share != std::string::npos);
  CHECK(slots < unknown);
  CHECK(unknown < share);

  std::string many = "[sample]\n";
  for (int i = 0; i < 13; ++i) many += "zzzzzzzzz" + std::to_string(i) + " = 1\n";
  const WrittenFile worse{many};
  const auto text = Sample{}.load({"--config", worse.path()}).err;
  CHECK(text.find(":11:1:") != std::string::npos);
  CHECK(text.find(":12:1:") == std::string::npos);
  CHECK(text.find("and 3 more\n") != std::string::npos);
}

TEST_CASE("a file that cannot be read is told by its name") {
  const auto outcome = Sample{}.load({"--config", "/nowhere/sample.toml"});
  CHECK(outcome.exit_code == exit_code::kConfig);
  CHECK(outcome.err ==
        "/nowhere/sample.toml: configuration file: cannot be opened: No such file or directory\n");
  const TemporaryFolder folder;
  CHECK(Sample{}.load({"--config", folder.path().string()}).err.find("Is a directory") !=
        std::string::npos);
  const WrittenFile huge{std::string(std::size_t{2} << 20U, '#')};
  CHECK(Sample{}.load({"--config", huge.path()}).err.find("is larger than 1048576 bytes") !=
        std::string::npos);
}

TEST_CASE("a file whose keys would nest deeper than the stack is refused before it is parsed") {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  CHECK(complaint(key + " = 1\n") == ": configuration file: has over 10000 dots\n");
  CHECK(complaint("[" + key + "]\n") == ": configuration file: has over 10000 dots\n");
}

TEST_CASE("a secret is read from its file without the line end") {
  const WrittenFile secret{"s3cret\n", "token"};
  const WrittenFile file{"[sample]\ntoken = \"${file:" + secret.path() + "}\"\n"};
  Sample sample;
  REQUIRE(sample.load({"--config", file.path()}).run());
  CHECK(sample.options.token == "s3cret");
}

TEST_CASE("a secret that is written out, or whose file is no good, is refused and not repeated") {
  const std::string text = in_sample("token = \"s3cret\"");
  CHECK(text ==
        ":2:9: sample.token: a secret is not written here but kept in a file; allowed: "
        "${file:/path/of/a/file} that holds the secret, or \"\"\n");
  CHECK(
      in_sample("token = \"${file:/nowhere}\"").find("sample.token: /nowhere: cannot be opened") !=
      std::string::npos);
  const WrittenFile empty{"\n", "token"};
  CHECK(in_sample("token = \"${file:" + empty.path() + "}\"").find("the file is empty") !=
        std::string::npos);
}

TEST_CASE("only secrets are read from files") {
  CHECK(in_sample("name = \"${file:/etc/hostname}\"") ==
        ":2:8: sample.name: only secrets are read from files; allowed: text\n");
}
