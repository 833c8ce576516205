#include "bench/fleet/rival.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <stdexcept>

namespace framefleet::bench {

std::string result_of(std::string_view payload) {
  constexpr std::size_t kRest = 48;
  if (payload.size() < kStampBytes) throw std::runtime_error("a task is shorter than its stamp");
  return std::string(payload.substr(0, kStampBytes)) + std::string(kRest, 'r');
}

void write_stamp(const Stamp& stamp, std::string& payload) {
  std::memcpy(payload.data(), &stamp.number, sizeof stamp.number);
  std::memcpy(payload.data() + sizeof stamp.number, &stamp.intended_ns, sizeof stamp.intended_ns);
}

Stamp read_stamp(std::string_view text) {
  if (text.size() < kStampBytes) throw std::runtime_error("a result is shorter than its stamp");
  Stamp stamp;
  std::memcpy(&stamp.number, text.data(), sizeof stamp.number);
  std::memcpy(&stamp.intended_ns, text.data() + sizeof stamp.number, sizeof stamp.intended_ns);
  return stamp;
}

const std::vector<std::unique_ptr<Rival>>& rivals() {
  static const auto kAll = [] {
    std::vector<std::unique_ptr<Rival>> all;
    all.push_back(make_push_pull());
    all.push_back(make_router());
    all.push_back(make_redis());
    all.push_back(make_rabbitmq());
    all.push_back(make_beanstalkd());
    return all;
  }();
  return kAll;
}

void try_for_a_minute(const std::string& what, const std::function<bool()>& attempt) {
  using namespace std::chrono_literals;
  constexpr int kPauseMs = 20;
  const Time until = telemetry::monotonic_now() + 60s;
  while (!attempt()) {
    if (telemetry::monotonic_now() > until) throw std::runtime_error(what);
    ::poll(nullptr, 0, kPauseMs);
  }
}

std::string found_program(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

}  // namespace framefleet::bench
