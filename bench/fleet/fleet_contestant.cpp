#include "cli/fleet_commands.hpp"
#include "cli/folders.hpp"
#include "cli/loopback_port.hpp"
#include "sink/stores/report.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "bench/fleet/cast.hpp"
#include "bench/fleet/contestant.hpp"
#include "bench/fleet/measuring.hpp"

namespace framefleet::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Duration kLeaveWithin = 30s;
constexpr int kReadyTries = 3000;
constexpr int kPauseMs = 20;

class FleetContestant final : public Contestant {
 public:
  FleetContestant(const Surroundings& surroundings, FleetKind kind)
      : surroundings_(surroundings), kind_(kind) {}

  std::string name() const override {
    switch (kind_) {
      case FleetKind::plain:
        return "framefleet";
      case FleetKind::isolated:
        return "framefleet, isolated";
      case FleetKind::collected:
        return kCollectedFleet;
    }
    return {};
  }

  Result<void, Error> start() override {
    auto folder = cli::PrivateFolder::create();
    if (!folder) return fail(folder.error());
    folder_.emplace(std::move(*folder));
    auto port = cli::LoopbackPort::reserve();
    if (!port) return fail(port.error());
    port_.emplace(std::move(*port));
    endpoint_ = surroundings_.tcp ? fmt::format("tcp://127.0.0.1:{}", port_->number())
                                  : fmt::format("ipc://{}", (folder_->path() / "broker").string());
    std::vector<std::string> broker{"--bind", endpoint_};
    if (!has_workers()) {
      broker.insert(broker.end(),
                    {"--backlog-tasks-max", "100000000", "--backlog-bytes-max", "64GiB",
                     "--source-tasks-max", "100000000", "--source-bytes-max", "64GiB",
                     "--producer-tasks-max", "100000000", "--producer-bytes-max", "64GiB"});
    }
    if (surroundings_.durable) {
      broker.insert(broker.end(), {"--journal", (folder_->path() / "journal").string()});
    }
    if (auto began = add("broker", std::move(broker)); !began) return began;
    if (kind_ != FleetKind::collected) {
      auto began = add("sink", {"--connect", endpoint_, "--store", store().string()});
      if (!began) return began;
    }
    for (std::uint64_t i = 0; i < surroundings_.workers; ++i) {
      const auto* word = kind_ == FleetKind::isolated ? "process" : "none";
      auto began = add(fmt::format("worker-{}", i), {"--connect", endpoint_, "--slots", "1",
                                                     "--detectors", "stub", "--isolation", word});
      if (!began) return began;
    }
    if (surroundings_.crowd_workers > 0) {
      if (auto began = raise_crowd(); !began) return began;
    }
    return until_ready();
  }

  Result<RunFigures, Error> run(const Load& load) override {
    const Order order{.contestant = "framefleet",
                      .part = load.producers > 0 ? "producers" : "producer",
                      .endpoint = endpoint_,
                      .run = ++run_,
                      .tasks = load.tasks,
                      .bytes = load.bytes,
                      .per_second = load.per_second,
                      .settled = has_workers(),
                      .joined = load.joined,
                      .sources = load.sources,
                      .connections = load.producers};
    if (auto there = raise_collector(order); !there) return fail(there.error());
    auto producer = CastMember::start(order, log_of("producer"));
    if (!producer) return fail(producer.error());
    if (auto ready = producer->until_ready(); !ready) return fail(ready.error());
    Meter meter;
    for (auto& each : processes_) meter.add(each.kind, each.process.pid());
    if (collector_) meter.add("collector", collector_->pid());
    if (crowd_) meter.add("workers", crowd_->pid());
    meter.add("producer", producer->pid());
    meter.begin();
    producer->go();
    if (auto done = producer->until_done(patience_for(load)); !done) {
      return fail(with_log(done.error().text, log_of("broker")));
    }
    RunFigures figures;
    figures.tasks = load.tasks;
    figures.processes = meter.end(load.tasks);
    const auto report = producer->end();
    if (!report) return fail(report.error());
    if (const auto fault = report->fault; !fault.empty()) {
      return fail(with_log(name() + ": " + fault, log_of("broker")));
    }
    const auto ns = report->end_ns - report->begin_ns;
    figures.per_second = static_cast<double>(load.tasks) * 1e9 / static_cast<double>(ns);
    figures.latency_us = report->latency_us;
    sent_ += load.tasks;
    if (!collector_) return figures;
    const auto collected = dismiss_collector(load);
    if (!collected) return fail(collected.error());
    figures.latency_us = *collected;
    return figures;
  }

