#pragma once
// The terms of the ledger, for a source, a job or the whole fleet:
//   submitted = rejected + admitted
//   admitted  = ok + failed + expired + superseded + cancelled + lost + in progress
// An account only counts up; what is in progress is counted where the tasks are, never as the rest.

#include "shared/base/task.hpp"

#include <array>
#include <cstdint>
#include <numeric>

namespace framefleet {

struct Account {
  std::uint64_t submitted{0};
  std::uint64_t rejected{0};
  std::uint64_t admitted{0};
  std::array<std::uint64_t, kStatusCount> settled{};

  std::uint64_t settled_in_all() const {
    return std::accumulate(settled.begin(), settled.end(), std::uint64_t{0});
  }
  std::uint64_t settled_as(Status status) const {
    return settled.at(static_cast<std::size_t>(status));
  }
  void add(const Account& other) {
    submitted += other.submitted;
    rejected += other.rejected;
    admitted += other.admitted;
    for (std::size_t i = 0; i < kStatusCount; ++i) settled.at(i) += other.settled.at(i);
  }
  void subtract(const Account& other) {
    submitted -= other.submitted;
    rejected -= other.rejected;
    admitted -= other.admitted;
    for (std::size_t i = 0; i < kStatusCount; ++i) settled.at(i) -= other.settled.at(i);
  }
  friend bool operator==(const Account&, const Account&) = default;
};

}  // namespace framefleet
