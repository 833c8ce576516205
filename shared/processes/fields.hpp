#pragma once
// Integers and texts one after the other, for packets that never leave the machine: native byte
// order, every length checked. A read over the end makes the reader bad for good; what it gave is
// used only after done() said that all was well.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace framefleet {

class FieldWriter {
 public:
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T> FieldWriter& put(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
    return *this;
  }
  FieldWriter& put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_integral_v<T> T get() {
    T value{};
    if (rest_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = get<std::uint32_t>();
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  /// A count of things that follow; over `max` it is bad, and 0.
  std::uint32_t count(std::uint32_t max) {
    const auto value = get<std::uint32_t>();
    if (value > max) good_ = false;
    return good_ ? value : 0;
  }
  void refuse() { good_ = false; }
  /// Everything was there and nothing is left over.
  bool done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_{true};
};

}  // namespace framefleet
