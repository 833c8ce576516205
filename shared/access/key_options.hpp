#pragma once
// How peers are told their keys: the same two options in every program. Threads: one.

#include "shared/config/option_set.hpp"
#include "shared/security/keys.hpp"

namespace framefleet::access {

/// Binds `key` and `broker_key`.
void add_key_options(config::Section section, security::KeyFiles& keys);

}  // namespace framefleet::access
