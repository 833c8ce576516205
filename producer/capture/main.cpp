// framefleet-capture: reads one camera for framefleet-producer and keeps its newest frame in the
// memory that the producer gave it; or one video file, a frame whenever it is asked for. Started by
// the producer and by nobody else; what it is to do comes over the socket that it inherits. It is
// the only program that lets FFmpeg see a stranger's stream, and may do little else. Signals:
// SIGTERM says goodbye to the camera; it dies with its producer. Exit codes: 0; 64 started by hand;
// 70 the producer's order was none, or it is gone.

#include "producer/capture/capture.hpp"
#include "producer/capture/film.hpp"
#include "producer/capture/sandbox.hpp"
#include "producer/capture/stop.hpp"

#include "shared/processes/linked_process.hpp"
#include "shared/processes/packet.hpp"

#include <poll.h>

#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace {

using namespace framefleet;
using namespace framefleet::producer;

/// A camera or a film: both end with a last word, "" where there is nobody left to hear it.
struct Kind {
  std::string (*run)(const CameraOptions& options, FrameWriter frames, int link);
  std::string (*last_word)(const CaptureEnding& ending);
};

constexpr Kind kCamera{[](const CameraOptions& options, FrameWriter frames, int link) {
                         return encode_report(run_capture(options, std::move(frames), link));
                       },
                       [](const CaptureEnding& ending) { return encode_report(ending); }};

constexpr Kind kFilm{[](const CameraOptions& options, FrameWriter frames, int link) {
                       const auto last = run_film(options, std::move(frames), link);
                       return last ? encode_film_report(*last) : std::string();
                     },
                     [](const CaptureEnding& ending) { return encode_film_report(ending); }};

std::string last_word_of(const Kind& kind, const CameraOptions& options, FrameWriter frames,
                         int link) {
  if (auto entered = enter_capture_sandbox(options); !entered) {
    return kind.last_word({CaptureEnd::refused, entered.error().text});
  }
  try {
    return kind.run(options, std::move(frames), link);
  } catch (const std::exception& error) {
    return kind.last_word({CaptureEnd::passing, std::string("cannot capture: ") + error.what()});
  }
}

int run(int link, const Kind& kind) {
  leave_no_traces();
  listen_for_stop();
  Packet packet;
  if (receive_packet(link, 1, Wait::yes, packet) != Heard::packet) return exit_code::kInternal;
  // Had the producer died before we asked to die with it, nobody would end us.
  pollfd producer{link, 0, 0};
  if (::poll(&producer, 1, 0) != 0) return exit_code::kInternal;
  const auto options = decode_order(packet.bytes);
  if (!options || packet.files.size() != 1) return exit_code::kInternal;
  auto frames = FrameWriter::open(std::move(packet.files[0]));
  if (!frames) return exit_code::kInternal;
  const auto word = last_word_of(kind, *options, std::move(*frames), link);
  if (!word.empty()) static_cast<void>(send_packet(link, word, {}, Wait::yes));
  return exit_code::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto link = framefleet::link_in(argc, argv, kCaptureWord)) {
    return run(*link, kCamera);
  }
  if (const auto link = framefleet::link_in(argc, argv, kFilmWord)) return run(*link, kFilm);
  std::fputs("framefleet-capture: started by framefleet-producer alone, for cameras and videos\n",
             stderr);
  return exit_code::kUsage;
}
