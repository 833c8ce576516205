#pragma once
// Paths that come one by one on a pipe, as a source: each picture can be read when its line is
// there, and the source ends with the pipe. Entries as read_list() has them. No manifest remembers
// such a list: its next run begins at 0, in an epoch of its own.
// Memory: the paths that came. Threads: one at a time. Errors: an entry that is none ends the list,
// as Growth::trouble.

#include "producer/sources/image_source.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::producer {

class GrowingList final : public ImageSource, public Growing {
 public:
  /// `fd` stays the caller's; reading waits for poll() to call it readable, so that it need not be
  /// made non-blocking, which others that share it would feel.
  GrowingList(std::string name, std::uint32_t epoch, int fd, std::uint64_t bytes_max);

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override;
  Duration interval() const override { return Duration::zero(); }
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;
  Growing* growing() override { return this; }

  int fd() const override { return over_ ? -1 : fd_; }
  Time look_at() const override { return kNever; }
  Growth grow(Time now) override;

 private:
  Growth end(std::string trouble);
  /// False: it is no path.
  bool take(char byte);
  void take_entry();

  std::string name_;
  std::uint32_t epoch_;
  int fd_;
  std::uint64_t bytes_max_;
  std::vector<std::string> paths_;
  std::string entry_;  // the one that is being read
  bool over_{false};
};

}  // namespace framefleet::producer
