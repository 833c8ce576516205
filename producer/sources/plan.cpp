#include "producer/sources/plan.hpp"

#include "producer/sources/file_search.hpp"
#include "producer/sources/file_source.hpp"
#include "producer/sources/folder_watch.hpp"
#include "producer/sources/growing_list.hpp"
#include "producer/sources/source_name.hpp"
#include "producer/sources/synthetic_source.hpp"
#include "producer/sources/video_source.hpp"
#include "producer/sources/watched_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace framefleet::producer {

namespace {

constexpr std::string_view kFilesKey = "files";

auto no_input(std::string text) { return fail(Error{std::move(text), exit_code::kNoInput}); }
auto usage(std::string text) { return fail(Error{std::move(text), exit_code::kUsage}); }

class Planner {
 public:
  Planner(const PlanOptions& options, Manifest manifest) : options_(options) {
    plan_.manifest = std::make_unique<Manifest>(std::move(manifest));
  }

  Result<void, Error> add(const std::string& argument) {
    if (argument.empty()) return usage("an argument is empty; name a file, a folder or a source");
    const auto key = canonical_argument(argument);
    if (!seen_.insert(key).second) {
      ++plan_.skipped.repeated;
      return {};
    }
    if (argument == "-") return add_list();
    if (argument.substr(0, kSyntheticScheme.size()) == kSyntheticScheme) {
      return add_synthetic(argument);
    }
    struct stat status {};
    if (::stat(argument.c_str(), &status) != 0) {
      if (is_pattern(argument)) return add_pattern(argument);
      return add_missing(argument);
    }
    if (S_ISDIR(status.st_mode)) return add_folder(argument);
    if (!S_ISREG(status.st_mode)) {
      return no_input(fmt::format("{} is neither a file nor a folder", printable(argument)));
    }
    if (is_video_name(argument)) return add_video(argument);
    add_file(argument);
    return {};
  }

  /// What the arguments made, with its numbers on disk.
  Result<Plan, Error> finished() {
    if (!files_.empty()) {
      auto source =
          numbered_source(std::string(kFilesKey), std::string(kFilesKey), std::move(files_));
      plan_.sources.insert(plan_.sources.begin() + static_cast<std::ptrdiff_t>(files_place_),
                           std::move(source));
    }
    if (auto saved = manifest().save(); !saved) return fail(saved.error());
    manifest().let_go_of_files();
    return std::move(plan_);
  }

 private:
  Manifest& manifest() { return *plan_.manifest; }

  static Result<void, Error> add_missing(const std::string& argument) {
    const auto scheme = argument.find("://");
    if (scheme != std::string::npos) {
      return usage(fmt::format("{}: sources are files, folders, patterns, videos, - and {}",
                               printable(argument), kSyntheticScheme));
    }
    return no_input(fmt::format("{} does not exist (seen from {})", printable(argument),
                                printable(canonical_argument("."))));
  }

  Result<void, Error> add_list() {
    // A manifest says which pictures there are: a list is read before it is written.
    if (options_.watch && options_.manifest_folder.empty()) return add_growing_list();
    if (options_.list == nullptr) return usage("-: there is no standard input to read a list from");
    const auto paths = read_list(*options_.list);
    if (!paths) return fail(paths.error());
    if (paths->empty()) {
      return no_input("the list on standard input is empty; give one path per line");
    }
    for (const auto& path : *paths) add_file(path);
    return {};
  }

  Result<void, Error> add_growing_list() {
    if (options_.list_fd < 0) return usage("-: there is no standard input to read a list from");
    plan_.sources.push_back(std::make_unique<GrowingList>(source_name(options_.job, "-"),
                                                          options_.fresh_epoch, options_.list_fd,
                                                          options_.picture_bytes_max));
    return {};
  }

  void add_file(const std::string& path) {
    if (files_.empty()) files_place_ = plan_.sources.size();
    if (listed_.insert(canonical_argument(path)).second) {
      files_.push_back(found_file(path));
    } else {
      ++plan_.skipped.repeated;
    }
  }

  Result<void, Error> add_synthetic(const std::string& argument) {
    auto options = parse_synthetic(argument);
    if (!options) return fail(options.error());
    const auto numbers = manifest().number_whole(
        to_argument(*options),
        source_name(options_.job, options->name.empty() ? argument : options->name),
        options_.fresh_epoch, FileState{argument, 0, 0});
    plan_.sources.push_back(
        std::make_unique<SyntheticSource>(numbers.name, numbers.epoch, std::move(*options)));
    return {};
  }

  Result<void, Error> add_video(const std::string& argument) {
    const auto key = canonical_argument(argument);
    const auto file = found_file(argument);
    const auto numbers =
        manifest().number_whole(key, source_name(options_.job, normal_argument(argument)),
                                options_.fresh_epoch, FileState{key, file.size, file.mtime_ns});
    auto video = VideoSource::open(
        numbers.name, numbers.epoch, argument,
        {options_.realtime ? VideoPace::own : VideoPace::as_accepted, options_.capture_program});
    if (!video) return fail(video.error());
    plan_.sources.push_back(std::move(*video));
    return {};
  }

