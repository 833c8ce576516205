#pragma once
// Work on bytes that nobody vouches for, done in a child process: whatever becomes of the child,
// the parent gets a report or is told what happened. Threads: the child has the calling thread
// alone, and what others held locked at that moment stays locked there. The work must take no lock
// that another thread may hold; malloc is safe, glibc's fork sees to that.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace framefleet::broker {

/// Tells the parent something; an empty text is a sign of life and no more.
using Report = std::function<void(std::string_view text)>;

/// Forks, runs `work` in the child and answers all that it reported. Error: the child died, or gave
/// no sign for `silence_max`; it is gone when this returns.
Result<std::string, std::string> report_of_child(const std::function<void(const Report&)>& work,
                                                 Duration silence_max);

}  // namespace framefleet::broker
