#pragma once
// A broker's core on a stage: performs the commands of a scenario one by one and writes down what
// it does, in a stable text form (README.md in this folder). Checks after every command that the
// tables agree and that every payload is released exactly once. Owns its time; no socket, no clock.

#include "broker/core/dispatcher.hpp"
#include "tests/support/journal_disk.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::scenarios {

/// `t=5s name word word key=value`: time, what happens, to whom, with what.
struct Command {
  std::string name;
  std::vector<std::string> words;
  std::map<std::string, std::string> values;
  Duration at{-1};  ///< Less than 0: at the time of the command before.

  const std::string& word(std::size_t index) const;
  std::string value(const std::string& key, const std::string& otherwise) const;
  std::uint64_t number(const std::string& key, std::uint64_t otherwise) const;
};
/// Throws std::runtime_error for what is not a command: a scenario is written by us.
Command parse_command(const std::string& line);
Duration parse_duration(const std::string& text);

class Stage {
 public:
  Stage() : broker_(broker::CoreOptions{}) {}

  /// What the broker did, one line each, and which numbers changed.
  std::string perform(const Command& command);
  /// The connection of every peer that the scenario names is lost / nothing for a while, then a
  /// tick.
  std::string disconnect(const std::string& peer);
  std::string wait(Duration time);

  /// What must never be; empty when all is well.
  const std::string& complaint() const { return complaint_; }

 private:
  using Numbers = std::vector<std::pair<std::string, std::uint64_t>>;

  void act(const Command& command);
  void set_options(const Command& command);
  void set_identities(const Command& command);
  void restart(const Command& command);
  void receive(const Command& command, Message message);
  std::string describe_all(const Numbers& before);
  void keep_books(const broker::Effect& effect);
  void check();
  Numbers numbers() const;

  // Words to values.
  PeerId peer(const std::string& name);
  TaskId task(const std::string& text);
  LeaseId lease(const std::string& text) const;
  std::vector<TaskId> tasks(const std::vector<std::string>& words, std::size_t from);
  Payload payload(const std::string& what, const std::string& of, std::uint64_t bytes);
  std::uint64_t hash_of(const std::string& source);
  Hello hello(const Command& command);
  SourceClaim claim(const std::string& text);
  Submit submit(const Command& command);
  Release release(const Command& command);
  Stored stored(const Command& command);
  Known known(const Command& command);
  Control control(const Command& command);
  Report report(const Command& command);

  // Values to words.
  std::string show(const std::string& what) const;
  std::string text(const broker::Effect& effect) const;
  std::string text(const Message& message) const;
  std::string text(const TaskId& id) const;
  std::string text(const std::vector<TaskId>& ids) const;
  std::string text(const JournaledTask& task) const;
  std::string text(const LeaseId& id) const;
  std::string text(const SettledTask& settled) const;
  std::string text(const Outcome& outcome) const;
  std::string text(const AssignedTask& task) const;
  std::string text(const std::vector<LeasedTask>& tasks) const;
  std::string text(PeerId id) const;

  struct Shelved {
    std::string what;
    std::uint64_t bytes{0};
  };

  broker::CoreOptions options_;
  std::map<std::string, broker::QuotaLimits> identities_;
  broker::Dispatcher broker_;
  test::JournalDisk<Shelved> disk_;
  broker::Effects effects_;
  Time now_{};
  Duration late_{};  // what wait() added to the times of the scenario
  std::map<std::string, PeerId> peers_;
  std::map<std::string, std::uint64_t>
      sources_;  // name → hash: 1, 2, … in the order of the scenario
  std::map<PayloadId, Shelved> payloads_;
  std::map<PayloadId, std::string> payload_names_;  // of all there ever were
  std::uint64_t digest_bytes_{0};                   // of all digests there ever were
  std::string complaint_;
};

}  // namespace framefleet::scenarios
