#pragma once
// Numbers and foreign texts as a person reads them in a terminal. Pure; threads: any; no errors.

#include <string>

namespace framefleet::cli {

/// The two largest units: "0s", "12ms", "3.4s", "2min 05s", "1h 12min", "3d 4h". Negative ones read
/// as 0.
std::string humane_duration(double seconds);

/// "512 B", "1.5 KiB", "64.0 MiB". Negative ones read as 0.
std::string humane_bytes(double bytes);

/// Texts of pictures, files and peers may hold anything; a terminal gets no control characters of
/// theirs.
std::string printable(std::string text);

}  // namespace framefleet::cli
