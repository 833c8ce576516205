#pragma once
// Every message and document of the wire in one form, so that a test of the codec is a loop over
// all.

#include "tests/unit/wire/tree.hpp"

#include <functional>
#include <string>
#include <vector>

namespace framefleet::test {

struct WireCase {
  std::string name;  ///< "submit", "task", "record": as errors and docs/PROTOCOL.md call it.
  std::string bytes;
  Tree tree;  ///< Of `bytes`.
  /// Decodes; "" if what is read equals the sample, "other" if it does not, else the error's text.
  std::function<std::string(const std::string& bytes)> read;
  /// Decodes, and encodes and decodes that again: true if it was refused, or read the same twice.
  std::function<bool(const std::string& bytes)> is_stable;
};

std::vector<WireCase> wire_cases();

/// Calls check(path, changed) for each key of `tree`, with a copy in which change(map, key) was
/// made.
void for_each_change(
    const Tree& tree, const std::function<void(Tree& map, std::size_t key)>& change,
    const std::function<void(const std::string& path, const Tree& changed)>& check);

/// "submit.tasks[3].id" → "submit.tasks[].id".
std::string without_indices(const std::string& text);

}  // namespace framefleet::test