  /// In the order that loses nothing; then the store has what was sent, to the unit.
  Result<void, Error> finish() override {
    if (!has_workers()) {  // What waits would be waited for.
      processes_.clear();
      folder_.reset();
      return {};
    }
    Result<void, Error> ended = dismiss_crowd();
    for (const auto* kind : {"worker", "broker", "sink"}) {
      for (auto& each : processes_) {
        if (each.kind == kind) each.process.signal(SIGTERM);
      }
      for (auto& each : processes_) {
        if (each.kind == kind && ended) {
          ended = until_left(each.process, "the " + each.kind, log_of(each.name), kLeaveWithin);
        }
      }
    }
    processes_.clear();
    if (ended && kind_ != FleetKind::collected) {
      const auto stored = sink::stored_count(store() / "results.sqlite", "bench");
      if (!stored) {
        ended = fail(stored.error());
      } else if (*stored != sent_) {
        ended = fail(Error{
            fmt::format("{}: {} tasks were sent and {} are in the store", name(), sent_, *stored)});
      }
    }
    folder_.reset();
    return ended;
  }

 private:
  struct Member {
    std::string kind;  ///< "worker"
    std::string name;  ///< "worker-1"
    cli::ChildProcess process;
  };

  bool has_workers() const { return surroundings_.workers + surroundings_.crowd_workers > 0; }

  fs::path log_of(const std::string& what) const { return folder_->path() / (what + ".log"); }
  fs::path store() const { return folder_->path() / "store"; }

  Result<void, Error> add(const std::string& name, std::vector<std::string> arguments) {
    const auto kind = name.substr(0, name.find('-'));
    auto process = cli::ChildProcess::spawn(
        {cli::locate(cli::own_folder(), "framefleet-" + kind), std::move(arguments)},
        {.log = log_of(name)});
    if (!process) return fail(process.error());
    processes_.push_back({kind, name, std::move(*process)});
    return {};
  }

  /// Until the broker has welcomed each of them.
  Result<void, Error> raise_crowd() {
    auto crowd = CastMember::start({.contestant = "framefleet",
                                    .part = "workers",
                                    .endpoint = endpoint_,
                                    .connections = surroundings_.crowd_workers},
                                   log_of("workers"));
    if (!crowd) return fail(crowd.error());
    crowd_.emplace(std::move(*crowd));
    if (auto ready = crowd_->until_ready(); !ready) {
      return fail(with_log(ready.error().text, log_of("broker")));
    }
    crowd_->go();
    return {};
  }

  /// They leave in order, and have done what was sent, to the unit.
  Result<void, Error> dismiss_crowd() {
    if (!crowd_) return {};
    const auto report = crowd_->end();
    crowd_.reset();
    if (!report) return fail(report.error());
    if (!report->fault.empty()) return fail(Error{name() + ": " + report->fault});
    if (report->tasks == sent_) return {};
    return fail(Error{fmt::format("{}: {} tasks were sent and the workers counted {}", name(),
                                  sent_, report->tasks)});
  }

  /// One for each run, where there is no sink.
  Result<void, Error> raise_collector(Order order) {
    if (kind_ != FleetKind::collected) return {};
    order.part = "collector";
    auto collector = CastMember::start(order, log_of("collector"));
    if (!collector) return fail(collector.error());
    if (auto ready = collector->until_ready(); !ready) {
      return fail(with_log(ready.error().text, log_of("broker")));
    }
    collector->go();
    collector_.emplace(std::move(*collector));
    return {};
  }

  /// It has had what was sent, to the unit. Gives its latencies.
  Result<std::vector<double>, Error> dismiss_collector(const Load& load) {
    const auto report = collector_->end();
    collector_.reset();
    if (!report) return fail(report.error());
    if (!report->fault.empty()) return fail(Error{name() + ": " + report->fault});
    if (report->tasks == load.tasks) return report->latency_us;
    return fail(Error{fmt::format("{}: {} tasks were sent and {} came to the collector", name(),
                                  load.tasks, report->tasks)});
  }

  /// Until each worker has passed its self-tests.
  Result<void, Error> until_ready() {
    for (const auto& each : processes_) {
      if (each.kind != "worker") continue;
      for (int i = 0; !has_said(each.name, " ready "); ++i) {
        if (i == kReadyTries) {
          return fail(with_log(each.name + " does not become ready", log_of(each.name)));
        }
        ::poll(nullptr, 0, kPauseMs);
      }
    }
    return {};
  }

  bool has_said(const std::string& who, const std::string& word) const {
    std::ifstream log(log_of(who));
    for (std::string line; std::getline(log, line);) {
      if (line.find(word) != std::string::npos) return true;
    }
    return false;
  }

  Surroundings surroundings_;
  FleetKind kind_;
  std::optional<cli::PrivateFolder> folder_;
  std::optional<cli::LoopbackPort> port_;
  std::string endpoint_;
  std::vector<Member> processes_;
  std::optional<CastMember> crowd_;
  std::optional<CastMember> collector_;
  std::uint64_t run_{0};
  std::uint64_t sent_{0};
};

}  // namespace

std::unique_ptr<Contestant> make_fleet(const Surroundings& surroundings, FleetKind kind) {
  return std::make_unique<FleetContestant>(surroundings, kind);
}

}  // namespace framefleet::bench
