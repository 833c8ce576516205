#pragma once
// How durations and sizes are written by people: "250ms", "5s", "2min", "30d"; "64MiB", "1GB",
// 4096.
//
// Pure functions; a failed parse answers what is wrong in words, without the place.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace framefleet::config {

/// A number of bytes that cannot be mistaken for a count of something else.
struct Bytes {
  std::uint64_t count{0};

  friend constexpr auto operator<=>(const Bytes&, const Bytes&) = default;
};

constexpr Bytes kib(std::uint64_t n) { return {n << 10U}; }
constexpr Bytes mib(std::uint64_t n) { return {n << 20U}; }
constexpr Bytes gib(std::uint64_t n) { return {n << 30U}; }

/// The largest size an option can hold (TOML's integers are signed).
inline constexpr Bytes kBytesMax{(std::uint64_t{1} << 63U) - 1};

inline constexpr std::string_view kDurationUnits = "ns, us, ms, s, min, h, d";
inline constexpr std::string_view kByteUnits = "B, KB, MB, GB, TB, KiB, MiB, GiB, TiB";

/// A whole or decimal number directly followed by its unit. The unit is required, also for 0.
Result<Duration, std::string> parse_duration(std::string_view text);
/// Exact, in the largest unit that divides the duration: parse_duration reads it back.
std::string duration_text(Duration duration);

/// A whole or decimal number and a unit; a number alone is a count of bytes.
Result<Bytes, std::string> parse_bytes(std::string_view text);
/// Exact, in the largest unit that divides the size: parse_bytes reads it back.
std::string bytes_text(Bytes bytes);

}  // namespace framefleet::config
