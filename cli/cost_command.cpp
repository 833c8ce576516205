#include "cli/cost_command.hpp"

#include "cli/cost_table.hpp"
#include "cli/fleet_run.hpp"
#include "cli/folders.hpp"
#include "cli/operator_options.hpp"
#include "cli/run_options.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/cpus.hpp"
#include "shared/telemetry/signals.hpp"

#include <fmt/format.h>

namespace framefleet::cli {
namespace {

struct CostOptions {
  RunOptions run;
  std::uint32_t cameras{20};
  bool json{false};
};

void describe(config::OptionSet& set, CostOptions& options) {
  constexpr std::uint32_t kWorkersMax = 256;
  constexpr std::uint32_t kCamerasMax = 100'000;
  RunOptions& run = options.run;
  set.section("cost")
      .add("detect", run.detect,
           {.help = "Detectors with their options, as they will be used: faces?min_size=40,edges."})
      .add("models", run.models, {.help = "Folder of model files, whose detectors may be named."})
      .add("formats", run.formats,
           {.help = "Formats of pictures that are decoded.",
            .choices = {"jpeg", "png", "webp", "bmp", "tiff"}})
      .add("annotate", run.annotate, {.help = "Also draw the detections, as with run --annotate."})
      .add("workers", run.workers,
           {.help = "Workers side by side, of one slot; the default is the processors this process "
                    "may use: a busy machine is slower than an idle one.",
            .min = 1,
            .max = kWorkersMax})
      .add("cameras", options.cameras,
           {.help = "How many cameras to compute the slots for.", .min = 1, .max = kCamerasMax})
      .add("json", options.json, {.help = "One JSON object instead of tables."});
  set.positional(
      "source", run.sources,
      {.help = "Pictures, folders, globs, video files, synthetic:?count=100: such as your "
               "cameras give, some hundred.",
       .count_min = 1});
  set.epilog(
      "Exit codes: 0 measured; 3 measured, but some pictures failed or it was interrupted; 64 "
      "usage;\n66 no input, or no picture was worked on; 70 internal; 73 cannot write to TMPDIR; "
      "74 disk\nerror; 78 configuration.\n");
}

Result<int, Error> measure(CostOptions& options) {
  auto folder = PrivateFolder::create();
  if (!folder) return fail(std::move(folder.error()));
  options.run.out = folder->path();
  const telemetry::Signals signals = telemetry::Signals::block();
  FleetRun run(options.run, own_folder(), "", signals);
  const int code = run.run();
  if (code != exit_code::kOk && code != exit_code::kSomeFailed) return code;
  const auto cost = sink::read_cost(folder->path() / "results.sqlite", "");
  if (!cost) return fail(cost.error());
  if (cost->all.pictures == 0) {
    return fail(Error{.text = "no picture was worked on, so nothing is measured",
                      .exit_code = exit_code::kNoInput});
  }
  const CostQuestion question{.workers = options.run.workers, .cameras = options.cameras};
  fmt::print(
      "{}", options.json ? render_cost_json(*cost, question) + "\n" : render_cost(*cost, question));
  return code;
}

}  // namespace

int cost_command(const std::vector<std::string>& words) {
  CostOptions options;
  options.run.workers = telemetry::usable_cpus();
  config::OptionSet set("framefleet cost",
                        "Measures what pictures cost on this machine: decoding and every detector, "
                        "and how many cameras a worker takes.");
  describe(set, options);
  return run_verb(set, words, [&] { return measure(options); });
}

}  // namespace framefleet::cli
