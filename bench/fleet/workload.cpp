#include "bench/fleet/workload.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/fleet/picture_contestants.hpp"

namespace framefleet::bench {
namespace {

constexpr std::uint64_t kSmall = 1024;
constexpr std::uint64_t kLarge = std::uint64_t{100} * 1024;
constexpr std::uint64_t kFewPictures = 14;

std::vector<Wish> wishes_of_pictures() {
  std::vector<Wish> wishes;
  for (const auto& rival : picture_rivals()) {
    wishes.push_back({.measure = rival == kPlainLoop ? Measure::loops_share : Measure::pace,
                      .rival = rival,
                      .value = 1.0});
  }
  return wishes;
}

}  // namespace

std::vector<Workload> workloads_of(std::string_view name, const BenchOptions& options) {
  if (name == "queue") {
    return {{.name = "queue", .bytes = kSmall, .wishes = {{.rival = "redis", .value = 1.5}}},
            {.name = "queue, one by one",
             .bytes = kSmall,
             .joined = false,
             .wishes = {{.rival = "redis", .value = 1.2}}}};
  }
  if (name == "frames") {
    return {{.name = "frames", .bytes = kLarge, .wishes = {{.rival = "router", .value = 0.9}}}};
  }
  if (name == "durable") {
    const std::vector<Wish> wishes{{.value = 1.0, .note = " that syncs"}};
    return {{.name = "durable 1 KB", .bytes = kSmall, .durable = true, .wishes = wishes},
            {.name = "durable 100 KB", .bytes = kLarge, .durable = true, .wishes = wishes}};
  }
  if (name == "latency") {
    return {{.name = fmt::format("latency at {:g}/s", options.rate),
             .bytes = kSmall,
             .per_second = options.rate,
             .collected = true,
             .wishes = {{Measure::p50, "router", Bound::at_most, 1.3, ""},
                        {Measure::p99, "router", Bound::at_most, 1.5, ""},
                        {Measure::p50, "router", Bound::at_most, 1.3, "", true},
                        {Measure::p99, "router", Bound::at_most, 1.5, "", true}}}};
  }
  if (name == "scale") {
    return {{.name = "scale, 100 frames/s",
             .bytes = kLarge,
             .per_second = 100,
             .wishes = {{Measure::broker_share, "", Bound::at_most, 0.05, ""}}}};
  }
  if (name == "vision") {
    const auto few = std::min(kFewPictures, options.pictures);
    return {{.name = fmt::format("vision, {} pictures with the start", few),
             .pictures = few,
             .wishes = wishes_of_pictures()},
            {.name = fmt::format("vision, {} pictures in steady state", options.pictures),
             .pictures = options.pictures,
             .steady = true,
             .wishes = wishes_of_pictures()}};
  }
  return {};
}

}  // namespace framefleet::bench
