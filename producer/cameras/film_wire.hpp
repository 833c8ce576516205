#pragma once
// What a producer and the capture process of one of its video files say to each other, as bytes and
// back. Unlike a camera's, it gives a frame when it is asked for one, and none is left out. Nothing
// that it says is believed: every length and word is checked.
//
//   producer ──order (capture_wire.hpp)─────────────────────▶ capture   first and once
//   producer ◀──facts────────────────────────────────────── capture
//   producer ──ask: a frame, later than the last one────────▶ capture   and again
//   producer ◀──busy, now and then, and at last the frame─── capture
//   producer ◀──over, or why it goes no further───────────── capture   last

#include "producer/cameras/capture_wire.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace framefleet::producer {

/// The private argument of framefleet-capture.
inline constexpr const char* kFilmWord = "--film-of-producer";

/// The file's own word. 0: it does not say, or nothing that can be believed.
struct FilmFacts {
  std::uint64_t frames{0};
  double fps{0};
  friend bool operator==(const FilmFacts&, const FilmFacts&) = default;
};
/// On its way to the frame that was asked for.
struct FilmBusy {
  friend bool operator==(const FilmBusy&, const FilmBusy&) = default;
};
/// The frame that was asked for. It lies in the shared memory, if it could become a JPEG.
struct FilmFrame {
  std::uint64_t sequence{0};
  friend bool operator==(const FilmFrame&, const FilmFrame&) = default;
};
/// There are so many frames, and so none like the one that was asked for.
struct FilmOver {
  std::uint64_t frames{0};
  friend bool operator==(const FilmOver&, const FilmOver&) = default;
};
using FilmReport = std::variant<FilmFacts, FilmBusy, FilmFrame, FilmOver, CaptureEnding>;

std::string encode_ask(std::uint64_t sequence);
std::optional<std::uint64_t> decode_ask(std::string_view bytes);

std::string encode_film_report(const FilmReport& report);
std::optional<FilmReport> decode_film_report(std::string_view bytes);

}  // namespace framefleet::producer
