#pragma once
// The tasks that framefleet's own runs submit: payloads made in memory instead of pictures read
// from a disk, for a detector that has nothing decoded. Threads: one.

#include "shared/base/messages.hpp"
#include "shared/base/time.hpp"
#include "shared/transport/payload_store.hpp"

#include <cstdint>
#include <string>

namespace framefleet::bench {

/// Read and not yet stored, by all producers together: more than the broker grants to one, so that
/// it is the broker who decides.
inline constexpr std::uint64_t kWindowTasks = 4096;

class FleetTasks {
 public:
  /// Of payloads of so many bytes, all the same. Requires: at least 64.
  explicit FleetTasks(std::uint64_t bytes);
  SubmittedTask make(const std::string& source, std::uint32_t epoch, std::uint64_t sequence,
                     transport::PayloadStore& payloads) const;

  /// Of a task that was to be sent at this moment.
  static std::string description(Time intended);
  /// Of the task with that description. Throws std::runtime_error where it says none.
  static Time intended(const std::string& description);

 private:
  std::string payload_;
  std::string description_;
};

}  // namespace framefleet::bench
