#pragma once
// What a broker can be told.

#include "broker/core/options.hpp"
#include "broker/journals/lmdb_journal.hpp"

#include "shared/config/option_set.hpp"
#include "shared/transport/hub.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace framefleet::broker {

struct BrokerOptions {
  CoreOptions core;
  transport::HubOptions hub{.bind = {"tcp://127.0.0.1:5555"}};
  /// Folder of the broker's key and of the allow-list; "": tcp has no keys.
  std::filesystem::path keys;
  /// No folder: no journal. 0 bytes: twice backlog_bytes_max.
  JournalOptions journal;
  /// Where it is written down what operators do; "": nowhere.
  std::filesystem::path audit;
  /// Of memory of its own, at most: what libzmq takes for messages that peers never finish no other
  /// option bounds. Past it the broker dies as by kill -9. 0: the machine's limit alone.
  std::uint64_t memory_max{0};
  /// How long a drain may take before what is left is given up.
  Duration drain_timeout{std::chrono::seconds{30}};
};

/// The wall clock numbers the lives of a broker: tenths of a second since 2020, which grow from one
/// start to the next and last until 2033. With a journal, which counts them, it is the least.
std::uint32_t incarnation_at(std::int64_t wall_clock_ms);

/// The largest frame that a broker with these options must read: the payload of a task in one
/// piece.
std::uint64_t frame_bytes_max(const CoreOptions& core);

/// Binds the section [broker].
void describe(config::OptionSet& set, BrokerOptions& options);

}  // namespace framefleet::broker
