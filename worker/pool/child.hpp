#pragma once
// A child process: works on one order after the other in a sandbox, tells its worker of every stage
// and of the end, and knows nothing of brokers, keys or leases.

#include "worker/detectors/workbench.hpp"

#include "shared/base/file_descriptor.hpp"

#include <cstdint>

namespace framefleet::worker {

/// What a child is born with.
struct Birthright {
  FileDescriptor link;     ///< Packets from and to the worker.
  FileDescriptor answers;  ///< Its answer sheet.
  std::uint64_t memory_max{0};
  Workbench* bench{nullptr};  ///< Warm: what opens files has been used.
};

/// Until the worker hangs up: the child's exit code.
int work_orders(Birthright& birthright);

/// The program of a child; tests have odd ones.
using ChildProgram = int (*)(Birthright&);

}  // namespace framefleet::worker
