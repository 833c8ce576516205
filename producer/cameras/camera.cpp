#include "producer/cameras/camera.hpp"

#include "producer/cameras/capture_wire.hpp"

#include "shared/processes/linked_process.hpp"
#include "shared/processes/packet.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

namespace framefleet::producer {
namespace {

constexpr Duration kStopTimeout = std::chrono::seconds{1};
/// Heard at once, so that a process that never stops talking holds up nobody.
constexpr int kReportsPerTurn = 64;

/// What a stranger wrote, for a log: printable ASCII alone.
std::string printable(std::string text) {
  for (auto& byte : text) {
    if (byte < ' ' || byte > '~') byte = '?';
  }
  return text;
}

CameraCoreOptions core_options(const CameraOptions& options) {
  return {options.camera_timeout, options.open_timeout, options.retry_min, options.retry_max,
          std::hash<std::string>{}(options.name)};
}

std::string text_of(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("the capture process was ended by ") + ::strsignal(WTERMSIG(status));
  }
  return "the capture process ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<std::string, Error> capture_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto program = self.parent_path() / "framefleet-capture";
  if (!error && ::access(program.c_str(), X_OK) == 0) return program.string();
  return fail(Error{"cameras need the program " + program.string() +
                        ", which is not there: install it beside this one",
                    exit_code::kNoInput});
}

Camera::Camera(CameraOptions options, std::string program, Time now)
    : options_(std::move(options)),
      program_(std::move(program)),
      scrubber_(options_.url),
      core_(core_options(options_), now) {}

Camera::~Camera() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  pollfd gone{pidfd_.get(), POLLIN, 0};
  if (pidfd_) ::poll(&gone, 1, static_cast<int>(ceil_ms(kStopTimeout)));
  ::waitpid(pid_, nullptr, WNOHANG);
}

std::vector<int> Camera::fds() const {
  std::vector<int> fds;
  if (link_) fds.push_back(link_.get());
  if (pidfd_) fds.push_back(pidfd_.get());
  return fds;
}

Time Camera::next_deadline() const {
  if (!stop_at_) return core_.next_deadline();
  return pid_ == 0 ? kNever : *stop_at_;
}

std::vector<CameraNote> Camera::perform(Time now) {
  CameraEffects effects;
  hear();
  look_for_pictures(now, effects);
  reap(now, effects);
  if (!stop_at_) {
    core_.tick(now, effects);
  } else if (pid_ != 0 && now >= *stop_at_) {
    kill("it did not stop");
    stop_at_ = kNever;
  }
  std::vector<CameraNote> notes;
  for (std::size_t i = 0; i < effects.size(); ++i) {  // grows: a start can fail
    CameraEffect effect = effects[i];
    if (std::holds_alternative<StartCapture>(effect)) {
      if (auto started = start(); !started) core_.capture_gone(started.error().text, now, effects);
    } else if (std::holds_alternative<KillCapture>(effect)) {
      kill("");
    } else if (auto* changed = std::get_if<StateChanged>(&effect)) {
      notes.emplace_back(std::move(*changed));
    } else if (auto* retry = std::get_if<RetryPlanned>(&effect)) {
      notes.emplace_back(std::move(*retry));
    }
  }
  return notes;
}

std::optional<CapturedFrame> Camera::take_newest(Time now) {
  if (!frames_) return std::nullopt;
  auto frame = frames_->take();
  if (!frame) {
    kill(frame.error().text);
    return std::nullopt;
  }
  if (!*frame) return std::nullopt;
  ++taken_of_process_;
  picture_at_ = now;
  return std::move(*frame);
}

void Camera::stop(Time now) {
  if (stop_at_) return;
  stop_at_ = now + kStopTimeout;
  if (pid_ != 0) ::kill(pid_, SIGTERM);
}

CameraStats Camera::stats(Time now) const {
  CameraStats stats = before_;
  if (frames_) {
    const auto counts = frames_->counts();
    stats.decoded += counts.decoded;
    stats.skipped += counts.skipped;
    stats.damaged += counts.damaged;
    stats.gated += counts.gated;
    stats.taken += taken_of_process_;
    stats.replaced += counts.published - std::min(counts.published, taken_of_process_);
  }
  if (picture_at_) stats.silence = now - *picture_at_;
  return stats;
}

void Camera::hear() {
  Packet packet;
  for (int i = 0; i < kReportsPerTurn && link_; ++i) {
    switch (receive_packet(link_.get(), 0, Wait::no, packet)) {
      case Heard::nothing:
        return;
      case Heard::closed:
        link_.close();
        kill("the capture process hung up");  // unless it has ended
        return;
      case Heard::packet:
        break;
    }
    const auto report = decode_report(packet.bytes);
    if (!report) {
      kill("the capture process said what no capture process says");
    } else if (const auto* ending = std::get_if<CaptureEnding>(&*report)) {
      core_.capture_ends(ending->end, printable(scrubber_.scrubbed(ending->text)));
    }
  }
}

void Camera::look_for_pictures(Time now, CameraEffects& out) {
  if (!frames_ || pid_ == 0) return;
  const auto decoded = frames_->counts().decoded;
  if (decoded == decoded_seen_) return;
  decoded_seen_ = decoded;
  picture_at_ = now;
  core_.frame(now, out);
}

void Camera::reap(Time now, CameraEffects& out) {
  if (pid_ == 0) return;
  int status = 0;
  const auto gone = ::waitpid(pid_, &status, WNOHANG);
  if (gone == 0 || (gone < 0 && errno == EINTR)) return;
  pid_ = 0;
  pidfd_.close();
  link_.close();
  if (stop_at_) return;
  std::string why = std::exchange(killed_because_, "");
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !why.empty();
  core_.capture_gone(killed ? std::move(why) : text_of(status), now, out);
}

Result<void, Error> Camera::start() {
  const auto order = encode_order(options_);
  if (order.size() > kPacketBytesMax) {
    return fail(Error{"its options are too large: use fewer points in the masks of motion"});
  }
  auto frames = FrameReader::make();
  if (!frames) return fail(frames.error());
  auto process = start_linked({program_, "framefleet-capture", kCaptureWord, {}});
  if (!process) return fail(process.error());
  // Whatever the last process counted, and the frame of it that nobody took, goes with its memory.
  before_ = stats(Time{});
  before_.silence.reset();
  ++before_.starts;
  taken_of_process_ = 0;
  decoded_seen_ = 0;
  killed_because_.clear();
  frames_ = std::move(*frames);
  pid_ = process->pid;
  link_ = std::move(process->link);
  pidfd_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  const std::array files{frames_->file()};
  if (!pidfd_) {  // nobody would tell when it is gone
    const int error = errno;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    link_.close();
    return fail(Error{std::string("cannot watch a capture process: ") + std::strerror(error)});
  }
  if (!send_packet(link_.get(), order, files, Wait::no)) {
    kill("the capture process ended at once");
  }
  return {};
}

void Camera::kill(std::string why) {
  if (pid_ == 0) return;
  if (killed_because_.empty()) killed_because_ = std::move(why);
  ::kill(pid_, SIGKILL);
}

}  // namespace framefleet::producer
