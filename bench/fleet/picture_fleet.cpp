#include "cli/child_process.hpp"
#include "cli/fleet_commands.hpp"
#include "cli/folders.hpp"
#include "cli/loopback_port.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

#include "bench/fleet/cast.hpp"
#include "bench/fleet/picture_contestants.hpp"
#include "bench/fleet/spending.hpp"

namespace framefleet::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDetectors = "edges,corners,faces";

/// The processes of one run.
class Fleet {
 public:
  static Result<Fleet, Error> make(bool tcp) {
    auto folder = cli::PrivateFolder::create();
    if (!folder) return fail(folder.error());
    auto port = cli::LoopbackPort::reserve();
    if (!port) return fail(port.error());
    Fleet fleet(std::move(*folder), std::move(*port));
    fleet.endpoint_ = tcp ? fmt::format("tcp://127.0.0.1:{}", fleet.port_.number())
                          : "ipc://" + (fleet.folder_.path() / "broker").string();
    return fleet;
  }

  Result<RunFigures, Error> run(const PictureField& field, std::uint64_t tasks) {
    const auto sources = field.stock.folder_of(tasks);
    PictureRun run;
    const auto worked =
        start_all(field, sources).and_then([&] { return until_stored(run, tasks); }).and_then([&] {
          return stop(run);
        });
    if (!worked) return fail(worked.error());
    std::streamoff from = 0;
    auto outcomes = stored_outcomes(store() / "results.ndjson", from);
    if (!outcomes) return fail(outcomes.error());
    return run.figures(tasks, std::move(*outcomes), field.slots, field.steady);
  }

 private:
  struct Member {
    std::string name;
    cli::ChildProcess process;
  };

  Fleet(cli::PrivateFolder folder, cli::LoopbackPort port)
      : folder_(std::move(folder)), port_(std::move(port)) {}

  fs::path store() const { return folder_.path() / "store"; }
  fs::path log_of(const std::string& name) const { return folder_.path() / (name + ".log"); }

  Result<void, Error> start(const std::string& name, std::vector<std::string> arguments) {
    auto process = cli::ChildProcess::spawn(
        {cli::locate(cli::own_folder(), "framefleet-" + name), std::move(arguments)},
        {.log = log_of(name)});
    if (!process) return fail(process.error());
    members_.push_back({name, std::move(*process)});
    return {};
  }

  Result<void, Error> start_all(const PictureField& field, const fs::path& sources) {
    const auto slots = std::to_string(field.slots);
    return start("broker", {"--bind", endpoint_})
        .and_then([&] {
          return start("sink", {"--connect", endpoint_, "--store", store().string()});
        })
        .and_then([&] {
          return start("worker", {"--connect", endpoint_, "--slots", slots});
        })
        .and_then([&] {
          return start("producer", {"--connect", endpoint_, "--confirm", "stored", "--detect",
                                    kDetectors, sources.string()});
        });
  }

  /// The producer ends by itself then; the most that it had is what it had shortly before.
  Result<void, Error> until_stored(PictureRun& run, std::uint64_t tasks) {
    constexpr int kLookMs = 50;
    auto& producer = members_.back().process;
    pollfd end{producer.end_fd(), POLLIN, 0};
    const Time until = telemetry::monotonic_now() + patience_for(tasks);
    std::uint64_t peak_bytes = 0;
    while (::poll(&end, 1, kLookMs) == 0 && telemetry::monotonic_now() < until) {
      peak_bytes = std::max(peak_bytes, spending_of(producer.pid()).peak_bytes);
    }
    run.note_peak("producer", peak_bytes);
    return run.reap(producer, "our producer", "producer", log_of("producer"));
  }

  /// In the order that loses nothing.
  Result<void, Error> stop(PictureRun& run) {
    for (const auto index : {2U, 0U, 1U}) {
      auto& [name, process] = members_[index];
      run.note_peak(name, spending_of(process.pid()).peak_bytes);
      process.signal(SIGTERM);
      if (auto left = run.reap(process, "our " + name, name, log_of(name)); !left) return left;
    }
    return {};
  }

  cli::PrivateFolder folder_;
  cli::LoopbackPort port_;
  std::string endpoint_;
  std::vector<Member> members_;  ///< Broker, sink, worker, producer.
};

class PictureFleet final : public Contestant {
 public:
  explicit PictureFleet(const PictureField& field) : field_(field) {}
  std::string name() const override { return "framefleet"; }
  Result<void, Error> start() override { return {}; }
  Result<RunFigures, Error> run(const Load& load) override {
    auto fleet = Fleet::make(field_.tcp);
    if (!fleet) return fail(fleet.error());
    return fleet->run(field_, load.tasks);
  }
  Result<void, Error> finish() override { return {}; }

 private:
  PictureField field_;
};

}  // namespace

std::unique_ptr<Contestant> make_picture_fleet(const PictureField& field) {
  return std::make_unique<PictureFleet>(field);
}

}  // namespace framefleet::bench
