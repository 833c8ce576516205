#include "producer/capture/film.hpp"

#include "producer/capture/publisher.hpp"
#include "producer/capture/stop.hpp"
#include "producer/capture/stream_source.hpp"

#include "shared/processes/packet.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr Duration kBusyInterval = std::chrono::milliseconds{200};

class Film {
 public:
  Film(const CameraOptions& options, FrameWriter frames, int link)
      : source_({options.url.reveal(), options.rtsp_transport, false, Pace::as_asked}),
        publisher_(options, std::move(frames)),
        link_(link) {}

  std::optional<FilmReport> run() {
    if (auto opened = source_.open(); !opened) return opened.error();
    say(source_.film_facts());
    Packet packet;
    while (!stop_asked() && receive_packet(link_, 0, Wait::yes, packet) == Heard::packet) {
      const auto wanted = decode_ask(packet.bytes);
      if (!wanted || *wanted < next_) return std::nullopt;
      if (auto end = give(*wanted)) return end;
    }
    return std::nullopt;
  }

 private:
  /// The film's last word where it ends before that frame.
  std::optional<FilmReport> give(std::uint64_t wanted) {
    Time busy_at = now() + kBusyInterval;
    while (!stop_asked()) {
      const auto picture = source_.next();
      if (!picture) return end_of(picture.error());
      const auto whole = whole_of(*picture);
      if (!whole) {
        ++half_;
        continue;
      }
      const auto sequence = next_++;
      if (sequence == wanted) {
        static_cast<void>(publisher_.publish(*whole, source_.codec()));
        CaptureCounts counts;
        counts.damaged = source_.damaged() + half_;
        publisher_.count(counts);
        say(FilmFrame{sequence});
        return std::nullopt;
      }
      if (const Time at = now(); at >= busy_at) {
        busy_at = at + kBusyInterval;
        say(FilmBusy{});
      }
    }
    return std::nullopt;
  }

  FilmReport end_of(const CaptureEnding& ending) const {
    if (ending.end == CaptureEnd::finished) return FilmOver{next_};
    return ending;
  }

  void say(const FilmReport& report) {
    static_cast<void>(send_packet(link_, encode_film_report(report), {}, Wait::yes));
  }

  StreamSource source_;
  Publisher publisher_;
  int link_;
  std::uint64_t next_{0};
  std::uint64_t half_{0};  // JPEG frames that break off
};

}  // namespace

std::optional<FilmReport> run_film(const CameraOptions& options, FrameWriter frames, int link) {
  return Film(options, std::move(frames), link).run();
}

}  // namespace framefleet::producer
