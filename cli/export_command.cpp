#include "cli/export_command.hpp"

#include "cli/categories.hpp"
#include "cli/export_formats.hpp"
#include "cli/humane.hpp"
#include "cli/operator_options.hpp"
#include "sink/stores/job_reader.hpp"
#include "sink/stores/report.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

/// Pictures that are named on stderr; the rest is a count.
constexpr std::uint64_t kNamedMax = 20;

enum class Format : std::uint8_t { coco, coco_results, yolo };

struct ExportOptions {
  std::vector<std::string> folder{"results"};
  Format format{Format::coco};
  fs::path out;
  std::string job;
  std::string detector;
  fs::path labels;
  bool scores{false};
};

void describe(config::OptionSet& set, ExportOptions& options) {
  set.section("export")
      .add("format", options.format,
           {.help = "coco: a data set (images, annotations, categories); coco-results: a list of "
                    "results for evaluation; yolo: a folder with a file for each picture.",
            .words = {{"coco", Format::coco},
                      {"coco-results", Format::coco_results},
                      {"yolo", Format::yolo}}})
      .add("out", options.out,
           {.help = "New file, or new or empty folder for yolo; without it COCO goes to stdout."})
      .add("job", options.job, {.help = "Only this job; without it all that is stored."})
      .add("detector", options.detector, {.help = "Only what this detector found."})
      .add("labels", options.labels,
           {.help = "File of class names, one a line: the first is class 0 of YOLO and category 1 "
                    "of COCO. Without it: COCO's own numbers where all labels are COCO's, else the "
                    "labels in their order."})
      .add("scores", options.scores, {.help = "yolo: the score as a sixth number in each line."});
  set.positional(
      "results", options.folder,
      {.help = "Folder of results, or the file results.sqlite. Default: results.", .count_max = 1});
  set.check([&options]() -> std::optional<std::string> {
    if (options.format == Format::yolo && options.out.empty()) {
      return "export.out has to name a folder for export.format yolo";
    }
    return std::nullopt;
  });
  set.epilog(
      "Pictures that failed, or that the detector did not look at, are in no file; they are\n"
      "counted on stderr, and the exit code is 3.\n"
      "Exit codes: 0 everything is written; 3 written, without those pictures; 64 usage, or a\n"
      "label that is not in --labels; 66 no such store or job; 73 the file exists or cannot be\n"
      "created; 74 disk error; 78 configuration.\n");
}

/// What is in no file, for people.
class Unlisted {
 public:
  Result<void, Error> add(const sink::StoredPicture& picture) {
    if (picture.revived) return {};  // The task that tried it again is another picture of the job.
    const std::string why = why_of(picture);
    if (++count_ <= kNamedMax) {
      fmt::print(stderr, "framefleet export: left out: {}: {}\n", printable(picture.origin),
                 printable(why + (picture.text.empty() ? "" : ": " + picture.text)));
    }
    ++by_reason_[why];
    return {};
  }

  /// True: there was any.
  bool report(std::uint64_t in_gaps) {
    if (in_gaps > 0) by_reason_["superseded or lost frames of live sources"] += in_gaps;
    count_ += in_gaps;
    if (count_ == 0) return false;
    fmt::print(stderr, "framefleet export: {} left out, about which nothing is known:\n", count_);
    for (const auto& [why, count] : by_reason_) {
      fmt::print(stderr, "  {:>8}  {}\n", count, printable(why));
    }
    return true;
  }

 private:
  static std::string why_of(const sink::StoredPicture& picture) {
    if (picture.status != to_string(Status::ok)) return picture.status + " " + picture.reason;
    return picture.pruned ? "removed by retention" : "not looked at by this detector";
  }

  std::uint64_t count_{0};
  std::map<std::string, std::uint64_t> by_reason_;
};

Result<void, Error> write(const ExportOptions& options, sink::JobReader& reader,
                          const Categories& categories, Unlisted& unlisted) {
  const auto note = [&](const sink::StoredPicture& picture) { return unlisted.add(picture); };
  if (options.format == Format::yolo) {
    const auto outside = write_yolo({options.out, options.scores}, reader, categories, note);
    if (!outside) return fail(outside.error());
    if (*outside > 0) {
      fmt::print(stderr, "framefleet export: {} boxes lie outside of their pictures: left out\n",
                 *outside);
    }
    return {};
  }
  auto file = OutFile::create(options.out.empty() ? fs::path("-") : options.out);
  if (!file) return fail(file.error());
  const auto write_all = options.format == Format::coco ? write_coco : write_coco_results;
  return write_all(*file, reader, categories, note);
}

Result<int, Error> export_job(const ExportOptions& options) {
  fs::path store = options.folder.empty() ? "results" : options.folder.front();
  std::error_code error;
  if (!fs::is_regular_file(store, error)) store /= "results.sqlite";
  const auto reader = sink::JobReader::open(store, {options.job, options.detector});
  if (!reader) return fail(reader.error());
  const auto stored = sink::stored_count(store, options.job);
  if (!stored) return fail(stored.error());
  if (*stored == 0) {
    return fail(Error{fmt::format("{} has nothing of {}", store.string(),
                                  options.job.empty() ? "any job" : "the job " + options.job),
                      exit_code::kNoInput});
  }
  const auto labels = (*reader)->labels();
  if (!labels) return fail(labels.error());
  const auto categories = Categories::choose(*labels, options.labels);
  if (!categories) return fail(categories.error());
  const auto in_gaps = (*reader)->frames_in_gaps();
  if (!in_gaps) return fail(in_gaps.error());
  Unlisted unlisted;
  if (auto written = write(options, **reader, *categories, unlisted); !written) {
    return fail(written.error());
  }
  return unlisted.report(*in_gaps) ? exit_code::kSomeFailed : exit_code::kOk;
}

}  // namespace

int export_command(const std::vector<std::string>& words) {
  ExportOptions options;
  config::OptionSet set("framefleet export",
                        "Writes what was found in a job's pictures as COCO or YOLO files.");
  describe(set, options);
  return run_verb(set, words, [&options] { return export_job(options); });
}

}  // namespace framefleet::cli
