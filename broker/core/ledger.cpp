#include "broker/core/ledger.hpp"

#include <numeric>

namespace framefleet::broker {

std::uint64_t Account::settled_in_all() const {
  return std::accumulate(settled.begin(), settled.end(), std::uint64_t{0});
}

template <class Count>
void Ledger::book(const std::string& source, Count count) {
  count(total_);
  count(by_source_[source]);
}

void Ledger::admitted(const std::string& source) {
  book(source, [](Account& account) {
    ++account.submitted;
    ++account.admitted;
  });
}

void Ledger::rejected(const std::string& source) {
  book(source, [](Account& account) {
    ++account.submitted;
    ++account.rejected;
  });
}

void Ledger::settled(const std::string& source, Status status) {
  book(source,
       [status](Account& account) { ++account.settled.at(static_cast<std::size_t>(status)); });
}

void Ledger::fold(const std::string& source) {
  const auto position = by_source_.find(source);
  if (position == by_source_.end()) return;
  const Account account = position->second;
  by_source_.erase(position);
  auto& other = by_source_["other"];
  other.submitted += account.submitted;
  other.rejected += account.rejected;
  other.admitted += account.admitted;
  for (std::size_t i = 0; i < kStatusCount; ++i) other.settled.at(i) += account.settled.at(i);
}

}  // namespace framefleet::broker
