#pragma once
// Reads JSON objects with tolerance: a key that is missing or holds another kind of value reads as
// nothing, so that documents of an older or newer peer still can be shown. Templates, because
// the JSON library's own header is for .cpp files alone. Threads: any. Nothing is thrown.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::cli {

/// The member `key`, or nullptr: `json` may be no object at all.
template <class Json>
const Json* member(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

template <class Json>
std::optional<double> number(const Json& json, const char* key) {
  const Json* const value = member(json, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->template get<double>();
}

template <class Json>
std::optional<std::uint64_t> count(const Json& json, const char* key) {
  const Json* const value = member(json, key);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->template get<std::uint64_t>();
}

template <class Json>
std::string text(const Json& json, const char* key) {
  const Json* const value = member(json, key);
  return value != nullptr && value->is_string() ? value->template get<std::string>() : "";
}

template <class Json>
bool flag(const Json& json, const char* key) {
  const Json* const value = member(json, key);
  return value != nullptr && value->is_boolean() && value->template get<bool>();
}

/// The member, or an empty value.
template <class Json>
Json object(const Json& json, const char* key) {
  const Json* const value = member(json, key);
  return value == nullptr ? Json() : *value;
}

template <class Json>
std::vector<std::string> texts(const Json& json, const char* key) {
  std::vector<std::string> all;
  const Json* const value = member(json, key);
  if (value == nullptr || !value->is_array()) return all;
  for (const Json& each : *value) {
    if (each.is_string()) all.push_back(each.template get<std::string>());
  }
  return all;
}

}  // namespace framefleet::cli
