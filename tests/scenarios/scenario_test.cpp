// Runs every scenario of this folder and compares what the broker's core does with what is written
// there; then runs each again with a disconnect, a copy of a message or a late timer before every
// command, and looks at the invariants alone.
//
// FRAMEFLEET_REWRITE_SCENARIOS=1 writes down what the core does now: read the difference.

#include "tests/scenarios/stage.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace framefleet;
using namespace framefleet::scenarios;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

/// Comments and commands, then what they must do.
struct Block {
  std::vector<std::string> head;  // as written, comments too
  std::vector<Command> commands;
  std::string expected;
};

std::vector<Block> load(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Block> blocks;
  Block block;
  bool in_head = true;
  const auto finish = [&] {
    if (!block.commands.empty()) blocks.push_back(std::exchange(block, {}));
    in_head = true;
  };
  for (std::string line; std::getline(file, line);) {
    if (in_head && line == "----") {
      in_head = false;
    } else if (!in_head && line.empty()) {
      finish();
    } else if (in_head) {
      block.head.push_back(line);
      if (!line.empty() && line[0] != '#') block.commands.push_back(parse_command(line));
    } else {
      block.expected += line + "\n";
    }
  }
  finish();
  return blocks;
}

std::vector<fs::path> all_scenarios() {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::directory_iterator(fs::path(FRAMEFLEET_SOURCE_DIR) / "tests/scenarios/broker")) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void rewrite(const fs::path& path, const std::vector<Block>& blocks) {
  std::ofstream file(path);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0) file << "\n";
    for (const auto& line : blocks[i].head) file << line << "\n";
    file << "----\n" << blocks[i].expected;
  }
}

std::vector<Command> all_commands(const std::vector<Block>& blocks) {
  std::vector<Command> commands;
  for (const auto& block : blocks) {
    commands.insert(commands.end(), block.commands.begin(), block.commands.end());
  }
  return commands;
}

/// Plays the scenario with `inject` before command number `cut`; the first complaint, or nothing.
template <class Inject>
std::string play(const std::vector<Command>& commands, std::size_t cut, Inject inject) {
  Stage stage;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i == cut) inject(stage);
    stage.perform(commands[i]);
    if (!stage.complaint().empty()) break;
  }
  return stage.complaint();
}

}  // namespace

TEST_CASE("the broker does what the scenarios say") {
  const bool rewriting = std::getenv("FRAMEFLEET_REWRITE_SCENARIOS") != nullptr;
  REQUIRE(all_scenarios().size() >= 20);
  for (const auto& path : all_scenarios()) {
    INFO(path.string());
    auto blocks = load(path);
    REQUIRE_FALSE(blocks.empty());
    Stage stage;
    for (auto& block : blocks) {
      std::string happened;
      for (const auto& command : block.commands) happened += stage.perform(command);
      INFO(block.head.back());
      CHECK(stage.complaint() == "");
      if (rewriting) {
        block.expected = happened;
      } else {
        CHECK(happened == block.expected);
      }
    }
    if (rewriting) rewrite(path, blocks);
  }
}

TEST_CASE("no disconnect, copy of a message or late timer breaks an invariant") {
  for (const auto& path : all_scenarios()) {
    const auto commands = all_commands(load(path));
    std::set<std::string> peers;
    for (const auto& command : commands) {
      if (command.name == "hello") peers.insert(command.word(1));
    }
    for (std::size_t cut = 1; cut < commands.size(); ++cut) {
      INFO(path.string() << ", before command " << cut + 1 << ": " << commands[cut].name);
      for (const auto& peer : peers) {
        INFO("disconnect of " << peer);
        CHECK(play(commands, cut, [&](Stage& stage) { stage.disconnect(peer); }) == "");
      }
      if (commands[cut - 1].name != "options") {
        INFO("copy of the message before");
        CHECK(play(commands, cut, [&](Stage& stage) { stage.perform(commands[cut - 1]); }) == "");
      }
      for (const auto late : {Duration{300ms}, Duration{3s}, Duration{10s}}) {
        INFO("a timer " << seconds(late) << " s late");
        CHECK(play(commands, cut, [&](Stage& stage) { stage.wait(late); }) == "");
      }
    }
  }
}
