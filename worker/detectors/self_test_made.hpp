#pragma once
// The self-tests of the detectors that make pictures of one (worker/detectors/edit.hpp). Pure.

#include "worker/detectors/self_test.hpp"

#include <span>

namespace framefleet::worker {

/// In the order of the registry.
std::span<const SelfTest> self_tests_of_edits();

}  // namespace framefleet::worker
