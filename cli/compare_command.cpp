#include "cli/compare_command.hpp"

#include "cli/comparison.hpp"
#include "cli/fleet_commands.hpp"
#include "cli/fleet_run.hpp"
#include "cli/operator_options.hpp"
#include "cli/worker_once.hpp"
#include "sink/stores/report.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/cpus.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/telemetry/signals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <optional>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

using telemetry::monotonic_now;

struct CompareOptions {
  RunOptions run;
  std::uint32_t rounds{3};
  std::uint32_t pictures_max{200};
  bool json{false};
};

void describe(config::OptionSet& set, CompareOptions& options) {
  constexpr std::uint32_t kWorkersMax = 256;
  constexpr std::uint32_t kRoundsMax = 100;
  constexpr std::uint32_t kPicturesMax = 100'000;
  RunOptions& run = options.run;
  set.section("compare")
      .add("detect", run.detect, {.help = "Detectors with their options: faces?min_size=40,edges."})
      .add("models", run.models, {.help = "Folder of model files, whose detectors may be named."})
      .add("formats", run.formats,
           {.help = "Formats of pictures that are decoded.", .choices = {"jpeg", "png", "webp"}})
      .add("workers", run.workers,
           {.help = "Workers of the fleet, of one slot; the default is the processors this process "
                    "may use.",
            .min = 1,
            .max = kWorkersMax})
      .add("rounds", options.rounds,
           {.help = "How often both take their turn.", .min = 1, .max = kRoundsMax})
      .add("pictures_max", options.pictures_max,
           {.help = "Pictures that are taken, the first by name.", .min = 2, .max = kPicturesMax})
      .add("json", options.json, {.help = "One JSON object instead of tables."});
  set.positional("path", run.sources,
                 {.help = "Folders of pictures, or pictures.", .count_min = 1});
  set.epilog(
      "The loop is one process that reads, decodes and looks at one picture after the other, with\n"
      "the same decoder and detectors. The fleet is a framefleet run: pictures cross processes\n"
      "and sandboxes, and every outcome is on the disk when it counts.\n"
      "Exit codes: 0 compared; 3 interrupted, or some pictures failed (in both); 64 usage; 66 no\n"
      "two pictures there; 70 internal; 73, 74 TMPDIR cannot be written; 78 configuration.\n");
}

