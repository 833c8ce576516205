#pragma once
// Finding picture files: in folders, by patterns, in a list. What is found comes in one fixed order
// (bytes of the path), whatever order the file system has.
// Threads: any. Errors: exit codes 64 and 66, see plan.hpp.

#include "shared/base/result.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::producer {

struct Skipped;

/// A picture file that exists, or a broken link to one.
struct FoundFile {
  std::string path;  ///< As it is reached from the working folder.
  std::uint64_t size{0};
  std::int64_t mtime_ns{0};
};

/// By its name alone: jpg png webp bmp tif gif … in any case.
bool is_picture_name(std::string_view path);
/// By its name alone: avi mp4 mkv mov …
bool is_video_name(std::string_view path);
/// Has one of * ? [ {
bool is_pattern(std::string_view argument);

/// Size and modification time; both 0 where the file cannot be asked.
FoundFile found_file(std::string path);

/// All pictures in `folder` and below. Links to folders are followed, each folder is read once.
/// `entering` is asked before each folder is read; where it answers false the folder is left out.
Result<std::vector<FoundFile>, Error> search_folder(
    const std::string& folder, Skipped& skipped,
    const std::function<bool(const std::string&)>& entering = {});

struct PatternMatches {
  std::vector<FoundFile> pictures;  ///< Matching files, and all below matching folders.
  std::vector<std::string> videos;  ///< Matching videos.
};
Result<PatternMatches, Error> search_pattern(const std::string& pattern, Skipped& skipped);

inline constexpr std::size_t kListEntryBytesMax = 4096;  // PATH_MAX

/// One path per line; empty lines do not count, and a carriage return at the end neither.
Result<std::vector<std::string>, Error> read_list(std::istream& list);

}  // namespace framefleet::producer
