#include "tests/unit/wire/wire_cases.hpp"

#include "tests/golden/wire_samples.hpp"

#include "shared/wire/codec.hpp"

#include <regex>
#include <span>

namespace framefleet::test {
namespace {

template <class T, class Encode, class Decode>
WireCase wire_case(std::string name, const T& sample, Encode encode, Decode decode) {
  WireCase wired;
  wired.name = std::move(name);
  wired.bytes = encode(sample).value();
  wired.tree = parse(wired.bytes);
  wired.read = [sample, decode](const std::string& bytes) -> std::string {
    const auto read = decode(bytes);
    if (!read) return read.error().text;
    return *read == sample ? "" : "other";
  };
  wired.is_stable = [encode, decode](const std::string& bytes) {
    const auto read = decode(bytes);
    if (!read) return true;
    const auto again = encode(*read);
    return again.has_value() && decode(*again) == read;
  };
  return wired;
}

}  // namespace

std::vector<WireCase> wire_cases() {
  std::vector<WireCase> all;
  for (const auto& [message, frames, suffix] : message_samples()) {
    all.push_back(wire_case(
        std::string(name_of(message)), message,
        [sizes = frames](const Message& value) { return wire::encode(value, sizes); },
        [sizes = frames](const std::string& bytes) {
          return wire::decode(std::as_bytes(std::span(bytes)), sizes);
        }));
  }
  all.push_back(wire_case(
      "task", zoned_task_sample(), [](const auto& value) { return wire::encode_task(value); },
      [](const std::string& bytes) { return wire::decode_task(bytes); }));
  all.push_back(wire_case(
      "record", record_sample(), [](const auto& value) { return wire::encode_record(value); },
      [](const std::string& bytes) {
        return wire::decode_record(std::as_bytes(std::span(bytes)));
      }));
  return all;
}

void for_each_change(const Tree& tree, const std::function<void(Tree&, std::size_t)>& change,
                     const std::function<void(const std::string&, const Tree&)>& check) {
  std::size_t keys = 0;
  auto counted = tree;
  for_each_key(counted, [&](const std::string&, Tree&, std::size_t) { ++keys; });
  for (std::size_t chosen = 0; chosen < keys; ++chosen) {
    auto changed = tree;
    std::size_t number = 0;
    std::string place;
    for_each_key(changed, [&](const std::string& path, Tree& in, std::size_t key) {
      if (number++ != chosen) return;
      place = path;
      change(in, key);
    });
    check(place, changed);
  }
}

std::string without_indices(const std::string& text) {
  static const std::regex kIndex(R"(\[\d+\])");
  return std::regex_replace(text, kIndex, "[]");
}

}  // namespace framefleet::test
