#include "producer/capture/mjpeg_source.hpp"

#include "producer/capture/wait_watch.hpp"

extern "C" {
#include <libavutil/opt.h>
}

#include <string_view>

namespace framefleet::producer {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

/// Of the answer; "": it does not say.
std::string content_type(AVIOContext* connection) {
  std::uint8_t* text = nullptr;
  if (av_opt_get(connection, "mime_type", AV_OPT_SEARCH_CHILDREN, &text) < 0 || text == nullptr) {
    return {};
  }
  std::string type(reinterpret_cast<const char*>(text));
  av_free(text);
  return type;
}

bool may_be_pictures(std::string_view type) {
  return type.empty() || type.starts_with("multipart/") || type.starts_with("image/jpeg") ||
         type.starts_with("application/octet-stream");
}

}  // namespace

Result<void, CaptureEnding> MjpegSource::open() {
  buffer_.resize(kReadBytes);
  AvOptions options;
  options.set("protocol_whitelist", "http,https,tcp,tls");
  options.set("user_agent", "framefleet");
  const auto stop = stop_callback();
  AVIOContext* opened = nullptr;
  const int error = avio_open2(&opened, url_.c_str(), AVIO_FLAG_READ, &stop, options.get());
  if (error < 0) return fail(ending_of("cannot open", error));
  connection_.reset(opened);
  if (const auto type = content_type(opened); !may_be_pictures(type)) {
    return fail(CaptureEnding{CaptureEnd::refused,
                              "the camera answers with " + type + ", not with JPEG pictures"});
  }
  return {};
}

Result<GrabbedPicture, CaptureEnding> MjpegSource::next() {
  while (true) {
    if (const auto found = splitter_.next()) {
      if (is_late()) {
        ++skipped_;
        continue;
      }
      given_at_ = now();
      return GrabbedPicture{nullptr, found->bytes, wall_clock_ms()};
    }
    const WaitWatch watch;
    const int got =
        avio_read_partial(connection_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
    if (got == 0 || got == AVERROR_EOF) {
      return fail(CaptureEnding{CaptureEnd::passing, "the camera has ended the stream"});
    }
    if (got < 0) return fail(ending_of("the stream broke off", got));
    if (watch.waited()) unwaited_ = 0;
    splitter_.feed(std::as_bytes(std::span(buffer_).first(static_cast<std::size_t>(got))));
  }
}

/// Pictures have piled up where more than two in a row need not be waited for; but where all of
/// them come like that, some are given.
bool MjpegSource::is_late() {
  constexpr int kUnwaitedMax = 2;
  constexpr Duration kGivenInterval = std::chrono::milliseconds{200};
  return ++unwaited_ > kUnwaitedMax && now() < given_at_ + kGivenInterval;
}

}  // namespace framefleet::producer
