#include "bench/fleet/parts.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/figures/open_loop.hpp"
#include "bench/figures/task_book.hpp"
#include "bench/fleet/alarm.hpp"
#include "bench/fleet/crowd/collector.hpp"
#include "bench/fleet/crowd/producer_crowd.hpp"
#include "bench/fleet/crowd/worker_crowd.hpp"
#include "bench/fleet/cue.hpp"
#include "bench/fleet/fleet_load.hpp"
#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;
using telemetry::monotonic_now;

/// How long a part waits at a time before it looks whether it is told to end.
constexpr Duration kPatience = 50ms;
constexpr std::uint64_t kBurst = 64;

std::int64_t ns_of(Time time) { return time.time_since_epoch().count(); }

void produce(Sender& sender, const Order& order, Cue& cue) {
  if (!cue.ready_and_go()) return;
  std::string payload(std::max<std::size_t>(order.bytes, kStampBytes), 'p');
  const Time begin = monotonic_now();
  const OpenLoop loop(begin, order.per_second);
  const bool open = order.per_second > 0;
  Alarm alarm;
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  while (acked < order.tasks) {
    const Time now = monotonic_now();
    std::uint64_t may = std::min({order.tasks, acked + kWindow, sent + kBurst});
    if (open) may = std::min(may, std::max(sent, loop.due(now)));
    for (; sent < may; ++sent) {
      write_stamp({sent, ns_of(open ? loop.intended(sent) : now)}, payload);
      sender.send(payload);
    }
    Duration wait = kPatience;
    if (sent < std::min(order.tasks, acked + kWindow)) {
      if (open) {
        alarm.set(loop.intended(sent));
      } else {
        wait = Duration::zero();
      }
    }
    const auto more = sender.take_acks(wait, alarm.fd());
    acked += more;
    if (more == 0 && wait == kPatience && cue.told_to_end({})) break;
  }
  cue.done();
  while (!cue.told_to_end(1s)) {
  }
  cue.report({.tasks = acked, .begin_ns = ns_of(begin)});
}

void work(Station& station, Cue& cue) {
  if (!cue.ready_and_go()) return;
  std::uint64_t count = 0;
  for (;;) {
    const auto more = station.turn(kPatience);
    count += more;
    if (more == 0 && cue.told_to_end({})) break;
  }
  cue.report({.tasks = count});
}

void collect(Collector& collector, const Order& order, Cue& cue) {
  if (!cue.ready_and_go()) return;
  TaskBook book(order.tasks);
  std::vector<double> us;
  us.reserve(order.tasks);
  Time last{};
  bool said = false;
  bool ended = false;
  while (!ended) {
    std::uint64_t here = 0;
    collector.turn(kPatience, [&](std::string_view result) {
      const Stamp stamp = read_stamp(result);
      const Time now = monotonic_now();
      ++here;
      if (!book.note(stamp.number)) return;
      us.push_back(static_cast<double>(ns_of(now) - stamp.intended_ns) / 1e3);
      last = now;
    });
    if (book.complete() && !said) {
      cue.done();
      said = true;
    }
    ended = here == 0 && cue.told_to_end({});
  }
  cue.report({.tasks = book.distinct(),
              .end_ns = ns_of(last),
              .fault = book.fault(),
              .latency_us = tail_of(std::move(us))});
}

void run_rival(const Order& order, Cue& cue) {
  const auto rival = std::find_if(rivals().begin(), rivals().end(), [&](const auto& each) {
    return each->name() == order.contestant;
  });
  if (rival == rivals().end()) throw std::runtime_error("no rival is called " + order.contestant);
  if (order.part == "producer") {
    produce(*(*rival)->sender(order), order, cue);
  } else if (order.part == "worker") {
    work(*(*rival)->station(order), cue);
  } else if (order.part == "collector") {
    collect(*(*rival)->collector(order), order, cue);
  } else {
    bool began = false;
    (*rival)->serve(order, [&] {
      if (!began) return began = true, !cue.ready_and_go();
      return cue.told_to_end({});
    });
    cue.report({});
  }
}

void run_ours(const Order& order, Cue& cue) {
  if (order.part == "workers") {
    run_worker_crowd(order, cue);
  } else if (order.part == "producers") {
    run_producer_crowd(order, cue);
  } else if (order.part == "collector") {
    run_collector(order, cue);
  } else {
    run_fleet_load(order, cue);
  }
}

}  // namespace

int run_part(const Order& order) {
  Cue cue;
  try {
    if (order.contestant == "framefleet") {
      run_ours(order, cue);
    } else {
      run_rival(order, cue);
    }
    return exit_code::kOk;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{} of {}: {}\n", order.part, order.contestant, error.what());
    return exit_code::kInternal;
  }
}

}  // namespace framefleet::bench
