#include "producer/sources/growing_list.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/file_search.hpp"
#include "producer/sources/file_source.hpp"
#include "producer/sources/plan.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr int kReadsAtOnce = 16;
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;

bool is_readable(int fd) {
  pollfd readable{fd, POLLIN, 0};
  return ::poll(&readable, 1, 0) > 0;
}

}  // namespace

GrowingList::GrowingList(std::string name, std::uint32_t epoch, int fd, std::uint64_t bytes_max)
    : name_(std::move(name)), epoch_(epoch), fd_(fd), bytes_max_(bytes_max) {}

std::optional<std::uint64_t> GrowingList::count() const {
  return over_ ? std::optional<std::uint64_t>(paths_.size()) : std::nullopt;
}

std::optional<std::uint64_t> GrowingList::next_sequence(std::uint64_t from) const {
  if (from >= paths_.size()) return std::nullopt;
  return from;
}

Result<std::optional<Picture>, Error> GrowingList::read(std::uint64_t sequence) {
  if (sequence >= paths_.size()) return std::optional<Picture>{};
  return std::optional<Picture>(read_picture(paths_[sequence], bytes_max_));
}

Growth GrowingList::grow(Time /*now*/) {
  if (over_) return {};
  const auto before = paths_.size();
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsAtOnce && is_readable(fd_); ++i) {
    const auto got = ::read(fd_, bytes.data(), bytes.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) break;
    if (got < 0) return end("the list on standard input: " + system_reason(errno));
    if (got == 0) {
      take_entry();
      return end({});
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); ++at) {
      if (take(bytes[at])) continue;
      return end(
          fmt::format("the list on standard input ends early: its entry after {} pictures "
                      "is no path (too long, a zero byte, or one too many)",
                      paths_.size()));
    }
  }
  return {.grew = paths_.size() > before};
}

Growth GrowingList::end(std::string trouble) {
  over_ = true;
  return {.grew = true, .over = true, .trouble = std::move(trouble)};
}

bool GrowingList::take(char byte) {
  if (byte == '\n') {
    take_entry();
    return paths_.size() <= kPicturesMax;
  }
  entry_ += byte;
  return byte != '\0' && entry_.size() <= kListEntryBytesMax;
}

void GrowingList::take_entry() {
  if (!entry_.empty() && entry_.back() == '\r') entry_.pop_back();
  if (!entry_.empty()) paths_.push_back(std::exchange(entry_, {}));
}

}  // namespace framefleet::producer
