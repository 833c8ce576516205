#pragma once
// What a sink can be told.

#include "sink/core/intake.hpp"

#include "shared/config/option_set.hpp"
#include "shared/security/keys.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace framefleet::sink {

struct SinkOptions {
  std::string connect{"tcp://127.0.0.1:5555"};
  security::KeyFiles keys{};
  std::string name{"sink"};
  /// Results go here: results.sqlite, results.ndjson, pictures.
  std::filesystem::path store{"results"};
  bool ndjson{true};
  /// Outcomes older than this lose all but their id; 0: kept for ever.
  Duration keep{};
  /// Total size of database and pictures from which the oldest lose all but their ids; 0: no cap.
  config::Bytes keep_bytes{};
  /// Of the pictures of all dead letters; over it the oldest ones go, their rows stay.
  config::Bytes dead_letters_bytes_max{config::gib(1)};
  /// Be taken by a broker that knows another store than this one.
  bool accept_new_store{false};
  IntakeOptions intake;
  /// How long a drain may take before the sink leaves without it (nothing committed is lost).
  Duration drain_timeout{std::chrono::seconds{30}};
};

/// Binds the section [sink].
void describe(config::OptionSet& set, SinkOptions& options);

}  // namespace framefleet::sink
