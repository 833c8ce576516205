#include "cli/run_options.hpp"

#include "cli/autoscaler.hpp"

#include "shared/config/option_set.hpp"

#include <optional>

namespace framefleet::cli {

void describe(config::OptionSet& set, RunOptions& options) {
  constexpr std::uint32_t kWorkersMax =
      256;  // Processes on one machine; more is a mistyped number.
  set.section("run")
      .add("detect", options.detect,
           {.help = "Detectors with their options: faces?min_size=40,edges."})
      .add("out", options.out, {.help = "Folder of the results; made if it is not there."})
      .add("annotate", options.annotate,
           {.help = "Also write every picture with its detections drawn into it."})
      .add("watch", options.watch,
           {.help = "Go on with what comes into the folders, until Ctrl-C."})
      .add("order", options.order,
           {.help = "name, shuffled or shuffled:SEED: the order of files without a number yet."})
      .add("second", options.second,
           {.help = "The picture that blend mixes into each one, and template looks for in it."})
      .add("models", options.models,
           {.help = "Folder of model files, NAME.toml, whose detectors --detect may name too."})
      .add("formats", options.formats,
           {.help = "Formats of pictures that are decoded; bmp and tiff are for files that you "
                    "trust.",
            .choices = {"jpeg", "png", "webp", "bmp", "tiff"}})
      .add("journal", options.journal,
           {.help = "Folder where the broker keeps what it admitted; made if it is not there. "
                    "Videos and cameras then lose nothing when it dies; pictures in files never "
                    "do."})
      .add("job", options.job,
           {.help = "Name of the job; the same sources and detectors give the same one."})
      .add("workers", options.workers,
           {.help = "Worker processes; the default is the processors this process may use.",
            .min = 1,
            .max = kWorkersMax})
      .add(
          "autoscale", options.autoscale,
          {.help = "MIN:MAX: as many worker processes as the pictures need, instead of --workers."})
      .add("transport", options.transport,
           {.help = "What the fleet talks over: ipc, or tcp on 127.0.0.1.",
            .words = {{"ipc", FleetTransport::ipc}, {"tcp", FleetTransport::tcp}}})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a drain waits for pictures in work, and a process for its end.",
            .min = std::chrono::milliseconds(100),
            .max = std::chrono::hours(24)})
      .add("quiet", options.quiet, {.help = "Nothing but the report and errors."})
      .add("json", options.json,
           {.help = "One JSON object per line on stdout; the last is the report."})
      .add("keep_logs", options.keep_logs,
           {.help = "Add to the logs of earlier runs instead of starting new ones."});
  set.positional("source", options.sources,
                 {.help = "Pictures, folders, globs, video files, synthetic:?count=100, or - for a "
                          "list on stdin.",
                  .count_min = 1});
  set.check([&options]() -> std::optional<std::string> {
    if (options.quiet && options.json) return "run.quiet and run.json exclude each other";
    if (options.detect.empty()) return "run.detect names no detector";
    if (!options.autoscale.empty()) {
      if (auto range = parse_worker_range(options.autoscale); !range) {
        return "run.autoscale: " + range.error();
      }
    }
    return std::nullopt;
  });
  set.epilog(
      "Ctrl-C or SIGTERM drains: nothing more is submitted, what is in work is finished. Again: "
      "stop "
      "now.\nThe same command continues where an earlier run stopped.\n"
      "Exit codes: 0 all pictures are ok; 3 some failed (each is listed) or were left when the run "
      "was\ninterrupted; 64 usage; 66 no input; 69 address taken; 70 internal; 73 cannot write "
      "the\n"
      "output folder; 74 disk error; 78 configuration.\n");
}

}  // namespace framefleet::cli
