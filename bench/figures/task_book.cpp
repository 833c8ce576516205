#include "bench/figures/task_book.hpp"

#include <fmt/format.h>

namespace framefleet::bench {

bool TaskBook::note(std::uint64_t number) {
  if (number >= seen_.size()) {
    ++strange_;
    return false;
  }
  if (seen_[number]) {
    ++repeated_;
    return false;
  }
  seen_[number] = true;
  ++distinct_;
  return true;
}

std::string TaskBook::fault() const {
  if (complete() && repeated_ == 0 && strange_ == 0) return {};
  return fmt::format("{} of {} tasks came out, {} of them again, and {} that nobody sent",
                     distinct_, seen_.size(), repeated_, strange_);
}

}  // namespace framefleet::bench
