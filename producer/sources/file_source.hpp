#pragma once
// A list of picture files as a source. A file that cannot be read is a picture that says why.
// Invariants: sequences increase. Memory: the paths, and one picture while it is read.
// Threads: one at a time. Errors: none of its own (see Picture::unreadable).

#include "producer/sources/image_source.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::producer {

struct NumberedFile {
  std::uint64_t sequence{0};
  std::string path;  ///< As it is opened and, made printable, shown.
};

/// The file as it is now; one that cannot be read, or is above `bytes_max`, says so.
Picture read_picture(const std::string& path, std::uint64_t bytes_max);

class FileSource final : public ImageSource {
 public:
  /// `files` in any order, no sequence twice; a file above `bytes_max` is unreadable.
  FileSource(std::string name, std::uint32_t epoch, std::vector<NumberedFile> files,
             std::uint64_t bytes_max);

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override { return files_.size(); }
  Duration interval() const override { return Duration::zero(); }
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;

 private:
  std::vector<NumberedFile>::const_iterator at_or_after(std::uint64_t sequence) const;

  std::string name_;
  std::uint32_t epoch_;
  std::vector<NumberedFile> files_;  // by sequence
  std::uint64_t bytes_max_;
};

}  // namespace framefleet::producer
