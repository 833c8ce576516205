#pragma once
// What a broker can be told.

#include <chrono>

#include "broker/core/options.hpp"
#include "shared/config/option_set.hpp"
#include "shared/transport/hub.hpp"

namespace framefleet::broker {

struct BrokerOptions {
  CoreOptions core;
  transport::HubOptions hub{.bind = {"tcp://127.0.0.1:5555"}};
  /// How long a drain may take before what is left is given up.
  Duration drain_timeout{std::chrono::seconds{30}};
};

/// Binds the section [broker].
void describe(config::OptionSet& set, BrokerOptions& options);

}  // namespace framefleet::broker
