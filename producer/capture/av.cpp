#include "producer/capture/av.hpp"

#include "producer/capture/stop.hpp"

#include <array>
#include <cerrno>

namespace framefleet::producer {
namespace {

bool is_refusal(int error) {
  constexpr std::array kRefusals{
      AVERROR_HTTP_BAD_REQUEST,  AVERROR_HTTP_UNAUTHORIZED, AVERROR_HTTP_FORBIDDEN,
      AVERROR_HTTP_NOT_FOUND,    AVERROR_HTTP_OTHER_4XX,    AVERROR_PROTOCOL_NOT_FOUND,
      AVERROR_DECODER_NOT_FOUND, AVERROR_DEMUXER_NOT_FOUND, AVERROR_STREAM_NOT_FOUND,
      AVERROR_OPTION_NOT_FOUND,  AVERROR(ENOENT),           AVERROR(EACCES),
      AVERROR(ENODEV),           AVERROR(EISDIR),           AVERROR(EINVAL)};
  for (const int refusal : kRefusals) {
    if (error == refusal) return true;
  }
  return false;
}

}  // namespace

CaptureEnding ending_of(const std::string& what, int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return {is_refusal(error) ? CaptureEnd::refused : CaptureEnd::passing, what + ": " + text.data()};
}

AVIOInterruptCB stop_callback() {
  return {[](void*) { return stop_asked() ? 1 : 0; }, nullptr};
}

}  // namespace framefleet::producer
