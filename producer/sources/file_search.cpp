#include "producer/sources/file_search.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/plan.hpp"
#include "producer/sources/source_name.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <istream>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace framefleet::producer {

namespace {

// What cameras and programs write as pictures; whether a worker decodes it is the worker's to say,
// in an outcome, not ours by leaving it out in silence.
constexpr std::array<std::string_view, 16> kPictureExtensions = {
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "dib",
    "tif", "tiff", "gif", "jp2",  "ppm", "pgm",  "pbm", "pnm"};
constexpr std::array<std::string_view, 16> kVideoExtensions = {
    "avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg", "mpeg",
    "wmv", "flv", "ts",  "mts", "3gp", "ogv",  "vob", "m2ts"};

constexpr std::size_t kFolderTextsMax = 16;

template <std::size_t N>
bool has_extension(std::string_view path, const std::array<std::string_view, N>& extensions) {
  const auto name = path.substr(path.find_last_of('/') + 1);
  const auto dot = name.find_last_of('.');
  if (dot == std::string_view::npos) return false;
  std::string extension(name.substr(dot + 1));
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

FoundFile found_file(std::string path, const struct stat& status) {
  return {std::move(path), static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// The names in a folder, unsorted; or why it cannot be read.
Result<std::vector<std::string>, std::string> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
  if (!open) return fail(system_reason(errno));
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const auto* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return fail(system_reason(errno));
  return names;
}

/// Collects pictures. Folders wait in a list instead of on the call stack, and each is entered
/// once, by its identity: links that go round in circles end.
class Search {
 public:
  using Entering = std::function<bool(const std::string&)>;
  explicit Search(Skipped& skipped, Entering entering = {})
      : skipped_(skipped), entering_(std::move(entering)) {}

  void add_folder(const std::string& folder) { waiting_.push_back(folder); }

  /// A file or folder that was met, with its own name's rules already applied.
  void add(std::string path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      // A broken link, or one that may not be followed: its name says what it was meant to be.
      if (is_picture_name(path)) {
        found_.push_back({std::move(path), 0, 0});
      } else {
        ++skipped_.other_extension;
      }
    } else if (S_ISDIR(status.st_mode)) {
      struct stat link {};
      const bool is_link = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
      (is_link ? waiting_links_ : waiting_).push_back(std::move(path));
    } else if (!S_ISREG(status.st_mode)) {
      ++skipped_.special;
    } else if (is_picture_name(path)) {
      found_.push_back(found_file(std::move(path), status));
    } else if (is_video_name(path)) {
      ++skipped_.videos;
    } else {
      ++skipped_.other_extension;
    }
  }

  Result<std::vector<FoundFile>, Error> run() {
    while (!waiting_.empty() || !waiting_links_.empty()) {
      auto& next = waiting_.empty() ? waiting_links_ : waiting_;
      const auto folder = std::move(next.back());
      next.pop_back();
      read_folder(folder);
      if (found_.size() > kPicturesMax) {
        return fail(Error{fmt::format("{}: more than {} pictures; give its sub-folders to runs of "
                                      "their own",
                                      printable(folder), kPicturesMax),
                          exit_code::kUsage});
      }
    }
    std::sort(found_.begin(), found_.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  void read_folder(const std::string& folder) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0 &&
        !entered_.insert({status.st_dev, status.st_ino}).second) {
      return;
    }
    if (entering_ && !entering_(folder)) return;
    auto names = names_in(folder);
    if (!names) {
      ++skipped_.unreadable_folders;
      if (skipped_.unreadable_folder_texts.size() < kFolderTextsMax) {
        skipped_.unreadable_folder_texts.push_back(
            fmt::format("{}: {}", printable(folder), names.error()));
      }
      return;
    }
    // Sorted so that of two ways to one folder the same one is taken every time.
    std::sort(names->begin(), names->end(), std::greater<>());
    for (const auto& name : *names) {
      if (name.front() == '.') {
        ++skipped_.hidden;
      } else {
        add(folder.back() == '/' ? folder + name : folder + '/' + name);
      }
    }
  }

  Skipped& skipped_;
  Entering entering_;
  std::vector<std::string> waiting_;
  std::vector<std::string> waiting_links_;
  std::vector<FoundFile> found_;
  std::set<std::pair<dev_t, ino_t>> entered_;
};

}  // namespace

bool is_picture_name(std::string_view path) { return has_extension(path, kPictureExtensions); }

bool is_video_name(std::string_view path) { return has_extension(path, kVideoExtensions); }

bool is_pattern(std::string_view argument) {
  return argument.find_first_of("*?[{") != std::string_view::npos;
}

FoundFile found_file(std::string path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {std::move(path), 0, 0};
  return found_file(std::move(path), status);
}

Result<std::vector<FoundFile>, Error> search_folder(
    const std::string& folder, Skipped& skipped,
    const std::function<bool(const std::string&)>& entering) {
  Search search(skipped, entering);
  search.add_folder(folder);
  return search.run();
}

Result<PatternMatches, Error> search_pattern(const std::string& pattern, Skipped& skipped) {
  if (pattern.find("**") != std::string::npos) {
    return fail(Error{fmt::format("{}: ** is no pattern here; a folder is always read with its "
                                  "sub-folders, so name the folder",
                                  printable(pattern)),
                      exit_code::kUsage});
  }
  glob_t matches{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> release(&matches, ::globfree);
  const int status = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &matches);
  if (status != 0 && status != GLOB_NOMATCH) {
    return fail(Error{fmt::format("{}: the pattern cannot be searched for", printable(pattern)),
                      exit_code::kNoInput});
  }
  PatternMatches result;
  Search search(skipped);
  for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
    std::string path = matches.gl_pathv[i];
    struct stat file {};
    if (is_video_name(path) && ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode)) {
      result.videos.push_back(std::move(path));
    } else {
      search.add(std::move(path));
    }
  }
  std::sort(result.videos.begin(), result.videos.end());
  auto pictures = search.run();
  if (!pictures) return fail(pictures.error());
  result.pictures = std::move(*pictures);
  // Braces can match one file twice.
  const auto same = [](const FoundFile& a, const FoundFile& b) { return a.path == b.path; };
  const auto repeated = std::unique(result.pictures.begin(), result.pictures.end(), same);
  skipped.repeated += static_cast<std::uint64_t>(result.pictures.end() - repeated);
  result.pictures.erase(repeated, result.pictures.end());
  result.videos.erase(std::unique(result.videos.begin(), result.videos.end()), result.videos.end());
  return result;
}

Result<std::vector<std::string>, Error> read_list(std::istream& list) {
  std::vector<std::string> paths;
  std::string entry;
  std::uint64_t number = 1;
  const auto refused = [&](std::string_view why) {
    return fail(Error{fmt::format("entry {} of the list on standard input {}", number, why),
                      exit_code::kNoInput});
  };
  const auto take = [&] {
    if (!entry.empty() && entry.back() == '\r') entry.pop_back();
    if (!entry.empty()) paths.push_back(entry);
    entry.clear();
    ++number;
  };
  for (int c = list.get(); c != std::istream::traits_type::eof(); c = list.get()) {
    const char byte = std::istream::traits_type::to_char_type(c);
    if (byte == '\n') {
      if (paths.size() >= kPicturesMax) return refused("is one too many; split the list");
      take();
    } else if (byte == '\0') {
      return refused("holds a zero byte; it takes one path per line (find without -print0)");
    } else if (entry.size() >= kListEntryBytesMax) {
      return refused("is longer than a path can be; it takes one path per line");
    } else {
      entry += byte;
    }
  }
  take();
  return paths;
}

}  // namespace framefleet::producer
