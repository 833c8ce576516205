#include "worker/self_tester.hpp"

#include <memory>
#include <span>
#include <utility>

namespace framefleet::worker {
namespace {

std::vector<std::string> names_of(const std::vector<SelfTest>& tests) {
  std::vector<std::string> names;
  for (const auto& test : tests) names.push_back(test.name());
  return names;
}

}  // namespace

SelfTester::SelfTester(const std::vector<std::string>& detectors, FormatSet formats,
                       Duration interval, telemetry::Logger& log)
    : tests_(self_tests_of(detectors, formats)),
      runs_(tests_.size()),
      plan_(names_of(tests_), interval),
      log_(log) {}

WorkOrder SelfTester::begin(std::uint64_t ticket, Time now) {
  const std::size_t number = plan_.begin(now);
  running_.emplace(ticket, number);
  const auto frames = std::make_shared<std::vector<std::string>>(tests_[number].frames());
  WorkOrder order;
  order.ticket = ticket;
  order.task = tests_[number].task();
  for (const auto& frame : *frames) order.frames.push_back(std::as_bytes(std::span(frame)));
  order.keep_alive = frames;
  return order;
}

void SelfTester::judge(const WorkDone& done, Time now) {
  const std::size_t number = running_.at(done.ticket);
  running_.erase(done.ticket);
  if (done.abandoned) return;
  ++runs_[number];
  const auto& test = tests_[number];
  if (!done.result && done.result.error().reason == Reason::child_crashed) {
    log_.warn(
        "self_test_unanswered",
        {{"test", test.name()}, {"detector", test.detector}, {"text", done.result.error().text}});
    plan_.unanswered(number, done.result.error().text, now);
    return;
  }
  const auto found = done.result ? test.fault_of(*done.result) : done.result.error().text;
  if (found.empty()) {
    if (plan_.is_failing(number)) log_.info("self_test_passed", {{"test", test.name()}});
    plan_.passed(number, now);
    return;
  }
  log_.error("self_test_failed", {{"test", test.name()},
                                  {"detector", test.detector},
                                  {"expected", test.expected},
                                  {"found", found}});
  plan_.failed(number, "expected " + std::string(test.expected) + ", found: " + found, now);
}

std::vector<std::uint64_t> SelfTester::tickets() const {
  std::vector<std::uint64_t> tickets;
  for (const auto& [ticket, number] : running_) tickets.push_back(ticket);
  return tickets;
}

std::vector<SelfTestState> SelfTester::states() const {
  std::vector<SelfTestState> states;
  for (std::size_t i = 0; i < tests_.size(); ++i) {
    states.push_back({std::string(tests_[i].detector), std::string(word_of(tests_[i].format)),
                      plan_.is_failing(i), runs_[i]});
  }
  return states;
}

}  // namespace framefleet::worker
