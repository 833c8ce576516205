#pragma once
// The verb `framefleet bench`: becomes framefleet-bench, a program of its own that only the builds
// which measure have.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Does not return where the program
/// is beside this one; else says how it is built and answers 69.
int bench_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
