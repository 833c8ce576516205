#pragma once
// What one camera is to be, as cameras.toml says it, and the words for how it is. Plain values;
// whoever reads them from outside checks the ranges given here.

#include "producer/motion/motion_options.hpp"

#include "shared/base/secret.hpp"
#include "shared/base/task.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::producer {

enum class RtspTransport : std::uint8_t { tcp, udp };
/// How much of the colour a JPEG keeps: a quarter, half, all of it.
enum class Chroma : std::uint8_t { yuv420, yuv422, yuv444 };
/// What becomes of frames that come as JPEG already: `automatic` passes them through untouched
/// unless they are too large (width, height), `jpeg` always encodes anew, `passthrough` never does
/// and fails the camera where frames come as something else. Workers take no raw pixels.
enum class Codec : std::uint8_t { automatic, jpeg, passthrough };

struct CameraOptions {
  std::string name;  ///< The source's name on the wire.
  /// rtsp://, rtsps://, http:// or https:// (MJPEG), v4l2:/dev/video0, file:path (its own speed).
  Secret url;
  RtspTransport rtsp_transport{RtspTransport::tcp};
  std::vector<std::string> detect;
  bool annotate{false};  ///< Ask for every picture drawn with what was found.
  TaskClass task_class{TaskClass::live};
  std::uint8_t priority{0};  ///< 0 to 9.
  std::uint32_t weight{1};
  Duration ttl{};  ///< 0: none.
  double fps{0};   ///< At most so many frames a second, 0 to 1000; 0: what the camera gives.
  std::uint32_t width{0};  ///< Pixels, 0 to 16384; scaled down to fit, never up. 0: as it comes.
  std::uint32_t height{0};
  int quality{90};  ///< JPEG, 1 to 100.
  Chroma chroma{Chroma::yuv420};
  Codec codec{Codec::automatic};
  bool loop{true};  ///< file: again from its beginning; false: the camera ends with the file.
  /// Silence after which a streaming camera is stalled and its capture process is replaced.
  Duration camera_timeout{std::chrono::seconds{5}};
  /// From the start of a capture process to its first frame.
  Duration open_timeout{std::chrono::seconds{10}};
  Duration retry_min{std::chrono::seconds{1}};   ///< Pause before the first retry; doubles …
  Duration retry_max{std::chrono::seconds{30}};  ///< … to this.
  std::optional<MotionOptions> motion;           ///< Nothing: every frame is worth a detector.
  std::string zones;  ///< A JSON document, passed along in the description; "": none.

  friend bool operator==(const CameraOptions&, const CameraOptions&) = default;
};

/// connecting: a capture process opens the camera, or waits to try again after a failure that may
///             pass.
/// streaming:  frames come.
/// stalled:    they came, and then nothing did for camera_timeout; until the next try starts.
/// failed:     the camera refused what the options ask for (no such path, a wrong password, no
///             video); it is tried again every retry_max, and what ends this is a frame.
/// ended:      the video file is over and does not loop.
enum class CameraState : std::uint8_t { connecting, streaming, stalled, failed, ended };
inline constexpr std::size_t kCameraStateCount = 5;

std::string_view to_string(RtspTransport transport);
std::string_view to_string(Chroma chroma);
std::string_view to_string(Codec codec);
std::string_view to_string(CameraState state);

}  // namespace framefleet::producer
