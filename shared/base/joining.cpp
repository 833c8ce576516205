#include "shared/base/joining.hpp"

#include <iterator>
#include <type_traits>
#include <vector>

namespace framefleet {
namespace {

struct Load {
  std::uint64_t frames{0};
  std::uint64_t bytes{0};
  std::uint64_t description_bytes{0};
};

template <class Entry>
Load load_of(const std::vector<Entry>& entries) {
  Load load;
  for (const auto& entry : entries) {
    if constexpr (requires { entry.payload; }) {
      load.frames += entry.payload.frames;
      load.bytes += entry.payload.bytes;
    }
    if constexpr (requires { entry.task; }) load.description_bytes += entry.task.size();
  }
  return load;
}

template <class Entry>
bool join_lists(std::vector<Entry>& last, std::vector<Entry>& next) {
  if (last.size() + next.size() > kJoinedEntriesMax) return false;
  const auto before = load_of(last);
  const auto more = load_of(next);
  if (before.frames + more.frames > kJoinedFramesMax) return false;
  if (before.bytes + more.bytes > kJoinedBytesMax) return false;
  if (before.description_bytes + more.description_bytes > kJoinedDescriptionBytesMax) return false;
  last.insert(last.end(), std::make_move_iterator(next.begin()),
              std::make_move_iterator(next.end()));
  return true;
}

template <class Kind>
bool join_as(Message& last, Message& next) {
  auto& of_last = std::get<Kind>(last);
  auto& of_next = std::get<Kind>(next);
  if constexpr (std::is_same_v<Kind, Outcomes>) {
    return join_lists(of_last.outcomes, of_next.outcomes);
  } else {
    if constexpr (std::is_same_v<Kind, Admitted>) {
      if (of_last.unknown_detectors != of_next.unknown_detectors) return false;
    }
    return join_lists(of_last.tasks, of_next.tasks);
  }
}

}  // namespace

std::size_t entries_of(const Message& message) {
  return std::visit(
      [](const auto& kind) -> std::size_t {
        if constexpr (requires { kind.tasks.size(); }) {
          return kind.tasks.size();
        } else if constexpr (requires { kind.outcomes.size(); }) {
          return kind.outcomes.size();
        } else {
          return 1;
        }
      },
      message);
}

bool join(Message& last, Message& next) {
  if (last.index() != next.index()) return false;
  if (std::holds_alternative<Submit>(last)) return join_as<Submit>(last, next);
  if (std::holds_alternative<Admitted>(last)) return join_as<Admitted>(last, next);
  if (std::holds_alternative<Settled>(last)) return join_as<Settled>(last, next);
  if (std::holds_alternative<Assign>(last)) return join_as<Assign>(last, next);
  if (std::holds_alternative<Results>(last)) return join_as<Results>(last, next);
  if (std::holds_alternative<Outcomes>(last)) return join_as<Outcomes>(last, next);
  return false;
}

}  // namespace framefleet
