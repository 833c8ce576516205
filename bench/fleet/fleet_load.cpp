#include "bench/fleet/fleet_load.hpp"

#include "producer/core/submission.hpp"

#include "shared/base/joining.hpp"
#include "shared/security/digest.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/transport/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/figures/open_loop.hpp"
#include "bench/figures/task_book.hpp"
#include "bench/fleet/alarm.hpp"
#include "bench/fleet/fleet_tasks.hpp"

namespace framefleet::bench {
namespace {

using telemetry::monotonic_now;
using namespace std::chrono_literals;

constexpr int kBatchMax = 256;

class FleetLoad {
 public:
  FleetLoad(const Order& order, std::unique_ptr<transport::Channel> channel)
      : order_(order),
        channel_(std::move(channel)),
        tasks_(order.bytes),
        book_(order.tasks),
        sent_at_(order.per_second > 0 ? 0 : order.tasks),
        submission_(hello(order), outlines(order), options(order), monotonic_now()) {}

  /// The broker has said welcome.
  void connect() {
    while (!submission_.link().up()) turn(50ms);
  }

  void work(Cue& cue) {
    begin_ = monotonic_now();
    loop_ = OpenLoop(begin_, order_.per_second);
    may_list_ = true;
    std::uint64_t turns = 0;
    while (!done()) {
      grow(monotonic_now());
      turn(50ms);
      if (submission_.over() || (++turns % kBatchMax == 0 && cue.told_to_end({}))) break;
    }
    end_ = monotonic_now();
  }

  Report report() const {
    return {.tasks = book_.distinct(),
            .begin_ns = begin_.time_since_epoch().count(),
            .end_ns = end_.time_since_epoch().count(),
            .fault = fault(),
            .latency_us = tail_of(us_)};
  }

  /// Until the broker has answered our goodbye.
  void leave() {
    for (std::size_t i = 0; i < order_.sources; ++i) {
      submission_.more(i, false, monotonic_now(), effects_);
    }
    const Time until = monotonic_now() + 2s;
    while (!submission_.over() && monotonic_now() < until) turn(50ms);
    perform();
  }

 private:
  static std::string source_name(const Order& order, std::size_t index) {
    return fmt::format("bench-{}-{}", order.run, index);
  }
  static Hello hello(const Order& order) {
    auto hello = hello_as(Role::producer, "bench", "bench");
    for (std::size_t i = 0; i < order.sources; ++i) {
      hello.sources.push_back(
          {.name = source_name(order, i), .epoch = 1, .expected = sequences_of(order, i)});
    }
    return hello;
  }
  static std::vector<producer::SourceOutline> outlines(const Order& order) {
    std::vector<producer::SourceOutline> all;
    for (std::size_t i = 0; i < order.sources; ++i) {
      const auto name = source_name(order, i);
      // What has no end yet: the connection has to be there before there is anything to send.
      all.push_back({name, security::source_hash(name), 1, {}, TaskClass::batch, true});
    }
    return all;
  }
  static producer::SubmissionOptions options(const Order& order) {
    producer::SubmissionOptions options;
    options.window_tasks = kWindowTasks;
    options.confirm = order.settled ? producer::Confirm::stored : producer::Confirm::admitted;
    return options;
  }
  /// The task with number n is of source n % sources.
  static std::uint64_t sequences_of(const Order& order, std::size_t source) {
    return (order.tasks + order.sources - 1 - source) / order.sources;
  }

  /// Tells the core that there is more to read: everything at once, or what has become due.
  void grow(Time now) {
    const auto due = order_.per_second > 0 ? std::min(loop_.due(now), order_.tasks) : order_.tasks;
    if (due > due_) {
      due_ = due;
      for (std::size_t i = 0; i < order_.sources; ++i) submission_.more(i, true, now, effects_);
    }
    if (due_ < order_.tasks) alarm_.set(loop_.intended(due_));
  }

