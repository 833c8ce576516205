#include "worker/detectors/workbench.hpp"

#include "worker/decoding/decoder.hpp"
#include "worker/detectors/annotate.hpp"
#include "worker/detectors/registry.hpp"

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <new>
#include <optional>

namespace framefleet::worker {
namespace {

/// Detectors kept warm per thread. A fleet uses a handful of option sets; a stranger who sends
/// another one with every task must not fill the memory with classifiers.
constexpr std::size_t kWarmDetectorsMax = 32;

/// The pool is the parallelism: OpenCV's own threads would fight it for the cores.
void use_one_opencv_thread() {
  static std::once_flag once;
  std::call_once(once, [] { cv::setNumThreads(1); });
}

class Stopwatch {
 public:
  Duration elapsed() const { return std::chrono::steady_clock::now() - begin_; }

 private:
  std::chrono::steady_clock::time_point begin_{std::chrono::steady_clock::now()};
};

tl::unexpected<WorkError> refuse(Reason reason, std::string text) {
  return fail(WorkError{reason, std::move(text)});
}

struct Bench {
  std::string spec;  ///< "faces?min_size=40"
  const DetectorKind* kind{nullptr};
  std::unique_ptr<Detector> detector;
};

/// How the pictures of a task are decoded.
struct DecodePlan {
  bool pixels{false};  ///< Else nothing is decoded.
  Planes first;
  bool second{false};
  DecodeScale scale{DecodeScale::eighth};
};

/// What all who look at the picture want; the most demanding of them decides the scale.
DecodePlan plan_for(const TaskDescription& task, const std::vector<Bench*>& chosen) {
  DecodePlan plan;
  plan.pixels = task.annotate || chosen.empty();
  plan.first.bgr = task.annotate;
  for (const Bench* bench : chosen) {
    const Needs needs = bench->detector->needs();
    plan.pixels = plan.pixels || needs.pixels;
    plan.first.bgr = plan.first.bgr || needs.bgr;
    plan.second = plan.second || needs.second_picture;
    plan.scale = std::min(plan.scale, needs.smallest);
  }
  if (task.annotate || chosen.empty()) plan.scale = DecodeScale::full;
  return plan;
}

struct Ask {
  const TaskId& id;
  std::uint16_t attempt;
  const TaskDescription& task;
  std::span<const std::span<const std::byte>> frames;
  StageObserver& observer;
};

}  // namespace

struct Workbench::Parts {
  explicit Parts(WorkbenchOptions chosen)
      : options(std::move(chosen)),
        first(options.limits, options.others),
        second(options.limits, options.others) {
    options.detectors.limits = options.limits;
    options.detectors.networks = std::make_shared<NetworkShelf>();
  }

  Result<Worked, WorkError> work(const Ask& ask);
  Result<std::vector<Bench*>, WorkError> prepare(const std::vector<std::string>& specs);
  Result<Bench*, WorkError> bench_for(const std::string& spec);
  Result<DetectInput, WorkError> decode(const Ask& ask, const std::vector<Bench*>& chosen);
  Result<std::vector<Found>, WorkError> detect(const Ask& ask, const std::vector<Bench*>& chosen,
                                               const DetectInput& input, ResultRecord& record);
  Result<std::string, WorkError> annotate(const Ask& ask, const Picture& picture,
                                          const std::vector<Found>& found,
                                          const ResultRecord& record);

