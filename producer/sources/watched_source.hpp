#pragma once
// A watched folder as a source: the pictures that are there, and every one that comes while it is
// read, numbered in the order in which they are complete. A file that is written again, or moved
// away and back, is another picture with another number; under its old number there is none then.
// Memory: the paths of the files that are there. Threads: one at a time.
// Errors: those of the watch and the manifest, as Growth::trouble.

#include "producer/sources/folder_watch.hpp"
#include "producer/sources/image_source.hpp"
#include "producer/sources/manifest.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace framefleet::producer {

class WatchedSource final : public ImageSource, public Growing {
 public:
  /// `found`: what the watch's search gave, with its `numbers`. `key`: the source's in `manifest`,
  /// which must outlive it.
  WatchedSource(FolderWatch watch, Manifest& manifest, std::string key, SourceNumbers numbers,
                const std::vector<FoundFile>& found, std::uint64_t bytes_max);

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override { return std::nullopt; }
  Duration interval() const override { return Duration::zero(); }
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;
  Growing* growing() override { return this; }

  int fd() const override { return watch_.fd(); }
  Time look_at() const override;
  Growth grow(Time now) override;

 private:
  struct File {
    std::uint64_t sequence{0};
    std::uint64_t size{0};
    std::int64_t mtime_ns{0};
    bool read{false};
    bool gone{false};  // and not read yet, which will be told when it is
  };

  void remember(const FoundFile& file, std::uint64_t sequence);
  void forget(const std::string& path);
  void is_gone(const std::string& path);
  Growth number_what_came(Time now);

  FolderWatch watch_;
  Manifest& manifest_;
  std::string key_;
  std::string name_;
  std::uint32_t epoch_;
  std::uint64_t bytes_max_;
  std::unordered_map<std::string, File> files_;          // by path
  std::map<std::uint64_t, const std::string*> numbers_;  // of files_: their keys
  std::vector<FoundFile> came_;                          // not numbered yet
  Time number_at_{kNever};                               // when that is tried again
  Skipped skipped_;
};

}  // namespace framefleet::producer