  Result<void, Error> add_watched_folder(const std::string& argument) {
    auto watch = FolderWatch::open(argument);
    if (!watch) return fail(watch.error());
    auto found = watch->search(plan_.skipped, options_.now);
    if (!found) return fail(found.error());
    arrange(*found);
    auto key = canonical_argument(argument);
    auto numbers =
        manifest().number_files(key, source_name(options_.job, normal_argument(argument)),
                                options_.fresh_epoch, states_of(*found), Absent::is_forgotten);
    plan_.sources.push_back(std::make_unique<WatchedSource>(std::move(*watch), manifest(),
                                                            std::move(key), std::move(numbers),
                                                            *found, options_.picture_bytes_max));
    return {};
  }

  Result<void, Error> add_folder(const std::string& argument) {
    if (options_.watch) return add_watched_folder(argument);
    const auto before = plan_.skipped;
    auto found = search_folder(argument, plan_.skipped);
    if (!found) return fail(found.error());
    if (found->empty()) return nothing_found(argument, "holds no pictures", before);
    plan_.sources.push_back(numbered_source(canonical_argument(argument), normal_argument(argument),
                                            std::move(*found)));
    return {};
  }

  Result<void, Error> add_pattern(const std::string& argument) {
    if (options_.watch) {
      return usage(
          fmt::format("{}: a pattern cannot be watched; name the folder", printable(argument)));
    }
    const auto before = plan_.skipped;
    auto found = search_pattern(argument, plan_.skipped);
    if (!found) return fail(found.error());
    if (found->pictures.empty() && found->videos.empty()) {
      return nothing_found(argument, "matches no pictures", before);
    }
    if (!found->pictures.empty()) {
      plan_.sources.push_back(numbered_source(
          canonical_argument(argument), normal_argument(argument), std::move(found->pictures)));
    }
    for (const auto& video : found->videos) {
      if (!seen_.insert(canonical_argument(video)).second) {
        ++plan_.skipped.repeated;
      } else if (auto added = add_video(video); !added) {
        return added;
      }
    }
    return {};
  }

  /// An error that says what was there instead.
  Result<void, Error> nothing_found(const std::string& argument, std::string_view what,
                                    const Skipped& before) const {
    const auto& now = plan_.skipped;
    std::string instead;
    const auto mention = [&](std::uint64_t count, std::string_view text) {
      if (count == 0) return;
      instead += fmt::format("{}{} {}", instead.empty() ? "; left out: " : ", ", count, text);
    };
    mention(now.videos - before.videos, "video(s), which have to be named one by one");
    mention(now.other_extension - before.other_extension,
            "file(s) not named like a picture (jpg, png, webp, bmp, tif, …), which are taken when "
            "they are named one by one");
    mention(now.hidden - before.hidden, "hidden");
    mention(now.special - before.special, "that are no files");
    if (now.unreadable_folders > before.unreadable_folders) {
      mention(now.unreadable_folders - before.unreadable_folders, "folder(s) that cannot be read");
      if (!now.unreadable_folder_texts.empty()) {
        instead += fmt::format(" ({})", now.unreadable_folder_texts.back());
      }
    }
    return no_input(fmt::format("{} {}{}", printable(argument), what, instead));
  }

  /// Into the order in which what has no number yet gets one.
  void arrange(std::vector<FoundFile>& files) const {
    if (!options_.shuffle) return;
    std::mt19937_64 random(*options_.shuffle);
    for (std::size_t left = files.size(); left > 1; --left) {
      std::swap(files[left - 1], files[random() % left]);
    }
  }

  static std::vector<FileState> states_of(const std::vector<FoundFile>& found) {
    std::vector<FileState> states;
    states.reserve(found.size());
    for (const auto& file : found) {
      states.push_back({canonical_argument(file.path), file.size, file.mtime_ns});
    }
    return states;
  }

  std::unique_ptr<ImageSource> numbered_source(const std::string& key, const std::string& name,
                                               std::vector<FoundFile> found) {
    arrange(found);
    const auto numbers = manifest().number_files(key, source_name(options_.job, name),
                                                 options_.fresh_epoch, states_of(found));
    std::vector<NumberedFile> files;
    files.reserve(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      files.push_back({numbers.sequences[i], std::move(found[i].path)});
    }
    return std::make_unique<FileSource>(numbers.name, numbers.epoch, std::move(files),
                                        options_.picture_bytes_max);
  }

  const PlanOptions& options_;
  Plan plan_;
  std::set<std::string> seen_;  // canonical arguments
  std::vector<FoundFile> files_;
  std::unordered_set<std::string> listed_;  // canonical paths of files_
  std::size_t files_place_{0};
};

}  // namespace

Result<Plan, Error> plan_sources(const std::vector<std::string>& arguments,
                                 const PlanOptions& options) {
  if (arguments.empty()) {
    return usage("nothing to work on: name files, folders, patterns, videos, - or synthetic:");
  }
  if (!options.job.empty() && !is_plain_name(options.job)) {
    return usage(
        fmt::format("job '{}': a job is 1 to 64 of the characters A-Z a-z 0-9 . _ - and "
                    "does not start with a dot",
                    printable(options.job)));
  }
  Manifest manifest;
  if (!options.manifest_folder.empty()) {
    if (options.job.empty()) return usage("a manifest needs the name of a job");
    auto opened = Manifest::open(options.manifest_folder, options.job);
    if (!opened) return fail(opened.error());
    manifest = std::move(*opened);
  }
  Planner planner(options, std::move(manifest));
  for (const auto& argument : arguments) {
    if (auto added = planner.add(argument); !added) return fail(added.error());
  }
  return planner.finished();
}

}  // namespace framefleet::producer
