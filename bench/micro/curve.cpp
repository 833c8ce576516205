// What CURVE costs: messages from a channel to a hub over tcp of this machine, plain and with keys,
// one after the other and again, each run answered in windows as a producer's submits are.

#include "shared/security/keys.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/transport/channel.hpp"
#include "shared/transport/hub.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace framefleet;
using transport::Channel;
using transport::Hub;

constexpr int kRounds = 9;
constexpr std::uint32_t kWindow = 32;
constexpr Duration kPoll = std::chrono::milliseconds{100};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

/// Says the number of what it heard last after each window.
void answer(Hub& hub, std::uint32_t count) {
  for (std::uint32_t heard = 0; heard < count;) {
    hub.wait({}, kPoll);
    while (const auto incoming = hub.receive()) {
      if (!incoming->message) continue;
      for_each_payload(*incoming->message, [&](const Payload& payload) {
        if (payload.id) hub.payloads().release(payload.id);
      });
      if (++heard % kWindow == 0) hub.send(incoming->from, Heartbeat{heard, {}});
    }
    hub.flush();
  }
}

struct Cost {
  double wall_us{0};
  double cpu_us{0};
};

Cost run(Hub& hub, Channel& channel, std::size_t bytes, std::uint32_t count) {
  const auto payload = channel.payloads().put({transport::Frame::of(std::string(bytes, 'x'))});
  const Time begun = telemetry::monotonic_now();
  const double cpu_before = cpu_seconds();
  std::thread other([&] { answer(hub, count); });
  for (std::uint32_t sent = 0, answered = 0; answered < count;) {
    for (; sent < count && sent - answered < 2 * kWindow; ++sent) {
      channel.send(Report{.payload = payload});
    }
    channel.wait({}, kPoll);
    while (const auto incoming = channel.receive()) {
      if (incoming->message) answered = std::get<Heartbeat>(*incoming->message).incarnation;
    }
  }
  other.join();
  const double each = 1e6 / count;
  const Cost cost{seconds(telemetry::monotonic_now() - begun) * each,
                  (cpu_seconds() - cpu_before) * each};
  channel.payloads().release(payload.id);
  return cost;
}

/// Two ends of a connection of their own.
struct Ends {
  std::unique_ptr<Hub> hub;
  std::unique_ptr<Channel> channel;
};

Ends ends_of(Result<std::unique_ptr<Hub>, Error> hub, const security::KeyFiles& keys) {
  if (!hub) throw std::runtime_error(hub.error().text);
  auto channel = Channel::open({.connect = (*hub)->endpoints().front(), .keys = keys});
  if (!channel) throw std::runtime_error(channel.error().text);
  (*channel)->dial();
  return {*std::move(hub), *std::move(channel)};
}

Ends plain_ends() { return ends_of(Hub::open({.bind = {"tcp://127.0.0.1:0"}}), {}); }

Ends keyed_ends(const std::filesystem::path& folder) {
  const auto broker = security::random_key_pair();
  const auto peer = security::random_key_pair();
  for (const auto& [name, pair] : {std::pair{"broker.key", &broker}, {"peer.key", &peer}}) {
    auto made = security::write_key_file(folder / name, *pair, "of a benchmark");
    if (!made) throw std::runtime_error(made.error().text);
  }
  const transport::HubKeys keys{broker, {peer.public_key}};
  return ends_of(Hub::open({.bind = {"tcp://127.0.0.1:0"}}, &keys),
                 {.own = folder / "peer.key", .broker = folder / "broker.pub"});
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(Ends& plain, Ends& keyed, std::size_t bytes, std::uint32_t count) {
  std::vector<double> wall[2];
  std::vector<double> cpu[2];
  std::vector<double> ratios;
  for (int round = 0; round <= kRounds; ++round) {
    const auto open = run(*plain.hub, *plain.channel, bytes, count);
    const auto with_keys = run(*keyed.hub, *keyed.channel, bytes, count);
    if (round == 0) continue;  // warm-up
    wall[0].push_back(open.wall_us);
    wall[1].push_back(with_keys.wall_us);
    cpu[0].push_back(open.cpu_us);
    cpu[1].push_back(with_keys.cpu_us);
    ratios.push_back(with_keys.cpu_us / open.cpu_us);
  }
  fmt::print(
      "{:>7} bytes: plain {:8.1f} us, {:8.1f} us of CPU each; CURVE {:8.1f} us, {:8.1f} us "
      "of CPU each; ratio of CPU {:.2f}, {:.2f} us per KiB\n",
      bytes, median(wall[0]), median(cpu[0]), median(wall[1]), median(cpu[1]), median(ratios),
      (median(cpu[1]) - median(cpu[0])) / (static_cast<double>(bytes) / 1024));
}

}  // namespace

int main() {
  std::string name = (std::filesystem::temp_directory_path() / "bench-curve-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return exit_code::kCannotCreate;
  const std::filesystem::path folder = name;
  {
    auto plain = plain_ends();
    auto keyed = keyed_ends(folder);
    compare(plain, keyed, 1024, 8192);
    compare(plain, keyed, 100 * 1024, 1024);
  }
  std::filesystem::remove_all(folder);
  return exit_code::kOk;
}
