#include "bench/fleet/crowd/producer_crowd.hpp"

#include "producer/core/submission.hpp"

#include "shared/security/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "bench/figures/task_book.hpp"
#include "bench/fleet/crowd/crowd.hpp"
#include "bench/fleet/fleet_tasks.hpp"

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;
using producer::Submission;

class ProducerCrowd {
 public:
  explicit ProducerCrowd(const Order& order)
      : order_(order),
        tasks_(order.bytes),
        book_(order.tasks),
        sent_at_(order.tasks),
        crowd_(order.endpoint, cores(order),
               [this](std::size_t i, producer::Effect& effect, producer::Effects& out) {
                 act(i, effect, out);
               }) {}

  void connect() { crowd_.connect(); }

  void work(Cue& cue) {
    begin_ = telemetry::monotonic_now();
    may_list_ = true;
    crowd_.with_each(
        [](Submission& core, Time now, producer::Effects& out) { core.more(0, true, now, out); });
    while (!book_.complete() && !cue.told_to_end({})) crowd_.turn(1s);
    end_ = telemetry::monotonic_now();
    cue.done();
    while (!cue.told_to_end({})) crowd_.turn(1s);
    crowd_.with_each(
        [](Submission& core, Time now, producer::Effects& out) { core.more(0, false, now, out); });
    crowd_.until_left(5s);
  }

  Report report() const {
    return {.tasks = book_.distinct(),
            .begin_ns = begin_.time_since_epoch().count(),
            .end_ns = end_.time_since_epoch().count(),
            .fault = fault(),
            .latency_us = tail_of(us_)};
  }

 private:
  static std::string source_name(std::size_t index) { return fmt::format("bench-{}", index); }
  /// A source stays what it was from run to run, and its pictures are new ones.
  static std::uint32_t epoch_of(const Order& order) {
    return static_cast<std::uint32_t>(order.run);
  }
  static std::uint64_t sequences_of(const Order& order, std::size_t i) {
    return (order.tasks + order.connections - 1 - i) / order.connections;
  }

  static std::deque<Submission> cores(const Order& order) {
    producer::SubmissionOptions options;
    options.window_tasks = std::max<std::uint64_t>(1, kWindowTasks / order.connections);
    std::deque<Submission> all;
    for (std::size_t i = 0; i < order.connections; ++i) {
      const auto name = source_name(i);
      auto hello = hello_as(Role::producer, fmt::format("crowd-{}", i), "bench");
      hello.sources.push_back(
          {.name = name, .epoch = epoch_of(order), .expected = sequences_of(order, i)});
      // What has no end yet: the connection has to be there before there is anything to send.
      const producer::SourceOutline outline{
          name, security::source_hash(name), epoch_of(order), {}, TaskClass::batch, true};
      all.emplace_back(hello, std::vector{outline}, options, telemetry::monotonic_now());
    }
    return all;
  }

  void act(std::size_t i, producer::Effect& effect, producer::Effects& out) {
    const Time now = telemetry::monotonic_now();
    if (const auto* wanted = std::get_if<producer::ListSequences>(&effect)) {
      std::vector<std::uint64_t> sequences;
      const auto end = may_list_ ? sequences_of(order_, i) : 0;
      for (auto next = wanted->from; next < end && sequences.size() < wanted->count; ++next) {
        sequences.push_back(next);
      }
      crowd_.cores()[i].listed(wanted->source, sequences, now, out);
    } else if (const auto* picture = std::get_if<producer::ReadPicture>(&effect)) {
      auto task =
          tasks_.make(source_name(i), epoch_of(order_), picture->ref.sequence, crowd_.payloads());
      sent_at_.at(number_of(picture->ref, i)) = now;
      crowd_.cores()[i].picture(picture->ref, std::move(task), now, out);
    } else if (const auto* ended = std::get_if<producer::TaskEnded>(&effect)) {
      if (ended->rejected || ended->settled.status != Status::ok) ++not_ok_;
      const auto number = number_of(ended->ref, i);
      if (book_.note(number)) us_.push_back(1e6 * seconds(now - sent_at_.at(number)));
    }
  }

  std::uint64_t number_of(producer::PictureRef ref, std::size_t i) const {
    return ref.sequence * order_.connections + i;
  }

  std::string fault() const {
    if (auto fault = book_.fault(); !fault.empty()) return fault;
    if (not_ok_ == 0) return {};
    return fmt::format("{} tasks did not end ok", not_ok_);
  }

  Order order_;
  FleetTasks tasks_;
  TaskBook book_;
  std::vector<Time> sent_at_;
  std::vector<double> us_;
  Crowd<Submission, producer::Effects> crowd_;
  Time begin_{};
  Time end_{};
  bool may_list_{false};
  std::uint64_t not_ok_{0};
};

}  // namespace

void run_producer_crowd(const Order& order, Cue& cue) {
  ProducerCrowd crowd(order);
  crowd.connect();
  if (!cue.ready_and_go()) return;
  crowd.work(cue);
  cue.report(crowd.report());
}

}  // namespace framefleet::bench
