#include "producer/cameras/film_wire.hpp"

#include "shared/processes/fields.hpp"

#include <bit>
#include <type_traits>

namespace framefleet::producer {
namespace {

enum class FilmWord : std::uint8_t { facts = 1, busy, frame, over, ending };

std::optional<FilmReport> read(FilmWord word, FieldReader& in) {
  switch (word) {
    case FilmWord::facts: {
      FilmFacts facts;
      facts.frames = in.get<std::uint64_t>();
      facts.fps = std::bit_cast<double>(in.get<std::uint64_t>());
      return facts;
    }
    case FilmWord::busy:
      return FilmBusy{};
    case FilmWord::frame:
      return FilmFrame{in.get<std::uint64_t>()};
    case FilmWord::over:
      return FilmOver{in.get<std::uint64_t>()};
    case FilmWord::ending: {
      const auto report = decode_report(in.text());
      const auto* const ending = report ? std::get_if<CaptureEnding>(&*report) : nullptr;
      if (ending != nullptr) return *ending;
      break;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string encode_ask(std::uint64_t sequence) {
  FieldWriter out;
  out.put(sequence);
  return out.take();
}

std::optional<std::uint64_t> decode_ask(std::string_view bytes) {
  FieldReader in(bytes);
  const auto sequence = in.get<std::uint64_t>();
  return in.done() ? std::optional(sequence) : std::nullopt;
}

std::string encode_film_report(const FilmReport& report) {
  FieldWriter out;
  std::visit(
      [&out](const auto& said) {
        using Said = std::decay_t<decltype(said)>;
        if constexpr (std::is_same_v<Said, FilmFacts>) {
          out.put(FilmWord::facts).put(said.frames).put(std::bit_cast<std::uint64_t>(said.fps));
        } else if constexpr (std::is_same_v<Said, FilmBusy>) {
          out.put(FilmWord::busy);
        } else if constexpr (std::is_same_v<Said, FilmFrame>) {
          out.put(FilmWord::frame).put(said.sequence);
        } else if constexpr (std::is_same_v<Said, FilmOver>) {
          out.put(FilmWord::over).put(said.frames);
        } else {
          out.put(FilmWord::ending).put(std::string_view(encode_report(said)));
        }
      },
      report);
  return out.take();
}

std::optional<FilmReport> decode_film_report(std::string_view bytes) {
  FieldReader in(bytes);
  const auto report = read(static_cast<FilmWord>(in.get<std::uint8_t>()), in);
  return in.done() ? report : std::nullopt;
}

}  // namespace framefleet::producer
