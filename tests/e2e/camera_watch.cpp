// Cameras without a broker: what framefleet-producer does with each, and nothing else. Cameras are
// the lines of a file, "NAME URL KEY=VALUE…"; what happens goes as lines to stdout:
//
//   state NAME FROM TO REASON
//   retry NAME FAILURES PAUSE_MS REASON
//   frame NAME NUMBER WIDTH HEIGHT BYTES AGE_MS
//   stats NAME STATE decoded=… …          once a second, and at the end
//   process NAME PID                      whenever it is another one
//
// SIGTERM: the cameras are stopped. With FRAMEFLEET_FRAMES=FOLDER the newest frame of each camera
// lies there as NAME.jpg.

#include "producer/cameras/camera.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

Duration from_ms(const std::string& value) { return std::chrono::milliseconds(std::stoll(value)); }

void set(CameraOptions& options, const std::string& key, const std::string& value) {
  if (key == "transport")
    options.rtsp_transport = value == "udp" ? RtspTransport::udp : RtspTransport::tcp;
  if (key == "fps") options.fps = std::stod(value);
  if (key == "width") options.width = static_cast<std::uint32_t>(std::stoul(value));
  if (key == "loop") options.loop = value != "false";
  if (key == "motion") {
    options.motion.emplace();
    options.motion->warm_up = options.motion->hold = 200ms;
  }
  if (key == "codec" && value == "jpeg") options.codec = Codec::jpeg;
  if (key == "codec" && value == "passthrough") options.codec = Codec::passthrough;
  if (key == "camera_timeout_ms") options.camera_timeout = from_ms(value);
  if (key == "open_timeout_ms") options.open_timeout = from_ms(value);
  if (key == "retry_min_ms") options.retry_min = from_ms(value);
  if (key == "retry_max_ms") options.retry_max = from_ms(value);
}

CameraOptions parse(const std::string& line) {
  CameraOptions options;
  std::istringstream words(line);
  std::string url;
  words >> options.name >> url;
  options.url = Secret(url);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    set(options, word.substr(0, equals), equals == word.npos ? "" : word.substr(equals + 1));
  }
  return options;
}

struct Watched {
  explicit Watched(CameraOptions options, const std::string& program, Time now)
      : camera(std::move(options), program, now) {}
  const std::string& name() const { return camera.options().name; }

  Camera camera;
  pid_t pid{0};
};

void print(const std::string& name, const CameraNote& note) {
  if (const auto* changed = std::get_if<StateChanged>(&note)) {
    std::cout << "state " << name << ' ' << to_string(changed->from) << ' '
              << to_string(changed->to) << ' ' << changed->reason << '\n';
  } else if (const auto* retry = std::get_if<RetryPlanned>(&note)) {
    std::cout << "retry " << name << ' ' << retry->failures << ' ' << ceil_ms(retry->pause) << ' '
              << retry->reason << '\n';
  }
}

void print_stats(const Watched& watched, Time now) {
  const auto stats = watched.camera.stats(now);
  std::cout << "stats " << watched.name() << ' ' << to_string(watched.camera.state())
            << " decoded=" << stats.decoded << " skipped=" << stats.skipped
            << " damaged=" << stats.damaged << " gated=" << stats.gated << " taken=" << stats.taken
            << " replaced=" << stats.replaced << " starts=" << stats.starts << '\n';
}

void turn(Watched& watched, Time now) {
  auto& camera = watched.camera;
  for (const auto& note : camera.perform(now)) print(watched.name(), note);
  if (camera.pid() != watched.pid && camera.pid() != 0) {
    std::cout << "process " << watched.name() << ' ' << camera.pid() << '\n';
  }
  watched.pid = camera.pid();
  while (const auto frame = camera.take_newest(now)) {
    std::cout << "frame " << watched.name() << ' ' << frame->number << ' ' << frame->width << ' '
              << frame->height << ' ' << frame->bytes.size() << ' '
              << telemetry::wall_clock_ms() - frame->captured_at_ms << '\n';
    if (const char* folder = std::getenv("FRAMEFLEET_FRAMES")) {
      const std::string path = std::string(folder) + '/' + watched.name() + ".jpg";
      std::ofstream(path + "~", std::ios::binary) << frame->bytes;
      std::filesystem::rename(path + "~", path);
    }
  }
}

int watch(std::vector<std::unique_ptr<Watched>>& cameras, int signals) {
  Time stats_at = telemetry::monotonic_now() + 1s;
  bool stopping = false;
  while (true) {
    Time now = telemetry::monotonic_now();
    Time next = stats_at;
    std::vector<pollfd> fds{{signals, POLLIN, 0}};
    for (auto& watched : cameras) {
      turn(*watched, now);
      next = std::min(next, watched->camera.next_deadline());
      for (const int fd : watched->camera.fds()) fds.push_back({fd, POLLIN, 0});
    }
    if (now >= stats_at) {
      for (const auto& watched : cameras) print_stats(*watched, now);
      stats_at = now + 1s;
    }
    std::cout << std::flush;
    const bool all_stopped = std::all_of(cameras.begin(), cameras.end(), [](const auto& watched) {
      return watched->camera.stopped();
    });
    if (stopping && all_stopped) return 0;
    const auto wait = std::max<Duration>(next - telemetry::monotonic_now(), Duration::zero());
    ::poll(fds.data(), fds.size(), static_cast<int>(ceil_ms(wait)));
    if ((fds[0].revents & POLLIN) != 0 && !stopping) {
      stopping = true;
      for (auto& watched : cameras) watched->camera.stop(telemetry::monotonic_now());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "camera_watch PATH-OF-framefleet-capture CAMERAS\n";
    return exit_code::kUsage;
  }
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  const int signals = signalfd(-1, &term, SFD_CLOEXEC);
  std::vector<std::unique_ptr<Watched>> cameras;
  std::ifstream lines(argv[2]);
  for (std::string line; std::getline(lines, line);) {
    cameras.push_back(std::make_unique<Watched>(parse(line), argv[1], telemetry::monotonic_now()));
  }
  return watch(cameras, signals);
}
