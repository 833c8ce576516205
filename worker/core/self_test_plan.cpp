#include "worker/core/self_test_plan.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::worker {
namespace {

constexpr Duration kPauseMin = std::chrono::seconds{10};
/// Where tests that pass do not run again those that fail do: somebody may repair the machine.
constexpr Duration kPauseMaxOfNone = std::chrono::minutes{10};

Duration pause_after(std::uint32_t failures, Duration longest) {
  return std::min(longest, kPauseMin * (std::int64_t{1} << std::min(failures - 1, 16U)));
}

}  // namespace

SelfTestPlan::SelfTestPlan(std::vector<std::string> names, Duration interval)
    : interval_(interval) {
  for (auto& name : names) tests_.push_back({.name = std::move(name), .fault = {}});
}

bool SelfTestPlan::may_begin() const {
  return running_ == 0 ||
         std::any_of(tests_.begin(), tests_.end(), [](const Test& test) { return !test.answered; });
}

/// The one that has been due for longest.
std::optional<std::size_t> SelfTestPlan::next(Time now) const {
  if (!may_begin()) return std::nullopt;
  const auto first =
      std::min_element(tests_.begin(), tests_.end(),
                       [](const Test& a, const Test& b) { return a.due_at < b.due_at; });
  if (first == tests_.end() || first->due_at > now) return std::nullopt;
  return static_cast<std::size_t>(first - tests_.begin());
}

std::size_t SelfTestPlan::begin(Time now) {
  const auto test = next(now).value();
  tests_[test].due_at = kNever;
  ++running_;
  return test;
}

void SelfTestPlan::passed(std::size_t test, Time now) {
  auto& one = tests_[test];
  one = {.name = std::move(one.name),
         .due_at = interval_ > Duration::zero() ? now + interval_ : kNever,
         .answered = true,
         .fault = {}};
  --running_;
}

void SelfTestPlan::failed(std::size_t test, std::string fault, Time now) {
  auto& one = tests_[test];
  const Duration longest = interval_ > Duration::zero() ? interval_ : kPauseMaxOfNone;
  one.due_at = now + pause_after(++one.failures, longest);
  one.answered = true;
  one.fault = std::move(fault);
  one.was_unanswered = false;
  --running_;
}

void SelfTestPlan::unanswered(std::size_t test, const std::string& why, Time now) {
  auto& one = tests_[test];
  if (one.was_unanswered) {
    failed(test, "no answer, twice in a row: " + why, now);
  } else {
    one.due_at = now;
    --running_;
  }
  one.was_unanswered = true;
}

Time SelfTestPlan::next_deadline() const {
  Time next = kNever;
  if (!may_begin()) return next;
  for (const auto& test : tests_) next = std::min(next, test.due_at);
  return next;
}

std::string SelfTestPlan::not_ready() const {
  const auto failing =
      std::count_if(tests_.begin(), tests_.end(), [](const Test& t) { return !t.fault.empty(); });
  for (const auto& test : tests_) {
    if (test.fault.empty()) continue;
    auto text = "self-test of " + test.name + ": " + test.fault;
    if (failing > 1) text += " (and " + std::to_string(failing - 1) + " more failed)";
    return text;
  }
  const bool done =
      std::all_of(tests_.begin(), tests_.end(), [](const Test& test) { return test.answered; });
  return done ? "" : "the self-test is under way";
}

}  // namespace framefleet::worker
