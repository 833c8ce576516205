#include "worker/once.hpp"

#include "worker/once_line.hpp"
#include "worker/open_pool.hpp"
#include "worker/picture_files.hpp"

#include "shared/base/detector_list.hpp"
#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

/// The pictures that are worked on or wait for the line of an earlier one, for each slot: what one
/// slow picture holds up is bounded.
constexpr std::size_t kAheadPerSlot = 4;

Result<void, Error> check_all(const WorkerOptions& options, const OnceOptions& once) {
  for (const auto& spec : once.detect) {
    const auto offered = check_not_refused(options.refused_models, detector_name(spec));
    if (!offered) return fail(offered.error());
    const auto made = make_detector(spec, options.pool.workbench.detectors);
    if (!made) return fail(made.error());
  }
  for (const auto& path : once.pictures) {
    if (auto readable = check_readable(path); !readable) return readable;
  }
  return once.second.empty() ? Result<void, Error>{} : check_readable(once.second);
}

/// The payload frames of an order.
using Frames = std::vector<std::string>;

class Once {
 public:
  Once(const OnceOptions& options, std::uint64_t bytes_max, Pool& pool)
      : options_(options),
        bytes_max_(bytes_max),
        pool_(pool),
        files_(options.annotated, options.made,
               {options.pictures.begin(), options.pictures.end()}) {}

  Result<int, Error> run(const telemetry::Signals& signals) {
    while (printed_ < options_.pictures.size()) {
      if (auto begun = begin_some(); !begun) return fail(begun.error());
      std::array waits{pollfd{.fd = pool_.notify_fd(), .events = POLLIN, .revents = 0},
                       pollfd{.fd = signals.fd(), .events = POLLIN, .revents = 0}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[1].revents != 0 && signals.next()) return exit_code::kSomeFailed;
      for (auto& done : pool_.take_done()) {
        if (auto kept = keep(done); !kept) return fail(kept.error());
      }
      print_what_is_next();
      if (auto fault = pool_.fault(); !fault.empty()) return fail(Error{std::move(fault)});
    }
    return failed_ ? exit_code::kSomeFailed : exit_code::kOk;
  }

 private:
  TaskDescription describe_task(std::size_t number) const {
    TaskDescription task;
    task.origin = options_.pictures[number];
    task.detect = options_.detect;
    task.annotate = !options_.annotated.empty();
    return task;
  }

  Result<void, Error> begin_some() {
    const std::size_t ahead_max = printed_ + pool_.slots() * kAheadPerSlot;
    while (begun_ < std::min(options_.pictures.size(), ahead_max) &&
           pool_.in_use() < pool_.slots()) {
      auto frames = std::make_shared<Frames>();
      for (const fs::path& path : {fs::path(options_.pictures[begun_]), options_.second}) {
        if (path.empty()) continue;
        auto bytes = read_picture(path, bytes_max_);
        if (!bytes) return fail(bytes.error());
        frames->push_back(std::move(*bytes));
      }
      WorkOrder order;
      order.ticket = begun_;
      order.id.sequence = begun_;
      order.task = describe_task(begun_);
      for (const auto& frame : *frames) order.frames.push_back(std::as_bytes(std::span(frame)));
      order.keep_alive = std::move(frames);
      if (!pool_.start(std::move(order))) break;
      ++begun_;
    }
    return {};
  }

  Result<void, Error> keep(const WorkDone& done) {
    const auto number = static_cast<std::size_t>(done.ticket);
    std::vector<std::string> files;
    if (done.result) {
      const auto& artefacts = done.result->record.artefacts;
      for (std::size_t i = 0; i < artefacts.size(); ++i) {
        auto file = files_.write(
            number, {artefacts[i].kind, artefacts[i].extension, done.result->artefacts[i]});
        if (!file) return fail(file.error());
        files.push_back(std::move(*file));
      }
    }
    failed_ = failed_ || !done.result;
    lines_[number] = once_line(describe_task(number), number, done.result, done.elapsed, files);
    return {};
  }

  void print_what_is_next() {
    for (auto line = lines_.find(printed_); line != lines_.end(); line = lines_.find(printed_)) {
      fmt::print("{}\n", line->second);
      lines_.erase(line);
      ++printed_;
    }
    std::fflush(stdout);
  }

  const OnceOptions& options_;
  std::uint64_t bytes_max_;
  Pool& pool_;
  MadeFiles files_;
  std::size_t begun_{0};
  std::size_t printed_{0};
  std::map<std::size_t, std::string> lines_;  ///< That wait for an earlier one.
  bool failed_{false};
};

}  // namespace

void describe(config::OptionSet& set, OnceOptions& options) {
  using config::FlagStyle;
  set.section("once", "Instead of working for a broker: look at the pictures that are named.",
              FlagStyle::section_and_key)
      .add("detect", options.detect, {.help = "Detectors with options: faces?min_size=40,edges."})
      .add("annotated", options.annotated,
           {.help = "File, or folder of files, for the pictures with their detections drawn."})
      .add("made", options.made, {.help = "Folder for the pictures that detectors make."})
      .add("second", options.second, {.help = "The picture that blend and template need beside."});
  set.positional("picture", options.pictures,
                 {.help = "Pictures to look at without a broker; one line of JSON for each.",
                  .count_max = 100'000});
  set.check([&options]() -> std::optional<std::string> {
    if (options.pictures.empty() || !options.detect.empty()) return std::nullopt;
    return "once.detect names no detector for the pictures";
  });
}

Result<int, Error> work_once(WorkerOptions options, const OnceOptions& once,
                             telemetry::Program& program) {
  if (auto checked = check_all(options, once); !checked) return fail(checked.error());
  const std::size_t slots = options.slots == 0 ? telemetry::usable_cpus() : options.slots;
  options.pool.slots = std::min(slots, once.pictures.size());
  options.detectors = detector_names(once.detect);
  const auto pool = open_pool(options);
  if (!pool) return fail(pool.error());
  return Once(once, options.pool.workbench.limits.bytes_max, **pool).run(program.signals);
}

}  // namespace framefleet::worker
