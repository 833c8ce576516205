#pragma once
// What a producer and the capture process of one of its cameras say to each other, as bytes and
// back. Both are of the same build, so there are no versions; but the capture process has touched a
// stranger's stream, and nothing that it says is believed: every length and word is checked.
//
//   producer ──order (options, and the memory for frames beside it)──▶ capture   first and once
//   producer ◀──beat: a picture was decoded, or a frame published──── capture
//   producer ◀──ending: why, and no more──────────────────────────── capture   last

#include "producer/cameras/camera_core.hpp"
#include "producer/cameras/camera_options.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace framefleet::producer {

/// The private argument of framefleet-capture.
inline constexpr const char* kCaptureWord = "--camera-of-producer";
inline constexpr std::size_t kEndingTextBytesMax = 512;

struct CaptureBeat {
  friend bool operator==(const CaptureBeat&, const CaptureBeat&) = default;
};
struct CaptureEnding {
  CaptureEnd end{CaptureEnd::passing};
  std::string text;
  friend bool operator==(const CaptureEnding&, const CaptureEnding&) = default;
};
using CaptureReport = std::variant<CaptureBeat, CaptureEnding>;

/// What of the options is a capture process's business: the rest comes back as it is by default.
std::string encode_order(const CameraOptions& options);
std::optional<CameraOptions> decode_order(std::string_view bytes);

std::string encode_report(const CaptureReport& report);
std::optional<CaptureReport> decode_report(std::string_view bytes);

}  // namespace framefleet::producer
