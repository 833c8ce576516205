#include "shared/wire/trail.hpp"

#include <fmt/format.h>

namespace framefleet::wire {

void Trail::fail(std::string_view why, CodecError::Kind kind) {
  if (error_) return;
  std::string where(document_);
  for (std::size_t i = 0; i < depth_; ++i) {
    const auto& place = steps_.at(i);
    where += fmt::format(".{}", place.key);
    if (place.index != kNoIndex) where += fmt::format("[{}]", place.index);
  }
  error_ = CodecError{kind, fmt::format("{}: {}", where, why)};
}

void Trail::fail_whole(std::string_view why, CodecError::Kind kind) {
  if (!error_) error_ = CodecError{kind, fmt::format("{}: {}", document_, why)};
}

}  // namespace framefleet::wire
