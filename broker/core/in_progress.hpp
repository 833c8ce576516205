#pragma once
// The term of the ledger that is counted in the tables.

#include <cstdint>

namespace framefleet::broker {

/// Tasks in progress by state: counted in the tables, never the rest of something.
struct InProgress {
  std::uint64_t ready{0};
  std::uint64_t delayed{0};
  std::uint64_t leased{0};
  std::uint64_t storing{0};

  std::uint64_t backlog() const { return ready + delayed + leased; }
  std::uint64_t in_all() const { return backlog() + storing; }
  friend bool operator==(const InProgress&, const InProgress&) = default;
};

}  // namespace framefleet::broker
