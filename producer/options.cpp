#include "producer/options.hpp"

#include "shared/access/key_options.hpp"
#include "shared/base/detector_list.hpp"
#include "shared/config/load.hpp"
#include "shared/telemetry/program.hpp"
#include "shared/wire/limits.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

namespace framefleet::producer {

void describe(config::OptionSet& set, ProducerOptions& options) {
  using namespace std::chrono_literals;
  using config::SizeOf;
  auto& submission = options.submission;
  auto section = set.section("producer", "What is submitted, where to, and how fast.");
  section.add("connect", options.connect,
              {.help = "Address of the broker: tcp://HOST:PORT or ipc:///PATH."});
  access::add_key_options(section, options.keys);
  section
      .add("name", options.name,
           {.help = "What the broker calls this producer; empty: producer-HOST-PID."})
      .add("sources", options.sources,
           {.help = "Files, folders, patterns, videos, - for a list, synthetic:?count=100."})
      .add("detect", options.detect,
           {.help = "Detectors with their options: faces?min_size=40,edges."})
      .add("annotate", options.annotate, {.help = "Have every picture drawn with what was found."})
      .add("second", options.second,
           {.help = "A picture that travels with every task, for detectors that need two."})
      .add("job", options.job, {.help = "Name of the run; empty: made from sources and detectors."})
      .add("manifest", options.manifest,
           {.help = "Folder that remembers the numbering, so that the same command continues."})
      .add(
          "class", options.task_class,
          {.help = "batch: every picture, at least once; live: the newest of each source, or none.",
           .words = {{"batch", TaskClass::batch}, {"live", TaskClass::live}}})
      .add("priority", options.priority,
           {.help = "Higher goes first; lower keeps a minimum share.",
            .min = 0,
            .max = wire::kPriorityMax})
      .add("ttl", options.ttl,
           {.help = "How long a picture may wait for work on it to begin; 0: for ever.",
            .max = wire::kDurationMax})
      .add("weight", options.weight,
           {.help = "Share of the workers' time of each source against others.",
            .min = 1,
            .max = wire::kWeightMax})
      .add("confirm", submission.confirm,
           {.help = "When a picture counts as handed over.",
            .words = {{"stored", Confirm::stored}, {"admitted", Confirm::admitted}}})
      .add("watch", options.watch,
           {.help = "Go on with what comes into folders, and read a list on - as it comes."})
      .add("order", options.order,
           {.help = "name, shuffled or shuffled:SEED: the order of files without a number yet."})
      .add("realtime", options.realtime,
           {.help = "Read videos at their own pace; with --class live the newest frame counts."})
      .add("rate", options.rate,
           {.help = "Pictures per second and source; 0: as fast as they are accepted.",
            .min = 0,
            .max = 100'000})
      .add("window_tasks", submission.window_tasks,
           {.help = "Pictures read and not yet confirmed; 0: four for each slot of the fleet, at "
                    "least 64.",
            .max = kWindowTasksMax})
      .add("window_bytes", SizeOf{submission.window_bytes},
           {.help = "Bytes of pictures held here.", .min = config::kib(1)})
      .add("picture_bytes_max", SizeOf{options.picture_bytes_max},
           {.help = "A larger file is not read.", .min = config::kib(1), .max = config::gib(1)})
      .add("progress_fd", options.progress_fd,
           {.help = "Descriptor that progress is written to as NDJSON; -1: none.",
            .min = -1,
            .max = 1'000'000})
      .add("peer_timeout", submission.link.peer_timeout,
           {.help = "Silence after which the broker is dialled anew, before it says its own.",
            .min = 50ms,
            .max = 10min})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a drain may wait for what is in flight.", .max = 24h});
  set.positional("source", options.sources,
                 {.help = "Files, folders, patterns, videos, - for a list, synthetic:?count=100."});
  describe(set, options.cameras);
}

Result<std::vector<CameraOptions>, Error> read_cameras(int argc, const char* const* argv) {
  ProducerOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-producer", ""};
  describe(set, options);
  telemetry::describe(set, common);
  const auto outcome = config::load(set, argc, argv);
  if (!outcome.run()) {
    // For one line of a log, or of a report.
    std::string text;
    for (const char c : outcome.err) text += c == '\n' ? std::string{"; "} : std::string{c};
    if (text.ends_with("; ")) text.resize(text.size() - 2);
    return fail(Error{std::move(text), exit_code::kConfig});
  }
  auto cameras = options.cameras.cameras();
  if (cameras.empty()) return fail(Error{"the file has no [[camera]]", exit_code::kConfig});
  return cameras;
}

Result<std::optional<std::uint64_t>, Error> shuffle_of(const std::string& order,
                                                       std::uint64_t fresh) {
  constexpr std::string_view kShuffled = "shuffled";
  if (order == "name") return std::optional<std::uint64_t>{};
  if (order == kShuffled) return std::optional{fresh};
  const auto digits = std::string_view(order).substr(std::min(order.size(), kShuffled.size() + 1));
  std::uint64_t seed = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, seed);
  const bool sound = order.rfind(std::string(kShuffled) + ':', 0) == 0 && stopped == end;
  if (sound && error == std::errc{}) return std::optional{seed};
  return fail(Error{"--order " + order + ": it is name, shuffled, or shuffled:SEED with a number",
                    exit_code::kUsage});
}

Result<void, Error> check(const ProducerOptions& options) {
  if (options.sources.empty() && options.cameras.entries.empty()) {
    return fail(
        Error{"no source is given: name files, folders, videos or synthetic:?count=100, or "
              "a file with cameras: --config cameras.toml",
              exit_code::kUsage});
  }
  if (split_detectors(options.detect).empty()) {
    return fail(Error{"no detector is given: --detect faces,edges", exit_code::kUsage});
  }
  if (auto shuffle = shuffle_of(options.order, 0); !shuffle) return fail(shuffle.error());
  if (options.task_class == TaskClass::live && !options.manifest.empty()) {
    return fail(
        Error{"--class live keeps no manifest: what a live source missed is not made up "
              "for; leave out --manifest, or give --class batch",
              exit_code::kUsage});
  }
  return {};
}

}  // namespace framefleet::producer
