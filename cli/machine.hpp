#pragma once
// What this machine gives a run: processors, and a free loopback port.

#include "cli/file_descriptor.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace framefleet::cli {

/// How many processors this process may use: its affinity, less what a cgroup v2 quota (cpu.max, of
/// its group and all above it) leaves of that, rounded up. At least 1.
std::uint32_t usable_cpus();

/// The processors that the text of a cpu.max allows ("150000 100000" is 1.5); nothing for "max" and
/// for anything that is no such text.
std::optional<double> parse_cpu_max(std::string_view text);

/// A port of 127.0.0.1 that stays ours: it is bound here and never listened on, so nobody is given
/// it, while a program that binds it with SO_REUSEADDR (libzmq does) can listen, and again after a
/// restart.
class LoopbackPort {
 public:
  /// Errors: 69 when there is none.
  static Result<LoopbackPort, Error> reserve();

  std::uint16_t number() const { return number_; }

 private:
  LoopbackPort(FileDescriptor socket, std::uint16_t number)
      : socket_(std::move(socket)), number_(number) {}

  FileDescriptor socket_;
  std::uint16_t number_;
};

}  // namespace framefleet::cli
