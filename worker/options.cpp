#include "worker/options.hpp"

#include "worker/detectors/self_test.hpp"

#include "shared/access/key_options.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace framefleet::worker {
namespace {

const std::vector<std::pair<std::string, ImageFormat>>& format_words() {
  static const std::vector<std::pair<std::string, ImageFormat>> kWords{{"jpeg", ImageFormat::jpeg},
                                                                       {"png", ImageFormat::png},
                                                                       {"webp", ImageFormat::webp},
                                                                       {"bmp", ImageFormat::bmp},
                                                                       {"tiff", ImageFormat::tiff}};
  return kWords;
}

std::vector<std::string> words_alone() {
  std::vector<std::string> words;
  for (const auto& [word, format] : format_words()) words.push_back(word);
  return words;
}

std::optional<std::string> check_formats(const WorkerOptions& options) {
  const FormatSet formats = formats_of(options);
  const FormatSet always = ImageLimits{}.formats;
  if (formats.both(always) != always) {
    return "worker.formats must name jpeg, png and webp, which the worker tests itself with; bmp "
           "and tiff may be added";
  }
  if (!formats.both(FormatSet::of_imgcodecs()).empty() && options.isolation != Isolation::process) {
    return "worker.formats: bmp and tiff need worker.isolation = \"process\", because their "
           "decoders run in child processes alone";
  }
  return std::nullopt;
}

}  // namespace

FormatSet formats_of(const WorkerOptions& options) {
  FormatSet formats;
  for (const auto& [word, format] : format_words()) {
    const auto& chosen = options.formats;
    if (std::find(chosen.begin(), chosen.end(), word) != chosen.end()) formats.add(format);
  }
  return formats;
}

void describe(config::OptionSet& set, WorkerOptions& options) {
  using namespace std::chrono_literals;
  using config::SizeOf;
  auto& pool = options.pool;
  auto& limits = pool.workbench.limits;
  auto section = set.section(
      "worker", "Where tasks come from, how many at once, and what a picture may cost.");
  section.add("connect", options.connect,
              {.help = "Address of the broker: tcp://HOST:PORT or ipc:///PATH."});
  access::add_key_options(section, options.keys);
  section
      .add("name", options.name,
           {.help = "What the broker calls this worker; empty: worker-HOST-PID."})
      .add("slots", options.slots,
           {.help = "Tasks at once; 0: the CPUs this process may use.", .min = 0, .max = 1024})
      .add("detectors", options.detectors,
           {.help = "Detectors this worker offers; none given: all it has."})
      .add("cascade_folder", pool.workbench.detectors.cascade_folder,
           {.help = "Folder of haarcascades and lbpcascades (Debian: opencv-data)."})
      .add("models", options.models,
           {.help = "Folder of model files, one TOML per model; empty: none (docs/DETECTORS.md)."})
      .add(
          "formats", options.formats,
          {.help = "Formats of pictures that this worker takes: these, and bmp and tiff where they "
                   "are named too, which need isolation = \"process\".",
           .choices = words_alone()})
      .add("isolation", options.isolation,
           {.help = "Where pictures are worked on: child processes, or threads of the worker.",
            .words = {{"process", Isolation::process}, {"none", Isolation::none}}})
      .add("child_memory_max", SizeOf{options.child_memory_max},
           {.help = "Memory a child process may take beyond what it starts with.",
            .min = config::mib(64),
            .max = config::gib(1024)})
      .add("decode_timeout", pool.decode_timeout,
           {.help = "Longest decode before a picture is given up.", .min = 10ms, .max = 1h})
      .add("detect_timeout", pool.detect_timeout,
           {.help = "Longest run of one detector.", .min = 10ms, .max = 24h})
      .add("pixels_max", limits.pixels_max,
           {.help = "Width times height of a picture.",
            .min = kSelfTestPixelsMax,
            .max = 1'000'000'000})
      .add("picture_bytes_max", SizeOf{limits.bytes_max},
           {.help = "Compressed size of a picture.",
            .min = kSelfTestBytesMax,
            .max = config::gib(1)})
      .add("peer_timeout", options.link.peer_timeout,
           {.help = "Silence after which the broker is dialled anew, before it says its own.",
            .min = 50ms,
            .max = 10min})
      .add("self_test_interval", options.self_test_interval,
           {.help = "Time between two self-tests of a detector; 0s: only at start.", .max = 24h})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a drain may take before running tasks are left to others.",
            .max = 24h})
      .add("list_models", options.list_models,
           {.help = "Print what the folder of models holds, as JSON, and end."})
      .add("check_models", options.check_models,
           {.help = "The same after trying each; exit code 78 where one is bad."})
      .add("list_detectors", options.list_detectors,
           {.help = "Print every detector with its options, and end."})
      .add("check_detectors", options.check_detectors,
           {.help = "Check detectors with options (faces?min_size=40,edges), and end."});
  set.check([&options] { return check_formats(options); });
}

}  // namespace framefleet::worker
