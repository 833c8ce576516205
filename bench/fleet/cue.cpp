#include "bench/fleet/cue.hpp"

#include "shared/base/time.hpp"
#include "shared/processes/packet.hpp"

#include <poll.h>

#include <algorithm>
#include <tuple>

namespace framefleet::bench {

bool Cue::ready_and_go() {
  std::ignore = send_packet(kCueFd, "ready", {}, Wait::yes);
  Packet packet;
  ended_ = receive_packet(kCueFd, 0, Wait::yes, packet) != Heard::packet || packet.bytes != "go";
  return !ended_;
}

void Cue::done() { std::ignore = send_packet(kCueFd, "done", {}, Wait::yes); }

bool Cue::told_to_end(Duration wait) {
  if (ended_) return true;
  pollfd heard{kCueFd, POLLIN, 0};
  const auto wait_ms = std::max<std::int64_t>(0, ceil_ms(wait));
  if (::poll(&heard, 1, static_cast<int>(wait_ms)) != 1) return false;
  // A word that is left unread would take with it, when we end, the report on its way back.
  Packet packet;
  std::ignore = receive_packet(kCueFd, 0, Wait::yes, packet);
  return ended_ = true;
}

void Cue::report(const Report& report) {
  std::ignore = send_packet(kCueFd, report.text(), {}, Wait::yes);
}

}  // namespace framefleet::bench
