#pragma once
// Messages that can travel as one: what costs a process most is the message, not what stands in it.
//
// Whoever sends puts what it has to say at one moment together; nobody waits for more to come. A
// message is as long as its receiver would have had to wait for its parts anyway. Pure. Threads:
// any.

#include "shared/base/effects.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

namespace framefleet {

/// Of a joined message. A reader hears from its peer when the last byte has come, so that many
/// bytes must not take long over any network.
inline constexpr std::size_t kJoinedEntriesMax = 64;
/// Of payloads; no message may have more (shared/transport/courier.cpp holds it to that).
inline constexpr std::uint64_t kJoinedFramesMax = 64;
inline constexpr std::uint64_t kJoinedBytesMax = std::uint64_t{256} << 10U;
/// Of task descriptions: half a header (shared/wire/limits.hpp), which has other words in it too. A
/// header that is too long would be spelled for nothing, and again in halves.
inline constexpr std::uint64_t kJoinedDescriptionBytesMax = std::uint64_t{32} << 10U;

/// How many entries its list has; 1 where it has none.
std::size_t entries_of(const Message& message);

/// Appends what stands in `next` to `last` where both are the same kind of list and the result is
/// within the limits; else false, and nothing has changed.
bool join(Message& last, Message& next);

/// Joins each Send to the one before it, if the connection is the same: it comes sooner then than
/// what stood between them, payloads that are let go among it.
template <class Effects>
void join_sends(Effects& effects) {
  Send* last = nullptr;
  auto kept = effects.begin();
  for (auto& effect : effects) {
    auto* const send = std::get_if<Send>(&effect);
    if (send != nullptr && last != nullptr && join(last->message, send->message)) continue;
    const bool parts =
        std::holds_alternative<Dial>(effect) || std::holds_alternative<HangUp>(effect);
    if (&*kept != &effect) *kept = std::move(effect);
    if (send != nullptr || parts) last = std::get_if<Send>(&*kept);
    ++kept;
  }
  effects.erase(kept, effects.end());
}

}  // namespace framefleet
