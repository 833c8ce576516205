#include "producer/sources/file_source.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/source_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::producer {

Picture read_picture(const std::string& path, std::uint64_t bytes_max) {
  Picture picture;
  picture.origin = printable(path);
  auto contents = read_file(path, bytes_max);
  if (contents) {
    picture.bytes = std::move(contents->bytes);
    picture.captured_at_ms = contents->mtime_ms;
  } else {
    picture.unreadable = fmt::format("cannot read {}: {}", picture.origin, contents.error());
  }
  return picture;
}

FileSource::FileSource(std::string name, std::uint32_t epoch, std::vector<NumberedFile> files,
                       std::uint64_t bytes_max)
    : name_(std::move(name)), epoch_(epoch), files_(std::move(files)), bytes_max_(bytes_max) {
  std::sort(files_.begin(), files_.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
}

std::vector<NumberedFile>::const_iterator FileSource::at_or_after(std::uint64_t sequence) const {
  return std::lower_bound(
      files_.begin(), files_.end(), sequence,
      [](const NumberedFile& file, std::uint64_t wanted) { return file.sequence < wanted; });
}

std::optional<std::uint64_t> FileSource::next_sequence(std::uint64_t from) const {
  const auto found = at_or_after(from);
  if (found == files_.end()) return std::nullopt;
  return found->sequence;
}

Result<std::optional<Picture>, Error> FileSource::read(std::uint64_t sequence) {
  const auto found = at_or_after(sequence);
  if (found == files_.end() || found->sequence != sequence) return std::optional<Picture>{};
  return std::optional<Picture>(read_picture(found->path, bytes_max_));
}

}  // namespace framefleet::producer
