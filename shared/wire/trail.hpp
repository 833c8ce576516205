#pragma once
// Where in a document reader or writer stand, and the first thing that was wrong there.
// After a failure everything else is a no-op, so that `fields` needs no branches.
// Threads: none (one call's own).

#include "shared/wire/codec.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace framefleet::wire {

class Trail {
 public:
  /// `document`: the name of the message, or "task", or "record".
  explicit Trail(std::string_view document) : document_(document) {}

  /// Stands on a key while it lives.
  class Step {
   public:
    Step(Trail& trail, std::string_view key) : trail_(trail) {
      trail_.steps_.at(trail_.depth_++) = Place{key, kNoIndex};
    }
    ~Step() { --trail_.depth_; }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Trail& trail_;
  };

  /// Stands on an item of the list under the last key.
  void index(std::size_t i) { steps_.at(depth_ - 1).index = i; }

  bool failed() const { return error_.has_value(); }
  /// Keeps the first failure; `why` is joined to where the trail stands ("submit.tasks[3].id: ").
  void fail(std::string_view why, CodecError::Kind kind = CodecError::Kind::malformed);
  /// A failure of the whole document: its place is the document's name.
  void fail_whole(std::string_view why, CodecError::Kind kind = CodecError::Kind::malformed);
  /// The failure of a trail that failed().
  CodecError take_error() { return std::move(*error_); }

 private:
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);
  static constexpr std::size_t kStepsMax = 8;
  struct Place {
    std::string_view key;
    std::size_t index{kNoIndex};
  };

  std::string_view document_;
  std::array<Place, kStepsMax> steps_{};
  std::size_t depth_{0};
  std::optional<CodecError> error_;
};

}  // namespace framefleet::wire
