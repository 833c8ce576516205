#include "producer/cameras/film_reader.hpp"

#include "shared/processes/linked_process.hpp"
#include "shared/processes/packet.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>

namespace framefleet::producer {
namespace {

/// A process that is on its way to a frame says so five times a second.
constexpr Duration kSilenceMax = std::chrono::seconds{20};

tl::unexpected<FilmEnd> broken(std::string text) { return fail(FilmEnd{{}, std::move(text)}); }

tl::unexpected<FilmEnd> gone() { return broken("the capture process is gone"); }

tl::unexpected<FilmEnd> silent() { return broken("the capture process was silent for 20 s"); }

/// An absolute path: of another one FFmpeg would take "a:b.avi" for a protocol.
CameraOptions order_for(const std::string& path) {
  CameraOptions order;
  order.url = Secret("file:" + std::filesystem::absolute(path).string());
  order.loop = false;
  return order;
}

bool readable_within(int fd, Duration timeout) {
  pollfd waited{fd, POLLIN, 0};
  while (true) {
    const int ready = ::poll(&waited, 1, static_cast<int>(ceil_ms(timeout)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

}  // namespace

Result<FilmReader, FilmEnd> FilmReader::open(const std::string& path, const std::string& program) {
  auto frames = FrameReader::make();
  if (!frames) return broken(frames.error().text);
  auto process = start_linked({program, "framefleet-capture", kFilmWord, {}});
  if (!process) return broken(process.error().text);
  FilmReader film(std::move(*frames), process->pid, std::move(process->link));
  const std::array files{film.frames_.file()};
  if (!send_packet(film.link_.get(), encode_order(order_for(path)), files, Wait::no)) {
    return broken("the capture process ended at once");
  }
  const auto said = film.hear();
  if (!said) return fail(said.error());
  const auto* const facts = std::get_if<FilmFacts>(&*said);
  if (facts == nullptr) return broken("the capture process said what no capture process says");
  film.facts_ = *facts;
  return film;
}

FilmReader::FilmReader(FilmReader&& other) noexcept
    : frames_(std::move(other.frames_)),
      pid_(std::exchange(other.pid_, 0)),
      link_(std::move(other.link_)),
      facts_(other.facts_),
      next_(other.next_),
      asked_(other.asked_),
      answer_(std::move(other.answer_)),
      silent_(other.silent_) {}

FilmReader& FilmReader::operator=(FilmReader&& other) noexcept {
  std::swap(frames_, other.frames_);
  std::swap(pid_, other.pid_);
  std::swap(link_, other.link_);
  std::swap(facts_, other.facts_);
  std::swap(next_, other.next_);
  std::swap(asked_, other.asked_);
  std::swap(answer_, other.answer_);
  std::swap(silent_, other.silent_);
  return *this;
}

FilmReader::~FilmReader() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

bool FilmReader::ask(std::uint64_t sequence) {
  if (!asked_) asked_ = send_packet(link_.get(), encode_ask(sequence), {}, Wait::no);
  return asked_;
}

bool FilmReader::ready(std::uint64_t sequence, Duration patience) {
  if (!answer_ && !ask(sequence)) answer_ = gone();
  if (answer_) return true;
  if (!readable_within(link_.get(), patience)) {
    silent_ += patience;
    if (silent_ > kSilenceMax) answer_ = silent();
    return answer_.has_value();
  }
  silent_ = {};
  auto said = hear_one();
  if (said && std::holds_alternative<FilmBusy>(*said)) return false;
  answer_ = std::move(said);
  return true;
}

Result<std::optional<CapturedFrame>, FilmEnd> FilmReader::read(std::uint64_t sequence) {
  if (!answer_ && !ask(sequence)) return gone();
  const auto said = answer_ ? *std::exchange(answer_, std::nullopt) : hear();
  asked_ = false;
  if (!said) return fail(said.error());
  const auto* const frame = std::get_if<FilmFrame>(&*said);
  if (frame == nullptr || frame->sequence != sequence) {
    return broken("the capture process said what no capture process says");
  }
  next_ = sequence + 1;
  auto taken = frames_.take();
  if (!taken) return broken(taken.error().text);
  return std::move(*taken);
}

Result<FilmReport, FilmEnd> FilmReader::hear_one() {
  Packet packet;
  if (receive_packet(link_.get(), 0, Wait::no, packet) != Heard::packet) {
    return broken("the capture process died");
  }
  const auto report = decode_film_report(packet.bytes);
  if (!report) return broken("the capture process said what no capture process says");
  if (const auto* over = std::get_if<FilmOver>(&*report)) {
    return fail(FilmEnd{over->frames, "the video is over"});
  }
  if (const auto* ending = std::get_if<CaptureEnding>(&*report)) return broken(ending->text);
  return *report;
}

Result<FilmReport, FilmEnd> FilmReader::hear() {
  while (readable_within(link_.get(), kSilenceMax)) {
    auto report = hear_one();
    if (!report || !std::holds_alternative<FilmBusy>(*report)) return report;
  }
  return silent();
}

}  // namespace framefleet::producer
