#include "producer/cameras/camera_options.hpp"

namespace framefleet::producer {

std::string_view to_string(RtspTransport transport) {
  return transport == RtspTransport::tcp ? "tcp" : "udp";
}

std::string_view to_string(Chroma chroma) {
  switch (chroma) {
    case Chroma::yuv420:
      return "420";
    case Chroma::yuv422:
      return "422";
    case Chroma::yuv444:
      return "444";
  }
  return "";
}

std::string_view to_string(Codec codec) {
  switch (codec) {
    case Codec::automatic:
      return "auto";
    case Codec::jpeg:
      return "jpeg";
    case Codec::passthrough:
      return "passthrough";
  }
  return "";
}

std::string_view to_string(CameraState state) {
  switch (state) {
    case CameraState::connecting:
      return "connecting";
    case CameraState::streaming:
      return "streaming";
    case CameraState::stalled:
      return "stalled";
    case CameraState::failed:
      return "failed";
    case CameraState::ended:
      return "ended";
  }
  return "";
}

}  // namespace framefleet::producer