bool is_picture(const fs::path& path) {
  static constexpr std::array kExtensions{".jpg", ".jpeg", ".png", ".webp"};
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// The first by name of those in the folders, and those that are named.
Result<std::vector<fs::path>, Error> find_pictures(const CompareOptions& options) {
  std::vector<fs::path> found;
  for (const fs::path path : options.run.sources) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (!fs::is_regular_file(path, error)) {
        return fail(Error{fmt::format("there is no picture or folder {}", path.string()),
                          exit_code::kNoInput});
      }
      found.push_back(fs::absolute(path, error));
      continue;
    }
    fs::recursive_directory_iterator entry(path, error);
    for (const fs::recursive_directory_iterator end; !error && entry != end;
         entry.increment(error)) {
      if (entry->is_regular_file(error) && is_picture(entry->path())) {
        found.push_back(fs::absolute(entry->path(), error));
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min<std::size_t>(found.size(), options.pictures_max));
  if (found.size() >= 2) return found;
  return fail(Error{"a comparison needs two pictures at least; name a folder that has them",
                    exit_code::kNoInput});
}

class Contest {
 public:
  Contest(const CompareOptions& options, const fs::path& home, const telemetry::Signals& signals)
      : options_(options), home_(home), signals_(signals) {}

  /// Under names of its own, so that both are given the same.
  Result<void, Error> take_in(const std::vector<fs::path>& pictures) {
    const fs::path folder = home_ / "pictures";
    std::error_code error;
    fs::create_directory(folder, error);
    for (std::size_t i = 0; i < pictures.size() && !error; ++i) {
      const fs::path link = folder / fmt::format("{:06}{}", i, pictures[i].extension().string());
      fs::create_symlink(pictures[i], link, error);
      pictures_.push_back(link.string());
    }
    if (!error) return {};
    return fail(Error{fmt::format("cannot write to {}: {}", folder.string(), error.message()),
                      exit_code::kCannotCreate});
  }

  Result<TimedRun, Error> run_loop() {
    WorkerOnce once;
    once.pictures = pictures_;
    once.detect = options_.run.detect;
    once.models = options_.run.models;
    once.formats = options_.run.formats;
    once.isolated = false;
    once.one_slot = true;
    std::optional<Time> first;
    Time last{};
    const Time begin = monotonic_now();
    const auto ended = run_worker(once, [&](const std::string&) -> Result<void, Error> {
      last = monotonic_now();
      if (!first) first = last;
      if (signals_.next()) return fail(Error{"interrupted", exit_code::kSomeFailed});
      return {};
    });
    if (!ended) return fail(ended.error());
    some_failed_ = some_failed_ || *ended == exit_code::kSomeFailed;
    return TimedRun{monotonic_now() - begin, last - first.value_or(last)};
  }

  Result<TimedRun, Error> run_fleet() {
    RunOptions run = options_.run;
    run.sources = {(home_ / "pictures").string()};
    run.out = home_ / fmt::format("results-{}", ++fleets_);
    run.quiet = true;
    const Time begin = monotonic_now();
    FleetRun fleet(run, own_folder(), "", signals_);
    const int code = fleet.run();
    const Duration whole = monotonic_now() - begin;
    if (code != exit_code::kOk && code != exit_code::kSomeFailed) {
      return fail(Error{"the fleet ended early", code});
    }
    some_failed_ = some_failed_ || code == exit_code::kSomeFailed;
    const auto report = sink::read_report(run.out / "results.sqlite", "");
    if (!report) return fail(report.error());
    if (report->total() != pictures_.size()) {
      return fail(Error{"interrupted", exit_code::kSomeFailed});
    }
    return TimedRun{whole, report->wall};
  }

  bool some_failed() const { return some_failed_; }

 private:
  const CompareOptions& options_;
  fs::path home_;
  const telemetry::Signals& signals_;
  std::vector<std::string> pictures_;
  bool some_failed_{false};
  int fleets_{0};
};

Result<int, Error> compare(const CompareOptions& options) {
  const auto pictures = find_pictures(options);
  if (!pictures) return fail(pictures.error());
  const auto folder = PrivateFolder::create();
  if (!folder) return fail(folder.error());
  const telemetry::Signals signals = telemetry::Signals::block();
  Contest contest(options, folder->path(), signals);
  if (auto taken = contest.take_in(*pictures); !taken) return fail(taken.error());
  Comparison comparison{pictures->size(),
                        options.run.workers,
                        fmt::format("{}", fmt::join(options.run.detect, ",")),
                        {},
                        {}};
  // Once before it counts: files and libraries come from the disk then.
  if (auto warm = contest.run_loop(); !warm) return fail(warm.error());
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    const auto loop = contest.run_loop();
    if (!loop) return fail(loop.error());
    const auto fleet = contest.run_fleet();
    if (!fleet) return fail(fleet.error());
    comparison.loop.push_back(*loop);
    comparison.fleet.push_back(*fleet);
    if (!options.json && ::isatty(STDERR_FILENO) == 1) {
      fmt::print(stderr, "round {} of {} done\n", round + 1, options.rounds);
    }
  }
  fmt::print("{}", options.json ? render_comparison_json(comparison) + "\n"
                                : render_comparison(comparison));
  return contest.some_failed() ? exit_code::kSomeFailed : exit_code::kOk;
}

}  // namespace

int compare_command(const std::vector<std::string>& words) {
  CompareOptions options;
  options.run.workers = telemetry::usable_cpus();
  config::OptionSet set("framefleet compare",
                        "Runs the same pictures through one plain loop and through a fleet, in "
                        "turn, and says which is faster from when on.");
  describe(set, options);
  return run_verb(set, words, [&options] { return compare(options); });
}

}  // namespace framefleet::cli
