#include "producer/capture/device_source.hpp"

#include "producer/cameras/frame_slots.hpp"
#include "producer/capture/stop.hpp"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace framefleet::producer {
namespace {

constexpr std::uint32_t kBufferCount = 4;
constexpr std::uint32_t kUsualWidth = 1280;
constexpr std::uint32_t kUsualHeight = 720;

int ask(int file, unsigned long what, void* about) {
  int answer = 0;
  do {
    answer = ::ioctl(file, what, about);
  } while (answer < 0 && errno == EINTR && !stop_asked());
  return answer;
}

v4l2_buffer buffer_of(std::uint32_t index) {
  v4l2_buffer buffer{};
  buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  buffer.memory = V4L2_MEMORY_MMAP;
  buffer.index = index;
  return buffer;
}

}  // namespace

DeviceSource::~DeviceSource() {
  for (const auto& buffer : buffers_) ::munmap(buffer.bytes, buffer.size);
}

CaptureEnding DeviceSource::failed(const char* what) const {
  const bool refused =
      errno == ENOENT || errno == EACCES || errno == ENODEV || errno == EINVAL || errno == ENOTTY;
  return {refused ? CaptureEnd::refused : CaptureEnd::passing,
          device_ + ": " + what + ": " + std::strerror(errno)};
}

Result<void, CaptureEnding> DeviceSource::open() {
  file_ = FileDescriptor(::open(device_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!file_) return fail(failed("cannot open"));
  v4l2_capability can{};
  if (ask(file_.get(), VIDIOC_QUERYCAP, &can) < 0) return fail(failed("is no camera"));
  const auto abilities =
      (can.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? can.device_caps : can.capabilities;
  if ((abilities & V4L2_CAP_VIDEO_CAPTURE) == 0 || (abilities & V4L2_CAP_STREAMING) == 0) {
    return fail(CaptureEnding{CaptureEnd::refused, device_ + ": gives no stream of pictures"});
  }
  if (!choose_format()) {
    return fail(CaptureEnding{CaptureEnd::refused, device_ + ": gives neither JPEG nor YUYV"});
  }
  choose_rate();
  return map_buffers();
}

/// JPEG first: it is compressed where the sensor is. The driver answers with what it can.
bool DeviceSource::choose_format() {
  for (const auto format : {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_JPEG, V4L2_PIX_FMT_YUYV}) {
    v4l2_format wanted{};
    wanted.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    wanted.fmt.pix.width = options_.width != 0 ? options_.width : kUsualWidth;
    wanted.fmt.pix.height = options_.height != 0 ? options_.height : kUsualHeight;
    wanted.fmt.pix.pixelformat = format;
    wanted.fmt.pix.field = V4L2_FIELD_ANY;
    if (ask(file_.get(), VIDIOC_S_FMT, &wanted) < 0 || wanted.fmt.pix.pixelformat != format) {
      continue;
    }
    is_jpeg_ = format != V4L2_PIX_FMT_YUYV;
    width_ = wanted.fmt.pix.width;
    height_ = wanted.fmt.pix.height;
    stride_ = std::max(wanted.fmt.pix.bytesperline, width_ * 2);
    return width_ > 0 && height_ > 0 && width_ <= kFrameSideMax && height_ <= kFrameSideMax;
  }
  return false;
}

/// A camera that cannot be told goes at its own pace.
void DeviceSource::choose_rate() {
  if (options_.fps <= 0) return;
  v4l2_streamparm wanted{};
  wanted.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  wanted.parm.capture.timeperframe = {1000,
                                      static_cast<std::uint32_t>(std::lround(options_.fps * 1000))};
  ask(file_.get(), VIDIOC_S_PARM, &wanted);
}

Result<void, CaptureEnding> DeviceSource::map_buffers() {
  v4l2_requestbuffers wanted{};
  wanted.count = kBufferCount;
  wanted.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  wanted.memory = V4L2_MEMORY_MMAP;
  if (ask(file_.get(), VIDIOC_REQBUFS, &wanted) < 0) return fail(failed("gives no buffers"));
  for (std::uint32_t i = 0; i < std::min(wanted.count, kBufferCount); ++i) {
    auto buffer = buffer_of(i);
    if (ask(file_.get(), VIDIOC_QUERYBUF, &buffer) < 0) return fail(failed("gives no buffer"));
    void* const bytes = ::mmap(nullptr, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED,
                               file_.get(), buffer.m.offset);
    if (bytes == MAP_FAILED) return fail(failed("cannot map a buffer"));
    buffers_.push_back({bytes, buffer.length});
    if (ask(file_.get(), VIDIOC_QBUF, &buffer) < 0) return fail(failed("takes no buffer"));
  }
  int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  if (ask(file_.get(), VIDIOC_STREAMON, &type) < 0) return fail(failed("does not start"));
  return {};
}

Result<GrabbedPicture, CaptureEnding> DeviceSource::next() {
  if (held_) {
    auto buffer = buffer_of(*held_);
    held_.reset();
    if (ask(file_.get(), VIDIOC_QBUF, &buffer) < 0) return fail(failed("takes no buffer back"));
  }
  while (true) {
    pollfd ready{file_.get(), POLLIN, 0};
    if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return fail(failed("cannot be waited for"));
    if (stop_asked()) return fail(CaptureEnding{CaptureEnd::passing, "stopped"});
    auto buffer = buffer_of(0);
    if (ask(file_.get(), VIDIOC_DQBUF, &buffer) < 0) {
      if (errno == EAGAIN) continue;
      return fail(failed("gives no picture"));
    }
    if (buffer.index >= buffers_.size()) return fail(failed("gives a buffer that it has not"));
    held_ = buffer.index;
    const auto& mapped = buffers_[buffer.index];
    const auto used = std::min<std::size_t>(buffer.bytesused, mapped.size);
    if (is_jpeg_) {
      const auto* const bytes = static_cast<const std::byte*>(mapped.bytes);
      return GrabbedPicture{nullptr, {bytes, used}, wall_clock_ms()};
    }
    // A short one is given back: the driver lost a part of it.
    if (used < std::size_t{stride_} * (height_ - 1) + std::size_t{width_} * 2) continue;
    if (!frame_) frame_.reset(av_frame_alloc());
    if (!frame_) return fail(ending_of(device_, AVERROR(ENOMEM)));
    frame_->format = AV_PIX_FMT_YUYV422;
    frame_->width = static_cast<int>(width_);
    frame_->height = static_cast<int>(height_);
    frame_->data[0] = static_cast<std::uint8_t*>(mapped.bytes);
    frame_->linesize[0] = static_cast<int>(stride_);
    return GrabbedPicture{frame_.get(), {}, wall_clock_ms()};
  }
}

}  // namespace framefleet::producer
