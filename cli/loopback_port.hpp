#pragma once
// A free loopback port for a run.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstdint>
#include <utility>

namespace framefleet::cli {

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
