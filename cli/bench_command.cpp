#include "cli/bench_command.hpp"

#include "cli/fleet_commands.hpp"

#include "shared/base/result.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace framefleet::cli {

int bench_command(const std::vector<std::string>& words) {
  const auto program = (own_folder() / "framefleet-bench").string();
  std::vector<std::string> arguments{program};
  if (words.size() > 2) arguments.insert(arguments.end(), words.begin() + 2, words.end());
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  const int error = errno;
  fmt::print(stderr,
             "framefleet bench: cannot run {}: {}. It is built, with all that it measures, by\n"
             "  cmake --preset bench && cmake --build --preset bench\n"
             "and started as build/bench/bin/framefleet bench\n",
             program, std::strerror(error));
  return exit_code::kUnavailable;
}

}  // namespace framefleet::cli
