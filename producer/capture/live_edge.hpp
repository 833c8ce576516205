#pragma once
// Whether a reader of a live stream has fallen behind it, and by how much. Pictures that wait in
// the buffers of two kernels come without a wait and late by their own time stamps. Two in a row
// that had to be waited for, equally late, are the newest there are: of one alone that cannot be
// said, because whoever is held up while it waits has waited too. Behind by more than kBehindMax,
// everything up to a key frame is dropped undecoded, which is far quicker than decoding: so lag
// does not build up where a camera gives more than this machine can decode.
//
// Pure: times are given. Threads: one.

#include "shared/base/time.hpp"

#include <chrono>

namespace framefleet::producer {

inline constexpr Duration kBehindMax = std::chrono::milliseconds{500};
inline constexpr Duration kCaughtUp = std::chrono::milliseconds{100};

class LiveEdge {
 public:
  /// A packet was read at `now`. `stamp`: its own time. `waited`: the read had to wait for it.
  /// Answers whether it is to be decoded.
  bool wanted(Duration stamp, Time now, bool waited, bool key) {
    const Duration offset = now.time_since_epoch() - stamp;
    const bool both_waited = waited && waited_before_ && offset - offset_before_ < kCaughtUp;
    if (!known_ || offset < edge_ || both_waited) edge_ = offset;
    known_ = true;
    waited_before_ = waited;
    offset_before_ = offset;
    const Duration behind = offset - edge_;
    if (behind > kBehindMax && !waited) skipping_ = true;
    if (!skipping_) return true;
    if (!key) return false;
    skipping_ = behind > kCaughtUp;
    return true;
  }

 private:
  bool known_{false};
  bool waited_before_{false};
  Duration offset_before_{};
  bool skipping_{false};
  Duration edge_{};  // of a packet that is the newest: its arrival less its stamp
};

}  // namespace framefleet::producer
