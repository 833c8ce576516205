#include "producer/sources/file_source.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/source_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::producer {

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
  Picture picture;
  picture.origin = printable(found->path);
  auto contents = read_file(found->path, bytes_max_);
  if (contents) {
    picture.bytes = std::move(contents->bytes);
    picture.captured_at_ms = contents->mtime_ms;
  } else {
    picture.unreadable = fmt::format("cannot read {}: {}", picture.origin, contents.error());
  }
  return std::optional<Picture>(std::move(picture));
}

}  // namespace framefleet::producer
