#pragma once
// The books of a fleet: what its producer was told, what the broker counts and what the store has
// agree to the unit, for every source and status. Every test of a fleet ends with one of these.
// Threads: the test's. Errors: failed checks, which name the two sides.

#include "tests/integration/fleet.hpp"

#include <filesystem>

namespace framefleet::test {

/// The broker's own account: submitted = rejected + settled + in progress. Waits for a moment in
/// which /metrics, which are published now and then, have it so.
void check_balance(Member& broker);

enum class BrokerSaw { all, the_rest };

/// check_balance, and the same ends in the store: all of them, or no fewer than the broker saw if
/// an earlier one had a part in it.
void check_books(Member& broker, const std::filesystem::path& store,
                 BrokerSaw saw = BrokerSaw::all);
/// And what a producer, which has ended, was told: the store has nothing of anybody else.
void check_books(Member& broker, const Member& producer, const std::filesystem::path& store,
                 BrokerSaw saw = BrokerSaw::all);

}  // namespace framefleet::test
