#include "broker/core/ledger.hpp"

#include <numeric>

namespace framefleet::broker {

std::uint64_t Account::settled_in_all() const {
  return std::accumulate(settled.begin(), settled.end(), std::uint64_t{0});
}

template <class Count>
void Ledger::book(const std::string& source, const std::string& job, Count count) {
  count(total_);
  count(by_source_[source]);
  count(by_job_[job]);
}

void Ledger::admitted(const std::string& source, const std::string& job) {
  book(source, job, [](Account& account) {
    ++account.submitted;
    ++account.admitted;
  });
}

void Ledger::rejected(const std::string& source, const std::string& job) {
  book(source, job, [](Account& account) {
    ++account.submitted;
    ++account.rejected;
  });
}

void Ledger::settled(const std::string& source, const std::string& job, Status status) {
  book(source, job,
       [status](Account& account) { ++account.settled.at(static_cast<std::size_t>(status)); });
}

}  // namespace framefleet::broker
