#include "producer/capture/capture.hpp"

#include "producer/capture/av.hpp"
#include "producer/capture/frame_rate.hpp"
#include "producer/capture/motion_view.hpp"
#include "producer/capture/open_source.hpp"
#include "producer/capture/publisher.hpp"
#include "producer/capture/stop.hpp"

#include "shared/processes/packet.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace framefleet::producer {
namespace {

/// The producer hears of every frame, and of pictures that become none no more often than this.
constexpr Duration kBeatInterval = std::chrono::milliseconds{200};

class Capture {
 public:
  Capture(const CameraOptions& options, FrameWriter frames, int link)
      : options_(options), publisher_(options, std::move(frames)), link_(link), rate_(options.fps) {
    if (options.motion) {
      gate_.emplace(*options.motion);
      view_.emplace(options.motion->width);
    }
  }

  CaptureEnding run() {
    auto source = open_source(options_);
    if (auto opened = source->open(); !opened) return opened.error();
    while (!stop_asked()) {
      const auto picture = source->next();
      if (!picture) return picture.error();
      const Time at = now();
      ++counts_.decoded;
      counts_.skipped = source->skipped();
      counts_.damaged = source->damaged();
      const bool due = rate_.due(at) && moves(*picture, at);
      if (const auto whole = due ? whole_of(*picture) : std::nullopt) {
        if (auto ending = publisher_.publish(*whole, source->codec())) return *ending;
      }
      publisher_.count(counts_);
      if (due || at >= beat_at_) beat(at);
    }
    return {CaptureEnd::passing, "stopped"};
  }

 private:
  bool moves(const GrabbedPicture& picture, Time at) {
    if (!gate_) return true;
    const auto view =
        picture.decoded != nullptr ? view_->of(*picture.decoded) : view_->of(picture.jpeg);
    if (gate_->pass(view, at)) return true;
    ++counts_.gated;
    return false;
  }

  /// One that the producer has no room for is not missed: there are others it has not heard yet.
  void beat(Time at) {
    beat_at_ = at + kBeatInterval;
    static_cast<void>(send_packet(link_, encode_report(CaptureBeat{}), {}, Wait::no));
  }

  const CameraOptions& options_;
  Publisher publisher_;
  int link_;
  FrameRate rate_;
  std::optional<MotionGate> gate_;
  std::optional<MotionView> view_;
  CaptureCounts counts_;
  Time beat_at_{};
};

}  // namespace

CaptureEnding run_capture(const CameraOptions& options, FrameWriter frames, int link) {
  return Capture(options, std::move(frames), link).run();
}

}  // namespace framefleet::producer
