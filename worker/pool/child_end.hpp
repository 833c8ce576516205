#pragma once
// How a child process ended, in the words of metrics and of people. Pure functions.

#include "worker/detectors/workbench.hpp"

#include <array>
#include <string>
#include <string_view>

namespace framefleet::worker {

/// Causes of an end, as the metric has them.
namespace end_cause {
inline constexpr std::string_view kCrashed = "crashed";      ///< A signal of its own making.
inline constexpr std::string_view kForbidden = "forbidden";  ///< A deadly system call.
inline constexpr std::string_view kKilled = "killed";        ///< From outside.
inline constexpr std::string_view kExited = "exited";        ///< By its own will.
inline constexpr std::string_view kDecodeTimeout = "decode_timeout";
inline constexpr std::string_view kDetectTimeout = "detect_timeout";
inline constexpr std::string_view kBrokeProtocol = "broke_protocol";
inline constexpr std::string_view kStartTimeout = "start_timeout";
inline constexpr std::string_view kZygoteEnded = "zygote_ended";
inline constexpr std::array kAll{kCrashed,       kForbidden,     kKilled,
                                 kExited,        kDecodeTimeout, kDetectTimeout,
                                 kBrokeProtocol, kStartTimeout,  kZygoteEnded};
}  // namespace end_cause

/// Causes of the end of a zygote, as the metric has them.
namespace zygote_end {
inline constexpr std::string_view kEnded = "ended";  ///< By itself, or killed.
inline constexpr std::string_view kLate = "late";    ///< Bore or reaped none in its time.
inline constexpr std::string_view kNotStarted = "not_started";  ///< By the system.
inline constexpr std::array kAll{kEnded, kLate, kNotStarted};
}  // namespace zygote_end

struct ChildEnd {
  std::string_view cause;
  WorkError error;  ///< For the order that it had.
};

/// From the status that waitpid gave, while it was in `stage` (of `detector`).
ChildEnd end_of(int status, Stage stage, const std::string& detector);
/// Because its stage took longer than `budget`.
ChildEnd overdue_in(Stage stage, const std::string& detector, Duration budget);
ChildEnd broke_protocol(const std::string& how);
/// Because it was not ready in its time.
ChildEnd late_to_start(Duration budget);

}  // namespace framefleet::worker
