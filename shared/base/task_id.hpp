#pragma once
// The identity of a task: made by its submitter, the same for every retry, the unique key of the
// store.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace framefleet {

struct TaskId {
  std::uint64_t source{0};    ///< First 8 bytes (big-endian) of BLAKE2b-128 over the source's name.
  std::uint32_t epoch{0};     ///< Of two producers of one source the higher epoch owns it.
  std::uint64_t sequence{0};  ///< Number of the picture within (source, epoch), from 0.
  std::uint16_t part{0};      ///< Reserved for tasks that are split; 0 today.

  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

/// `<source as 16 hex digits>-<epoch>-<sequence>[.<part>]`, the only spelling of an id anywhere.
std::string to_string(const TaskId& id);
/// The same without taking memory, for what is done for every message.
class TaskIdText {
 public:
  explicit TaskIdText(const TaskId& id);
  std::string_view view() const { return {chars_.data(), size_}; }

 private:
  static constexpr std::size_t kCharsMax = 16 + 1 + 10 + 1 + 20 + 1 + 5;
  std::array<char, kCharsMax> chars_;
  std::size_t size_{0};
};
/// A source's hash as its ids spell it: 16 hexadecimal digits.
std::string source_text(std::uint64_t source);
/// The inverse of to_string; nothing for any other text.
std::optional<TaskId> parse_task_id(std::string_view text);

/// A lease: one hand-out of a task to a worker. Never reused, not even by a restarted broker.
struct LeaseId {
  std::uint32_t incarnation{0};  ///< Of the broker that opened it.
  std::uint64_t counter{0};      ///< Starts at 1 in each incarnation.

  friend auto operator<=>(const LeaseId&, const LeaseId&) = default;
};

}  // namespace framefleet

template <>
struct std::hash<framefleet::TaskId> {
  std::size_t operator()(const framefleet::TaskId& id) const noexcept {
    // The source is already a hash; an odd multiplier (2^64 / golden ratio) spreads the sequence.
    return static_cast<std::size_t>(id.source ^ ((id.sequence + id.epoch) * 0x9E3779B97F4A7C15ULL) ^
                                    id.part);
  }
};

template <>
struct std::hash<framefleet::LeaseId> {
  std::size_t operator()(const framefleet::LeaseId& id) const noexcept {
    return static_cast<std::size_t>((std::uint64_t{id.incarnation} << 40U) ^ id.counter);
  }
};
