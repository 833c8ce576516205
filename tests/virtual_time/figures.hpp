#pragma once
// What is reckoned from the facts of a lab, and the line that each test prints.

#include "tests/virtual_time/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace framefleet::virtual_time {

/// The smallest value that at least this share of them does not exceed (nearest rank).
inline Duration quantile(std::vector<Duration> values, double share) {
  if (values.empty()) return Duration::zero();
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}
inline Duration p95(std::vector<Duration> values) { return quantile(std::move(values), 0.95); }
inline Duration longest(const std::vector<Duration>& values) {
  return values.empty() ? Duration::zero() : *std::max_element(values.begin(), values.end());
}

/// Jain's index: 1 when all are equal, 1/n when one has all.
inline double jain(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 0;
}

/// From the picture's taking to the start of work, of all that were worked on.
inline std::vector<Duration> ages_at_start(const Lab& lab, std::size_t source) {
  std::vector<Duration> ages;
  for (const auto& task : lab.tasks(source)) {
    if (task.starts > 0) ages.push_back(task.age_at_start());
  }
  return ages;
}

inline double ms(Duration duration) { return 1e3 * seconds(duration); }

/// One line per test, for people: what was measured.
template <class... Values>
void print(fmt::format_string<Values...> text, Values&&... values) {
  fmt::print("    {}\n", fmt::format(text, std::forward<Values>(values)...));
  std::fflush(stdout);
}

}  // namespace framefleet::virtual_time
