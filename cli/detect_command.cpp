#include "cli/detect_command.hpp"

#include "cli/operator_options.hpp"
#include "cli/picture_lines.hpp"
#include "cli/worker_once.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <optional>

namespace framefleet::cli {
namespace {

enum class Isolation : std::uint8_t { process, none };

struct DetectOptions {
  WorkerOnce once{.detect = {"faces"}};
  Isolation isolation{Isolation::process};
  bool json{false};
  bool quiet{false};
};

void describe(config::OptionSet& set, DetectOptions& options) {
  set.section("detect")
      .add("detect", options.once.detect,
           {.help = "Detectors with their options: faces?min_size=40,edges."})
      .add("annotated", options.once.annotated,
           {.help = "Write the picture with its detections drawn into it to this file; of several "
                    "pictures, into this folder."})
      .add("made", options.once.made,
           {.help = "Write what detectors make (resize, blend) into this folder, in a sub-folder "
                    "for each."})
      .add("second", options.once.second,
           {.help = "The picture that blend and template need beside each one."})
      .add("models", options.once.models,
           {.help = "Folder of model files, NAME.toml, whose detectors --detect may name too."})
      .add("formats", options.once.formats,
           {.help = "Formats of pictures that are decoded; bmp and tiff are for files that you "
                    "trust.",
            .choices = {"jpeg", "png", "webp", "bmp", "tiff"}})
      .add("isolation", options.isolation,
           {.help = "Decode and detect in sandboxed child processes, or in the worker itself, "
                    "which is for pictures that you trust.",
            .words = {{"process", Isolation::process}, {"none", Isolation::none}}})
      .add("json", options.json, {.help = "One JSON object per picture, as results.ndjson has it."})
      .add("quiet", options.quiet, {.help = "Nothing but errors and pictures that failed."});
  set.positional("file", options.once.pictures,
                 {.help = "Pictures; of folders and videos, see framefleet run.",
                  .count_min = 1,
                  .count_max = 10'000});
  set.check([&options]() -> std::optional<std::string> {
    if (options.quiet && options.json) return "detect.quiet and detect.json exclude each other";
    if (options.once.detect.empty()) return "detect.detect names no detector";
    return std::nullopt;
  });
  set.epilog(
      "No fleet is started and nothing is stored: framefleet-worker looks at the pictures once.\n"
      "Exit codes: 0 all pictures were looked at; 3 some could not be (each is named);\n"
      "64 usage, an unknown detector or option; 66 no such picture or model; 70 internal;\n"
      "73 cannot write a picture; 78 configuration.\n");
}

/// Prints lines as they come; a picture that failed goes to stderr.
Result<void, Error> show(const std::string& line, const DetectOptions& options) {
  const auto picture = parse_picture_line(line);
  if (!picture) {
    return fail(Error{"the worker said something that this program does not understand (" +
                      picture.error() + "); are both of one version?"});
  }
  if (picture->status != "ok") {
    fmt::print(stderr, "framefleet detect: {}\n", render_failure(*picture));
  } else if (!options.json && !options.quiet) {
    fmt::print("{}", render_picture(*picture));
  }
  if (options.json) fmt::print("{}\n", line);
  std::fflush(stdout);
  return {};
}

}  // namespace

int detect_command(const std::vector<std::string>& words) {
  DetectOptions options;
  config::OptionSet set("framefleet detect",
                        "Looks at pictures on the spot and prints what detectors find in them.");
  describe(set, options);
  return run_verb(set, words, [&options] {
    options.once.isolated = options.isolation == Isolation::process;
    return run_worker(options.once,
                      [&options](const std::string& line) { return show(line, options); });
  });
}

}  // namespace framefleet::cli