  WorkbenchOptions options;
  Decoder first;
  Decoder second;
  Annotator annotator;
  std::vector<std::unique_ptr<Bench>> warm;  ///< Most recently used last.
};

Result<Bench*, WorkError> Workbench::Parts::bench_for(const std::string& spec) {
  const auto known = std::find_if(warm.begin(), warm.end(),
                                  [&](const auto& bench) { return bench->spec == spec; });
  if (known != warm.end()) {
    std::rotate(known, known + 1, warm.end());
    return warm.back().get();
  }
  const auto parsed = parse_detector(spec);
  if (!parsed) return refuse(Reason::bad_description, parsed.error().text);
  auto detector = make_detector(*parsed, options.detectors);
  if (!detector) {
    const bool described_badly = detector.error().exit_code == exit_code::kUsage;
    return refuse(described_badly ? Reason::bad_description : Reason::detector_error,
                  detector.error().text);
  }
  if (warm.size() >= kWarmDetectorsMax) warm.erase(warm.begin());
  warm.push_back(std::make_unique<Bench>(Bench{spec, parsed->kind, std::move(*detector)}));
  return warm.back().get();
}

Result<std::vector<Bench*>, WorkError> Workbench::Parts::prepare(
    const std::vector<std::string>& specs) {
  static_assert(kDetectorsPerTaskMax < kWarmDetectorsMax);  // One task never evicts its own.
  if (specs.size() > kDetectorsPerTaskMax) {
    return refuse(Reason::bad_description,
                  fmt::format("the task names {} detectors; the limit is {}", specs.size(),
                              kDetectorsPerTaskMax));
  }
  std::vector<Bench*> chosen;
  for (const auto& spec : specs) {
    const auto bench = bench_for(spec);
    if (!bench) return fail(bench.error());
    chosen.push_back(*bench);
  }
  return chosen;
}

Result<DetectInput, WorkError> Workbench::Parts::decode(const Ask& ask,
                                                        const std::vector<Bench*>& chosen) {
  ask.observer.entered(Stage::decode, {});
  const DecodePlan plan = plan_for(ask.task, chosen);
  DetectInput input{{}, {}, ask.id.sequence, ask.attempt, ask.observer};
  const auto bytes = ask.frames.empty() ? std::span<const std::byte>{} : ask.frames[0];
  const auto picture =
      plan.pixels ? first.decode(bytes, plan.first, plan.scale) : first.measure(bytes);
  if (!picture) return refuse(picture.error().reason, picture.error().text);
  input.picture = *picture;
  if (plan.second && ask.frames.size() > 1) {
    const auto other = second.decode(ask.frames[1], {.grey = false, .bgr = true});
    if (!other) return refuse(other.error().reason, "second picture: " + other.error().text);
    input.second = *other;
  }
  return input;
}

Result<std::vector<Found>, WorkError> Workbench::Parts::detect(const Ask& ask,
                                                               const std::vector<Bench*>& chosen,
                                                               const DetectInput& input,
                                                               ResultRecord& record) {
  std::vector<Found> all;
  std::size_t count = 0;
  for (Bench* bench : chosen) {
    if (ask.observer.abandoned()) return refuse(Reason::drained, "abandoned");
    ask.observer.entered(Stage::detect, bench->kind->name);
    const Stopwatch stopwatch;
    auto found = bench->detector->detect(input);
    if (!found) return refuse(found.error().reason, found.error().text);
    count += found->detections.size();
    if (count > kDetectionsPerTaskMax) {
      return refuse(
          Reason::detector_error,
          fmt::format("detector \"{}\": more than {} detections in one picture; lower its "
                      "max_count or raise its thresholds",
                      bench->kind->name, kDetectionsPerTaskMax));
    }
    record.reports.push_back(
        {std::string(bench->kind->name),
         version_of(*bench->kind, input.picture.scale, bench->detector->version()),
         stopwatch.elapsed(), std::move(found->detections)});
    all.push_back(std::move(*found));
  }
  return all;
}

Result<std::string, WorkError> Workbench::Parts::annotate(const Ask& ask, const Picture& picture,
                                                          const std::vector<Found>& found,
                                                          const ResultRecord& record) {
  if (ask.observer.abandoned()) return refuse(Reason::drained, "abandoned");
  ask.observer.entered(Stage::annotate, {});
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < found.size(); ++i) {
    layers.push_back({record.reports[i].detector, record.reports[i].detections, found[i].mask});
  }
  auto jpeg = annotator.draw(picture.bgr, layers);
  if (!jpeg) return refuse(Reason::detector_error, jpeg.error().text);
  return std::move(*jpeg);
}

Result<Worked, WorkError> Workbench::Parts::work(const Ask& ask) {
  if (!ask.task.unreadable.empty()) return refuse(Reason::unreadable, ask.task.unreadable);
  const auto chosen = prepare(ask.task.detect);
  if (!chosen) return fail(chosen.error());

  Worked worked;
  ResultRecord& record = worked.record;
  const Stopwatch decoding;
  const auto input = decode(ask, *chosen);
  if (!input) return fail(input.error());
  record.decode = decoding.elapsed();
  record.width = static_cast<std::uint32_t>(input->picture.width);
  record.height = static_cast<std::uint32_t>(input->picture.height);
  record.damaged = input->picture.damaged;

  auto found = detect(ask, *chosen, *input, record);
  if (!found) return fail(found.error());
  if (ask.task.annotate) {
    const Stopwatch annotating;
    auto jpeg = annotate(ask, input->picture, *found, record);
    if (!jpeg) return fail(jpeg.error());
    record.annotate = annotating.elapsed();
    record.artefacts.push_back({"annotated", "jpg"});
    worked.artefacts.push_back(std::move(*jpeg));
  }
  for (auto& each : *found) {
    for (auto& picture : each.pictures) {
      record.artefacts.push_back({picture.kind, picture.extension});
      worked.artefacts.push_back(std::move(picture.bytes));
    }
  }
  return worked;
}

Workbench::Workbench(WorkbenchOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {
  use_one_opencv_thread();
}

Workbench::~Workbench() = default;
Workbench::Workbench(Workbench&&) noexcept = default;
Workbench& Workbench::operator=(Workbench&&) noexcept = default;

Result<Worked, WorkError> Workbench::work(const TaskId& id, std::uint16_t attempt,
                                          const TaskDescription& task,
                                          std::span<const std::span<const std::byte>> frames,
                                          StageObserver& observer) {
  // The fence: nothing that OpenCV or the memory throws goes further than this.
  try {
    return parts_->work({id, attempt, task, frames, observer});
  } catch (const std::bad_alloc&) {
    return refuse(Reason::detector_error, "out of memory while working on the picture");
  } catch (const cv::Exception& error) {
    return refuse(Reason::detector_error,
                  fmt::format("OpenCV: {} ({}:{})", error.err, error.func, error.line));
  } catch (const std::exception& error) {
    return refuse(Reason::detector_error, error.what());
  }
}

}  // namespace framefleet::worker