  void turn(Duration patience) {
    submission_.tick(monotonic_now(), effects_);
    perform();
    const auto due = submission_.next_deadline() - monotonic_now();
    const std::array fds{alarm_.fd()};
    const bool more = !effects_.empty();
    channel_->wait(fds, more ? Duration::zero() : std::clamp(due, Duration::zero(), patience));
    for (int i = 0; i < kBatchMax; ++i) {
      auto incoming = channel_->receive();
      if (!incoming) break;
      if (!incoming->message) throw std::runtime_error("the broker says: " + incoming->fault);
      submission_.receive(std::move(*incoming->message), monotonic_now(), effects_);
    }
  }

  void perform() {
    for (int i = 0; i < kBatchMax && !effects_.empty(); ++i) {
      auto effects = std::exchange(effects_, {});
      if (order_.joined) join_sends(effects);
      for (auto& effect : effects) {
        if (transport::perform_common(*channel_, effect)) continue;
        if (const auto* wanted = std::get_if<producer::ListSequences>(&effect)) {
          list(*wanted);
        } else if (const auto* picture = std::get_if<producer::ReadPicture>(&effect)) {
          read(picture->ref);
        } else if (const auto* ended = std::get_if<producer::TaskEnded>(&effect)) {
          note(*ended);
        }
      }
    }
  }

  void list(const producer::ListSequences& wanted) {
    std::vector<std::uint64_t> sequences;
    const auto due = may_list_ ? due_ : 0;
    for (auto next = wanted.from; sequences.size() < wanted.count; ++next) {
      if (next * order_.sources + wanted.source >= due) break;
      sequences.push_back(next);
    }
    submission_.listed(wanted.source, sequences, monotonic_now(), effects_);
  }

  void read(producer::PictureRef ref) {
    auto task = tasks_.make(source_name(order_, ref.source), 1, ref.sequence, channel_->payloads());
    const Time now = monotonic_now();
    const auto number = ref.sequence * order_.sources + ref.source;
    if (order_.per_second > 0) {
      task.task = FleetTasks::description(loop_.intended(number));
    } else {
      sent_at_.at(number) = now;
    }
    submission_.picture(ref, std::move(task), now, effects_);
  }

  void note(const producer::TaskEnded& ended) {
    const auto number = ended.ref.sequence * order_.sources + ended.ref.source;
    if (ended.rejected || ended.settled.status != Status::ok) ++not_ok_;
    if (!book_.note(number)) return;
    const Time intended = order_.per_second > 0 ? loop_.intended(number) : sent_at_.at(number);
    us_.push_back(1e6 * seconds(monotonic_now() - intended));
  }

  bool done() const {
    return order_.settled ? book_.complete() : submission_.stats().admitted == order_.tasks;
  }

  std::string fault() const {
    if (!order_.settled && done()) return {};
    if (auto fault = book_.fault(); !fault.empty()) return fault;
    const auto stats = submission_.stats();
    const auto ok = stats.settled[static_cast<std::size_t>(Status::ok)];
    if (not_ok_ == 0 && stats.submitted == order_.tasks && stats.admitted == order_.tasks &&
        ok == order_.tasks) {
      return {};
    }
    return fmt::format("of {} tasks {} were submitted, {} admitted, {} ended ok and {} otherwise",
                       order_.tasks, stats.submitted, stats.admitted, ok, not_ok_);
  }

  Order order_;
  std::unique_ptr<transport::Channel> channel_;
  FleetTasks tasks_;
  TaskBook book_;
  std::vector<Time> sent_at_;  ///< Where no moment was intended for each.
  producer::Submission submission_;
  producer::Effects effects_;
  Alarm alarm_;
  OpenLoop loop_{Time{}, 0};
  Time begin_{};
  Time end_{};
  std::uint64_t due_{0};
  bool may_list_{false};
  std::uint64_t not_ok_{0};
  std::vector<double> us_;
};

}  // namespace

void run_fleet_load(const Order& order, Cue& cue) {
  auto channel = transport::Channel::open({.connect = order.endpoint});
  if (!channel) throw std::runtime_error(channel.error().text);
  FleetLoad load(order, std::move(*channel));
  load.connect();
  if (!cue.ready_and_go()) return;
  load.work(cue);
  cue.done();
  while (!cue.told_to_end(1s)) {
  }
  load.leave();
  cue.report(load.report());
}

}  // namespace framefleet::bench
