#pragma once
// Internal: what processes spend between two moments, by what they are.

#include <cstdint>
#include <string>
#include <vector>

#include "bench/fleet/contestant.hpp"
#include "bench/fleet/spending.hpp"

namespace framefleet::bench {

class Meter {
 public:
  void add(std::string process, pid_t pid) { watched_.push_back({std::move(process), pid, {}}); }
  void begin();
  /// Since begin(), of each of so many tasks; processes of one name together, in the order added.
  std::vector<ProcessFigures> end(std::uint64_t tasks) const;

 private:
  struct Watched {
    std::string process;
    pid_t pid;
    Spending before;
  };
  std::vector<Watched> watched_;
};

}  // namespace framefleet::bench
