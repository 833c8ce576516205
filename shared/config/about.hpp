#pragma once
// What can be said about an option when it is bound (option_set.hpp). Plain values.

#include "shared/base/time.hpp"
#include "shared/config/values.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::config {

struct AboutFlag {
  std::string help{};
};
template <class T>
struct AboutNumber {
  std::string help{};
  T min{std::numeric_limits<T>::lowest()};
  T max{std::numeric_limits<T>::max()};
};
struct AboutDuration {
  std::string help{};
  Duration min{0};
  Duration max{Duration::max()};
};
struct AboutBytes {
  std::string help{};
  Bytes min{};
  Bytes max{kBytesMax};
};
struct AboutText {
  std::string help{};
  std::vector<std::string> choices{};  ///< The words that are allowed; empty: any text.
  /// Given as `${file:/path}` in every layer and never printed. Its default is the empty string.
  bool secret{false};
};
struct AboutSecret {
  std::string help{};
};
struct AboutList {
  std::string help{};
  std::vector<std::string> choices{};  ///< The words that are allowed; empty: any text.
};
struct AboutPath {
  std::string help{};
};
template <class E>
struct AboutChoice {
  std::string help{};
  std::vector<std::pair<std::string, E>> words{};
};
struct AboutPositional {
  std::string help{};
  std::size_t count_min{0};
  std::size_t count_max{1'000'000};
};

/// Binds a plain 64-bit field of a core's options as a size: `.add("bytes_max",
/// SizeOf{o.bytes_max})`.
struct SizeOf {
  std::uint64_t& count;
};

}  // namespace framefleet::config
