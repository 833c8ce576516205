#pragma once
// An order on its way through a child process: what is sent to the child, and how far it has come.

#include "worker/pool/pool.hpp"

#include "shared/base/file_descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace framefleet::worker {

struct OpenOrder {
  using Clock = std::chrono::steady_clock;

  std::uint64_t ticket{0};
  TaskId id;
  std::string packet;     ///< The order as a child reads it.
  FileDescriptor parcel;  ///< Its frames; closed once a child has them.
  bool abandoned{false};
  Clock::time_point begun;  ///< Handed to a child; until then: to the pool.
  Stage stage{Stage::decode};
  std::string detector;
  Clock::time_point since;     ///< In this stage.
  std::size_t stages_left{0};  ///< A child that enters more is lying.
  Duration cpu_budget{};
};

/// Copies the frames. Errors: what the order ends with.
Result<OpenOrder, WorkError> open_order(const WorkOrder& order, const PoolOptions& options);

Duration budget_of(const OpenOrder& order, const PoolOptions& options);

}  // namespace framefleet::worker
