#pragma once
// The enums that travel as words. Reading looks the word up among those that to_string gives, so
// the spelling stays in shared/base alone.

#include "shared/base/messages.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace framefleet::wire {

template <class Enum>
inline constexpr std::size_t kWordCount = 0;
template <>
inline constexpr std::size_t kWordCount<Role> = 4;
template <>
inline constexpr std::size_t kWordCount<TaskClass> = 2;
template <>
inline constexpr std::size_t kWordCount<Status> = kStatusCount;
template <>
inline constexpr std::size_t kWordCount<ControlVerb> = kControlVerbCount;
template <>
inline constexpr std::size_t kWordCount<Reason> = kReasonCount;

template <class Enum>
concept Worded = (kWordCount<Enum> > 0);

template <Worded Enum>
std::optional<Enum> parse_word(std::string_view word) {
  for (std::size_t i = 0; i < kWordCount<Enum>; ++i) {
    const auto value = static_cast<Enum>(i);
    if (to_string(value) == word) return value;
  }
  return std::nullopt;
}

}  // namespace framefleet::wire
