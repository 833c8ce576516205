#pragma once
// The synthetic camera: frames whose markers and shapes synthetic_oracle.hpp knows beforehand. The
// same options and sequence give the same bytes. Memory: one frame, reused. Threads: one at a time.
// Errors: 70 where OpenCV cannot draw or encode.

#include "producer/sources/image_source.hpp"
#include "producer/sources/synthetic_options.hpp"

#include <memory>

namespace framefleet::producer {

class SyntheticSource final : public ImageSource {
 public:
  SyntheticSource(std::string name, std::uint32_t epoch, SyntheticOptions options);
  ~SyntheticSource() override;

  const std::string& name() const override { return name_; }
  std::uint32_t epoch() const override { return epoch_; }
  std::optional<std::uint64_t> count() const override;
  Duration interval() const override;
  std::optional<std::uint64_t> next_sequence(std::uint64_t from) const override;
  Result<std::optional<Picture>, Error> read(std::uint64_t sequence) override;

 private:
  struct Canvas;  // keeps OpenCV out of this header

  std::uint64_t end() const;

  std::string name_;
  std::uint32_t epoch_;
  SyntheticOptions options_;
  std::unique_ptr<Canvas> canvas_;
};

}  // namespace framefleet::producer
