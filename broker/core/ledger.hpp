#pragma once
// The books: for every source what was submitted and what became of it. Only ever counts
// up; what is in progress is counted from the tables and must make the equation true:
//   submitted = rejected + admitted,   admitted = ok + failed + … + lost + in progress.

#include "shared/base/task.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace framefleet::broker {

struct Account {
  std::uint64_t submitted{0};
  std::uint64_t rejected{0};
  std::uint64_t admitted{0};
  std::array<std::uint64_t, kStatusCount> settled{};

  std::uint64_t settled_in_all() const;
  friend bool operator==(const Account&, const Account&) = default;
};

class Ledger {
 public:
  void admitted(const std::string& source);
  void rejected(const std::string& source);
  void settled(const std::string& source, Status status);
  /// Adds the account of a source that is gone to the one called "other".
  void fold(const std::string& source);

  const Account& total() const { return total_; }
  const std::map<std::string, Account>& by_source() const { return by_source_; }

 private:
  template <class Count>
  void book(const std::string& source, Count count);

  Account total_;
  std::map<std::string, Account> by_source_;
};

}  // namespace framefleet::broker
