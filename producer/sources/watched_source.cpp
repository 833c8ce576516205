#include "producer/sources/watched_source.hpp"

#include "producer/sources/file_source.hpp"
#include "producer/sources/source_name.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::producer {
namespace {

/// A full disk may have room again.
constexpr Duration kRetryInterval = std::chrono::seconds{5};

}  // namespace

WatchedSource::WatchedSource(FolderWatch watch, Manifest& manifest, std::string key,
                             SourceNumbers numbers, const std::vector<FoundFile>& found,
                             std::uint64_t bytes_max)
    : watch_(std::move(watch)),
      manifest_(manifest),
      key_(std::move(key)),
      name_(std::move(numbers.name)),
      epoch_(numbers.epoch),
      bytes_max_(bytes_max) {
  FRAMEFLEET_ASSERT(found.size() == numbers.sequences.size());
  for (std::size_t i = 0; i < found.size(); ++i) remember(found[i], numbers.sequences[i]);
}

std::optional<std::uint64_t> WatchedSource::next_sequence(std::uint64_t from) const {
  const auto next = numbers_.lower_bound(from);
  if (next == numbers_.end()) return std::nullopt;
  return next->first;
}

Result<std::optional<Picture>, Error> WatchedSource::read(std::uint64_t sequence) {
  const auto number = numbers_.find(sequence);
  if (number == numbers_.end()) return std::optional<Picture>{};
  const std::string path = *number->second;
  auto picture = read_picture(path, bytes_max_);
  auto& file = files_.at(path);
  file.read = true;
  if (file.gone) forget(path);
  return std::optional<Picture>(std::move(picture));
}

Time WatchedSource::look_at() const { return std::min(watch_.look_at(), number_at_); }

Growth WatchedSource::grow(Time now) {
  auto news = watch_.news(skipped_, now);
  if (!news) return {.over = true, .trouble = news.error().text};
  for (const auto& path : news->gone) is_gone(path);
  for (const auto& folder : news->gone_folders) {
    std::vector<std::string> below;
    for (const auto& [path, file] : files_) {
      if (is_below(path, folder)) below.push_back(path);
    }
    for (const auto& path : below) is_gone(path);
  }
  for (auto& file : news->complete) {
    const auto found = files_.find(file.path);
    const bool known = found != files_.end() && !found->second.gone &&
                       found->second.size == file.size && found->second.mtime_ns == file.mtime_ns;
    if (!known) came_.push_back(std::move(file));
  }
  if (came_.empty()) number_at_ = kNever;  // what could not be numbered is gone again
  if (came_.empty() || (number_at_ != kNever && now < number_at_)) return {};
  return number_what_came(now);
}

Growth WatchedSource::number_what_came(Time now) {
  // Of several reports of one file the last one counts.
  std::stable_sort(came_.begin(), came_.end(),
                   [](const auto& a, const auto& b) { return a.path < b.path; });
  std::vector<FileState> states;
  std::vector<FoundFile> last;
  for (auto& file : came_) {
    if (!last.empty() && last.back().path == file.path) last.pop_back();
    last.push_back(std::move(file));
  }
  for (const auto& file : last) {
    states.push_back({canonical_argument(file.path), file.size, file.mtime_ns});
  }
  const auto sequences = manifest_.append(key_, states);
  came_ = std::move(last);
  number_at_ = sequences ? kNever : now + kRetryInterval;
  if (!sequences) return {.trouble = sequences.error().text};
  for (std::size_t i = 0; i < came_.size(); ++i) remember(came_[i], (*sequences)[i]);
  came_.clear();
  return {.grew = true};
}

void WatchedSource::remember(const FoundFile& file, std::uint64_t sequence) {
  forget(file.path);
  const auto [position, is_new] =
      files_.try_emplace(file.path, File{sequence, file.size, file.mtime_ns});
  FRAMEFLEET_ASSERT(is_new);
  numbers_.emplace(sequence, &position->first);
}

/// Whoever removes a picture before it is read hears so from its outcome.
void WatchedSource::is_gone(const std::string& path) {
  std::erase_if(came_, [&](const FoundFile& file) { return file.path == path; });
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  found->second.gone = true;
  if (found->second.read) forget(path);
}

void WatchedSource::forget(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  numbers_.erase(found->second.sequence);
  files_.erase(found);
}

}  // namespace framefleet::producer
