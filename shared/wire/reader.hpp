#pragma once
// Walks the fields of a value and fills them from a Tape; the first thing that is wrong is kept
// with its place. Used by the codec alone. Threads: none (one call's own).

#include "shared/base/detection.hpp"
#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"
#include "shared/wire/tape.hpp"
#include "shared/wire/trail.hpp"
#include "shared/wire/words.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::wire {

class Reader {
 public:
  static constexpr bool kReads = true;

  /// Stands on the tape's first node, which must be a map (else the trail fails).
  Reader(Trail& trail, const Tape& tape, std::span<const std::uint64_t> frame_bytes = {})
      : trail_(trail), tape_(tape), frame_bytes_(frame_bytes) {
    enter(tape_.front());
  }

  template <class T, class Rule = Plain>
  void must(std::string_view key, T& value, const Rule& rule = {}) {
    if (trail_.failed()) return;
    const Trail::Step step(trail_, key);
    const auto* const node = find(key);
    if (node == nullptr) return trail_.fail("is missing");
    take(*node, value, rule);
  }

  template <class T, class Rule = Plain>
  void may(std::string_view key, T& value, const Rule& rule = {}) {
    if (trail_.failed()) return;
    value = T{};
    const auto* const node = find(key);
    if (node == nullptr) return;
    const Trail::Step step(trail_, key);
    take(*node, value, rule);
  }

  /// The `frames` of an entry; takes them from those that came with the header.
  void payload(Payload& payload, const Range& frames = kFrames);
  /// A rule over several fields, told at `key`.
  void check(bool holds, std::string_view key, std::string_view why);
  /// To be called last: every payload frame belongs to an entry.
  void finish();

 private:
  template <class T>
  void take(const Node& node, T& value, Plain) {
    if constexpr (Worded<T>) {
      const auto word = text_of(node, kNameBytesMax);
      const auto parsed = parse_word<T>(word);
      if (!parsed) return fail_word(word);
      value = *parsed;
    } else {
      const auto outer_map = map_;
      const auto outer_next = next_;
      if (enter(node)) fields(*this, value);
      map_ = outer_map;
      next_ = outer_next;
    }
  }
  void take(const Node& node, bool& value, Plain);
  void take(const Node& node, float& value, Plain);
  void take(const Node& node, Box& box, Plain);
  void take(const Node& node, TaskId& id, Plain);
  void take(const Node& node, std::optional<TaskId>& id, Plain rule) {
    take(node, id.emplace(), rule);
  }
  void take(const Node& node, LeaseId& lease, Plain);
  void take(const Node& node, VersionRange& versions, Plain);
  void take(const Node& node, std::string& text, const Text& rule);
  void take(const Node& node, std::string& text, const Prose& rule);
  void take(const Node& node, std::string& text, Slug);
  void take(const Node& node, std::string& bytes, const Bytes& rule);
  void take(const Node& node, Duration& value, Millis);
  void take(const Node& node, Duration& value, Micros);

  template <std::integral T>
  void take(const Node& node, T& value, const Range& rule) {
    constexpr auto kTypeMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    value = static_cast<T>(whole_of(node, Range{std::min(rule.max, kTypeMax), rule.min}));
  }

  template <class T, class Item>
  void take(const Node& node, std::vector<T>& list, const ListOf<Item>& rule) {
    take_list(node, list, rule.item, 0, rule.count_max);
  }
  template <class T, class Item>
  void take(const Node& node, std::vector<T>& list, const SetOf<Item>& rule) {
    take_list(node, list, rule.item, rule.count_min, rule.count_max);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  template <class T, class Item>
  void take_list(const Node& node, std::vector<T>& list, Item item, std::size_t min,
                 std::size_t max) {
    if (!is_list(node, min, max)) return;
    // An item in memory can be a hundred times its bytes: room is made for items that were read.
    constexpr std::size_t kUsualItems = 16;
    list.clear();
    list.reserve(std::min<std::size_t>(node.count, kUsualItems));
    const auto* at = &node + 1;
    for (std::size_t i = 0; i < node.count && !trail_.failed(); ++i, at = after(*at)) {
      trail_.index(i);
      take(*at, list.emplace_back(), item);
    }
  }

  /// Makes `node` the map that keys are looked up in; fails if it is none.
  bool enter(const Node& node);
  /// The value of `key` in the map, or none.
  const Node* find(std::string_view key);
  const Node* after(const Node& node) const { return tape_.data() + node.end; }

  std::string_view text_of(const Node& node, std::size_t bytes_max);
  std::uint64_t whole_of(const Node& node, const Range& rule);
  Duration duration_of(const Node& node, Duration unit);
  bool is_list(const Node& node, std::size_t min, std::size_t max);
  void fail_word(std::string_view word);

  Trail& trail_;
  const Tape& tape_;
  std::span<const std::uint64_t> frame_bytes_;  ///< Those no entry has taken yet.
  const Node* map_{nullptr};                    ///< The map that is entered.
  const Node* next_{nullptr};  ///< Its key that find() tries first: fields mostly come in order.
};

}  // namespace framefleet::wire
