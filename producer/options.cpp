#include "producer/options.hpp"

#include "shared/base/detector_list.hpp"
#include "shared/wire/limits.hpp"

namespace framefleet::producer {

void describe(config::OptionSet& set, ProducerOptions& options) {
  using namespace std::chrono_literals;
  using config::SizeOf;
  auto& submission = options.submission;
  set.section("producer", "What is submitted, where to, and how fast.")
      .add("connect", options.connect,
           {.help = "Address of the broker: tcp://HOST:PORT or ipc:///PATH."})
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
      .add("rate", options.rate,
           {.help = "Pictures per second and source; 0: as fast as they are accepted.",
            .min = 0,
            .max = 100'000})
      .add("window_tasks", submission.window_tasks,
           {.help = "Pictures read and not yet confirmed.", .min = 1, .max = 65'536})
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
}

Result<void, Error> check(const ProducerOptions& options) {
  if (options.sources.empty()) {
    return fail(Error{"no source is given: name files, folders, videos or synthetic:?count=100",
                      exit_code::kUsage});
  }
  if (split_detectors(options.detect).empty()) {
    return fail(Error{"no detector is given: --detect faces,edges", exit_code::kUsage});
  }
  if (options.task_class == TaskClass::live && !options.manifest.empty()) {
    return fail(
        Error{"--class live keeps no manifest: what a live source missed is not made up "
              "for; leave out --manifest, or give --class batch",
              exit_code::kUsage});
  }
  return {};
}

}  // namespace framefleet::producer
