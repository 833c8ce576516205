#pragma once
// The check that every process makes of its `*.example.toml`: it is what the options themselves
// say.

#include "tests/support/catch.hpp"

#include "shared/config/load.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace framefleet::test {

/// The file equals example_toml(set), so it lists every option at its default. With
/// FRAMEFLEET_REWRITE=1 in the environment it is written anew first.
inline void check_example(config::OptionSet& set, const std::filesystem::path& file) {
  const std::string wanted = config::example_toml(set);
  if (std::getenv("FRAMEFLEET_REWRITE") != nullptr) std::ofstream{file} << wanted;
  std::ostringstream found;
  found << std::ifstream{file}.rdbuf();
  INFO(file << " differs from the options; rewrite it with FRAMEFLEET_REWRITE=1");
  CHECK(found.str() == wanted);

  const auto before = config::effective_values(set);
  const auto names = config::parse_file_into(set, file);
  REQUIRE(names.has_value());
  CHECK(names->size() == set.options().size());
  const auto after = config::effective_values(set);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i].value == before[i].value);
}

}  // namespace framefleet::test
