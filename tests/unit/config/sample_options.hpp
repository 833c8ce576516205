#pragma once
// A program with one option of every kind, for the tests of shared/config.

#include "tests/support/test_data.hpp"

#include "shared/config/load.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace framefleet::test {

enum class Colour : std::uint8_t { red, green };

struct SampleOptions {
  bool journal{false};
  std::uint16_t slots{4};
  double share{0.25};
  Duration peer_timeout{std::chrono::milliseconds{2500}};
  config::Bytes backlog_bytes_max{config::mib(64)};
  std::uint64_t unstored_bytes_max{1'000'000};
  std::string name{"dock"};
  std::string mode{"memory"};
  Colour colour{Colour::green};
  std::vector<std::string> detect{"faces"};
  std::filesystem::path folder{"out"};
  std::string token;
  std::string endpoint{"ipc:///run/broker"};
  std::vector<std::string> sources;

  bool operator==(const SampleOptions&) const = default;
};

/// `options` bound to a set, as a main does it.
struct Sample {
  SampleOptions options;
  config::OptionSet set{"sample", "Shows every kind of option."};

  Sample() {
    set.section("sample", "One of each.")
        .add("journal", options.journal, {.help = "Whether a disk keeps it."})
        .add("slots", options.slots, {.help = "Tasks at once.", .min = 1, .max = 64})
        .add("share", options.share, {.help = "Part of the time.", .min = 0.0, .max = 1.0})
        .add("peer_timeout", options.peer_timeout,
             {.help = "Silence that ends a peer.",
              .min = std::chrono::seconds{1},
              .max = std::chrono::minutes{5}})
        .add("backlog_bytes_max", options.backlog_bytes_max,
             {.help = "Payload that waits.", .min = config::mib(1), .max = config::gib(2)})
        .add("unstored_bytes_max", config::SizeOf{options.unstored_bytes_max},
             {.help = "Results that wait."})
        .add("name", options.name, {.help = "For people."})
        .add("mode", options.mode, {.help = "Where.", .choices = {"memory", "disk"}})
        .add("colour", options.colour,
             {.help = "Which.", .words = {{"red", Colour::red}, {"green", Colour::green}}})
        .add("detect", options.detect, {.help = "What to look for."})
        .add("folder", options.folder, {.help = "Where results go."})
        .add("token", options.token, {.help = "Proves who we are.", .secret = true});
    set.section("broker").add("endpoint", options.endpoint, {.help = "Where the broker is."});
    set.positional("SOURCE", options.sources, {.help = "Pictures."});
  }

  config::Outcome load(const std::vector<std::string>& arguments,
                       const config::Environment& environment = {}) {
    return config::load(set, arguments, environment);
  }
};

/// A file of the test's own.
class WrittenFile {
 public:
  explicit WrittenFile(const std::string& content, const std::string& name = "sample.toml")
      : path_((folder_.path() / name).string()) {
    std::ofstream{path_, std::ios::binary} << content;
  }
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

}  // namespace framefleet::test
