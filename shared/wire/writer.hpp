#pragma once
// Walks the fields of a value and appends them as one MessagePack map; refuses what the reader of
// the other side would refuse. Used by the codec alone. Threads: none (one call's own).

#include "shared/base/detection.hpp"
#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"
#include "shared/wire/trail.hpp"
#include "shared/wire/words.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace framefleet::wire {

class Writer {
 public:
  static constexpr bool kReads = false;

  Writer(Trail& trail, const DocumentLimits& limits,
         std::span<const std::uint64_t> frame_bytes = {})
      : trail_(trail), limits_(limits), frame_bytes_(frame_bytes) {
    constexpr std::size_t kUsualBytes = 512;
    out_.reserve(kUsualBytes);
  }

  template <class T, class Rule = Plain>
  void must(std::string_view key, const T& value, const Rule& rule = {}) {
    if (trail_.failed()) return;
    const Trail::Step step(trail_, key);
    ++keys_;
    put_text(key);
    put(value, rule);
  }

  template <class T, class Rule = Plain>
  void may(std::string_view key, const T& value, const Rule& rule = {}) {
    if (value != T{}) must(key, value, rule);
  }

  /// The `frames` of an entry; takes them from those that follow the header.
  void payload(const Payload& payload, const Range& frames = kFrames);
  /// A rule over several fields, told at `key`.
  void check(bool holds, std::string_view key, std::string_view why);

  /// One map: what `body` writes.
  template <class Body>
  void map(const Body& body) {
    const auto outer_keys = keys_;
    const auto start = out_.size();
    keys_ = 0;
    open_map();
    body();
    close_map(start);
    keys_ = outer_keys;
  }

  /// Checks the limits of the whole and hands out the bytes; the trail says if they are good.
  std::string finish();

 private:
  template <class T>
  void put(const T& value, Plain) {
    if constexpr (Worded<T>) {
      put_text(to_string(value));
    } else {
      map([&] { fields(*this, value); });
    }
  }
  void put(bool value, Plain);
  void put(float value, Plain);
  void put(const Box& box, Plain);
  void put(const TaskId& id, Plain) { put_text(TaskIdText(id).view()); }
  void put(const std::optional<TaskId>& id, Plain rule) { put(*id, rule); }
  void put(const LeaseId& lease, Plain);
  void put(const VersionRange& versions, Plain);
  void put(const std::string& text, const Text& rule);
  void put(const std::string& text, const Prose& rule);
  void put(const std::string& text, Slug);
  void put(const std::string& bytes, const Bytes& rule);
  template <std::integral T>
  void put(T value, const Range& rule) {
    if constexpr (std::is_signed_v<T>) {
      if (value < 0) return trail_.fail("is negative");
    }
    put_range(static_cast<std::uint64_t>(value), rule);
  }
  void put(Duration value, Millis);
  void put(Duration value, Micros);

  template <class T, class Item>
  void put(const std::vector<T>& list, const ListOf<Item>& rule) {
    put_list(list, rule.item, 0, rule.count_max);
  }
  template <class T, class Item>
  void put(const std::vector<T>& list, const SetOf<Item>& rule) {
    put_list(list, rule.item, rule.count_min, rule.count_max);
  }
  template <class T, class Item>
  void put_list(const std::vector<T>& list, Item item, std::size_t min, std::size_t max) {
    open_list(list.size(), min, max);
    for (std::size_t i = 0; i < list.size() && !trail_.failed(); ++i) {
      trail_.index(i);
      put(list[i], item);
      within_limits();
    }
  }

  void put_text(std::string_view text);
  void put_whole(std::uint64_t value);
  void put_range(std::uint64_t value, const Range& rule);
  void put_duration(Duration value, Duration unit);
  void open_list(std::size_t count, std::size_t min, std::size_t max);
  void open_map();
  void close_map(std::size_t start);
  void within_limits();

  Trail& trail_;
  const DocumentLimits& limits_;
  std::span<const std::uint64_t> frame_bytes_;  ///< Those no entry has taken yet.
  std::string out_;
  std::size_t keys_{0};      ///< Of the map that is open.
  std::size_t elements_{0};  ///< Of the whole document.
};

}  // namespace framefleet::wire
