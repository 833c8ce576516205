#include "cli/stats_command.hpp"

#include "cli/operator_options.hpp"
#include "cli/picture_stats.hpp"
#include "producer/sources/file_search.hpp"
#include "producer/sources/plan.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/config/option_set.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <iterator>
#include <system_error>
#include <utility>

namespace framefleet::cli {
namespace {

/// Where nearly every header ends, the preview picture of a camera included. What does not end here
/// is read in full.
constexpr std::uint64_t kHeaderBytes = std::uint64_t{64} << 10U;

struct StatsOptions {
  std::vector<std::string> sources;
  bool json{false};
};

void describe(config::OptionSet& set, StatsOptions& options) {
  set.section("stats").add("json", options.json, {.help = "One JSON object instead of tables."});
  set.positional("source", options.sources,
                 {.help = "Pictures, folders, globs, or - for a list on stdin.", .count_min = 1});
  set.epilog(
      "Only the headers of the files are read: a picture whose pixels are damaged is not found.\n"
      "Exit codes: 0 told; 3 told, and some files are bad (each is named); 64 usage; 66 no input;\n"
      "70 internal; 78 configuration.\n");
}

void append(std::vector<producer::FoundFile>& files, std::vector<producer::FoundFile> more) {
  std::move(more.begin(), more.end(), std::back_inserter(files));
}

/// The files that a run would take, by the producer's own rules.
Result<void, Error> find(const std::string& source, std::vector<producer::FoundFile>& files,
                         producer::Skipped& skipped) {
  struct stat status {};
  if (source == "-") {
    auto paths = producer::read_list(std::cin);
    if (!paths) return fail(paths.error());
    for (auto& path : *paths) files.push_back(producer::found_file(std::move(path)));
  } else if (::stat(source.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      auto found = producer::search_folder(source, skipped);
      if (!found) return fail(found.error());
      append(files, std::move(*found));
    } else if (producer::is_video_name(source)) {
      ++skipped.videos;
    } else {
      files.push_back(producer::found_file(source));
    }
  } else if (producer::is_pattern(source)) {
    auto found = producer::search_pattern(source, skipped);
    if (!found) return fail(found.error());
    skipped.videos += found->videos.size();
    append(files, std::move(found->pictures));
  } else {
    return fail(Error{source + " does not exist", exit_code::kNoInput});
  }
  return {};
}

/// The first `count` bytes of a file, or all of it where there are fewer; or why not.
Result<std::size_t, std::string> read_beginning(const std::string& path, std::uint64_t count,
                                                std::vector<std::byte>& bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const auto reason = [] { return fail(std::generic_category().message(errno)); };
  if (!fd) return reason();
  bytes.resize(std::max<std::size_t>(bytes.size(), count));
  std::size_t filled = 0;
  while (filled < count) {
    const auto got = ::read(fd.get(), bytes.data() + filled, count - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return reason();
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

void look_at(const producer::FoundFile& file, std::vector<std::byte>& bytes, PictureStats& stats) {
  worker::ImageLimits limits;
  limits.formats = worker::FormatSet::all();
  const auto bad = [&](Reason reason, std::string text) {
    stats.add_bad({file.path, std::string(to_string(reason)), std::move(text)});
  };
  for (const auto count : {kHeaderBytes, file.size}) {
    const auto read = read_beginning(file.path, std::min(count, limits.bytes_max), bytes);
    if (!read) return bad(Reason::unreadable, read.error());
    const auto header = worker::inspect_image(std::span(bytes).first(*read), limits);
    if (header) return stats.add(file.size, *header);
    if (file.size > limits.bytes_max) {
      return bad(Reason::too_large_picture, fmt::format("the file has {} bytes; the limit is {}",
                                                        file.size, limits.bytes_max));
    }
    if (*read >= file.size) return bad(header.error().reason, header.error().text);
  }
}

Result<int, Error> tell(const StatsOptions& options) {
  const Time began_at = telemetry::monotonic_now();
  std::vector<producer::FoundFile> files;
  producer::Skipped skipped;
  for (const auto& source : options.sources) {
    if (auto found = find(source, files, skipped); !found) return fail(found.error());
  }
  if (files.empty()) {
    return fail(
        Error{"no pictures were found: files in folders are taken by their names (.jpg, "
              ".png, …)",
              exit_code::kNoInput});
  }
  PictureStats stats;
  std::vector<std::byte> bytes;
  for (const auto& file : files) look_at(file, bytes, stats);
  const StatsRemarks remarks{
      .left_out = skipped.hidden + skipped.other_extension + skipped.videos + skipped.special,
      .seconds = seconds(telemetry::monotonic_now() - began_at)};
  for (const auto& text : skipped.unreadable_folder_texts) {
    fmt::print(stderr, "framefleet stats: {}\n", text);
  }
  if (options.json) {
    fmt::print("{}\n", render_json(stats, remarks));
  } else {
    fmt::print("{}", render_text(stats, remarks));
  }
  const bool all_well = stats.bad == 0 && skipped.unreadable_folders == 0;
  return all_well ? exit_code::kOk : exit_code::kSomeFailed;
}

}  // namespace

int stats_command(const std::vector<std::string>& words) {
  StatsOptions options;
  config::OptionSet set("framefleet stats",
                        "Tells what pictures there are, from the headers of their files.");
  describe(set, options);
  return run_verb(set, words, [&options] { return tell(options); });
}

}  // namespace framefleet::cli
