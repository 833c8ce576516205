#include "cli/folders.hpp"
#include "cli/loopback_port.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "bench/fleet/cast.hpp"
#include "bench/fleet/contestant.hpp"
#include "bench/fleet/measuring.hpp"
#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

namespace fs = std::filesystem;

class RivalContestant final : public Contestant {
 public:
  RivalContestant(const Rival& rival, const Surroundings& surroundings)
      : rival_(rival), surroundings_(surroundings) {}

  std::string name() const override { return rival_.name(); }

  Result<void, Error> start() override {
    auto folder = cli::PrivateFolder::create();
    if (!folder) return fail(folder.error());
    folder_.emplace(std::move(*folder));
    for (int i = 0; i < 3; ++i) {
      auto reserved = cli::LoopbackPort::reserve();
      if (!reserved) return fail(reserved.error());
      ports_.push_back(std::move(*reserved));
    }
    place_ = {.folder = folder_->path() / "server",
              .port = ports_[0].number(),
              .other_port = ports_[1].number(),
              .third_port = ports_[2].number(),
              .tcp = surroundings_.tcp,
              .durable = surroundings_.durable};
    fs::create_directory(place_.folder);
    for (const auto& command : rival_.servers(place_)) {
      auto server = cli::ChildProcess::spawn(command, {.log = log_of("server")});
      if (!server) return fail(server.error());
      servers_.push_back(std::move(*server));
    }
    return {};
  }

  Result<RunFigures, Error> run(const Load& load) override {
    cast_.clear();
    ++run_;
    if (auto raised = raise_cast(load); !raised) return fail(raised.error());
    Meter meter;
    for (auto& server : servers_) meter.add("server", server.pid());
    for (std::size_t i = 0; i < cast_.size(); ++i) meter.add(kinds_[i], cast_[i].pid());
    meter.begin();
    for (auto member = cast_.rbegin(); member != cast_.rend(); ++member) member->go();
    // The producer may hear of its last task before or after the collector has its result.
    for (const auto index : {collector_, producer_}) {
      if (auto done = cast_[index].until_done(patience_for(load)); !done) return fail(done.error());
    }
    RunFigures figures;
    figures.tasks = load.tasks;
    figures.processes = meter.end(load.tasks);
    return take_reports(load, std::move(figures));
  }

  Result<void, Error> finish() override {
    cast_.clear();
    while (!servers_.empty()) servers_.pop_back();
    ports_.clear();
    folder_.reset();
    return {};
  }

 private:
  fs::path log_of(const std::string& what) const { return folder_->path() / (what + ".log"); }

  /// Those that bind before those that connect, the producer last: it is told to go first.
  Result<void, Error> raise_cast(const Load& load) {
    kinds_.clear();
    if (rival_.has_broker_part()) kinds_.emplace_back("broker");
    collector_ = kinds_.size();
    kinds_.emplace_back("collector");
    producer_ = kinds_.size();
    kinds_.emplace_back("producer");
    for (std::uint64_t i = 0; i < surroundings_.workers; ++i) kinds_.emplace_back("worker");
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      const Order order{.contestant = rival_.name(),
                        .part = kinds_[i],
                        .name = fmt::format("part-{}", i),
                        .endpoint = rival_.endpoint(place_),
                        .results = rival_.results_endpoint(place_),
                        .run = run_,
                        .tasks = load.tasks,
                        .bytes = load.bytes,
                        .per_second = load.per_second,
                        .durable = surroundings_.durable};
      auto member = CastMember::start(order, log_of(kinds_[i]));
      if (!member) return fail(member.error());
      cast_.push_back(std::move(*member));
      if (auto ready = cast_.back().until_ready(); !ready) {
        return fail(with_log(ready.error().text, log_of("server")));
      }
    }
    return {};
  }

  Result<RunFigures, Error> take_reports(const Load& load, RunFigures figures) {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::uint64_t worked = 0;
    for (std::size_t i = cast_.size(); i-- > 0;) {
      const auto report = cast_[i].end();
      if (!report) return fail(report.error());
      const auto tasks = report->tasks;
      if (kinds_[i] == "worker") worked += tasks;
      if (i == producer_) {
        begin_ns = report->begin_ns;
        if (tasks != load.tasks) return fail(miscounted("producer", tasks, load));
      }
      if (i == collector_) {
        end_ns = report->end_ns;
        figures.latency_us = report->latency_us;
        if (const auto fault = report->fault; !fault.empty()) {
          return fail(Error{name() + ": " + fault});
        }
      }
    }
    if (worked != load.tasks) return fail(miscounted("workers", worked, load));
    figures.per_second =
        static_cast<double>(load.tasks) * 1e9 / static_cast<double>(end_ns - begin_ns);
    return figures;
  }

  Error miscounted(const char* who, std::uint64_t tasks, const Load& load) const {
    return Error{fmt::format("{}: the {} counted {} tasks of {}", name(), who, tasks, load.tasks)};
  }

  const Rival& rival_;
  Surroundings surroundings_;
  std::optional<cli::PrivateFolder> folder_;
  std::vector<cli::LoopbackPort> ports_;
  Place place_;
  std::vector<cli::ChildProcess> servers_;
  std::vector<std::string> kinds_;  ///< Of the cast, by index.
  std::vector<CastMember> cast_;
  std::size_t collector_{0};
  std::size_t producer_{0};
  std::uint64_t run_{0};
};

}  // namespace

std::unique_ptr<Contestant> make_contestant(const Rival& rival, const Surroundings& surroundings) {
  return std::make_unique<RivalContestant>(rival, surroundings);
}

}  // namespace framefleet::bench
