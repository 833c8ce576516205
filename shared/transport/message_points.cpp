#include "shared/transport/message_points.hpp"

#include <optional>
#include <variant>

namespace framefleet::transport {
namespace {

template <class Kind>
constexpr std::optional<MessagePoints> kPointsOf;
template <>
constexpr std::optional<MessagePoints> kPointsOf<Submit> =
    MessagePoints{"send.submit.before", "send.submit.after", "receive.submit"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Admitted> =
    MessagePoints{"send.admitted.before", "send.admitted.after", "receive.admitted"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Settled> =
    MessagePoints{"send.settled.before", "send.settled.after", "receive.settled"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Ask> =
    MessagePoints{"send.ask.before", "send.ask.after", "receive.ask"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Known> =
    MessagePoints{"send.known.before", "send.known.after", "receive.known"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Assign> =
    MessagePoints{"send.assign.before", "send.assign.after", "receive.assign"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Results> =
    MessagePoints{"send.result.before", "send.result.after", "receive.result"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Nack> =
    MessagePoints{"send.nack.before", "send.nack.after", "receive.nack"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Release> =
    MessagePoints{"send.release.before", "send.release.after", "receive.release"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Outcomes> =
    MessagePoints{"send.outcomes.before", "send.outcomes.after", "receive.outcomes"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Stored> =
    MessagePoints{"send.stored.before", "send.stored.after", "receive.stored"};
template <>
constexpr std::optional<MessagePoints> kPointsOf<Goodbye> =
    MessagePoints{"send.goodbye.before", "send.goodbye.after", "receive.goodbye"};

}  // namespace

const MessagePoints* points_of(const Message& message) {
  return std::visit(
      [](const auto& kind) -> const MessagePoints* {
        const auto& points = kPointsOf<std::decay_t<decltype(kind)>>;
        return points ? &*points : nullptr;
      },
      message);
}

}  // namespace framefleet::transport
