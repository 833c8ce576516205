#include "tests/integration/member.hpp"

#include "tests/unit/telemetry/http_get.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <sstream>
#include <utility>

namespace framefleet::test {
namespace {

constexpr std::chrono::milliseconds kAgain{20};
constexpr int kTriesMax = 1500;
constexpr std::chrono::seconds kPatience{30};

}  // namespace

Member::Member(std::string process, Body body)
    : process_(std::move(process)), exit_code_(ended_.get_future()) {
  // The thread inherits what is blocked, so it cannot die of a signal that comes early; this one
  // may.
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
  const auto blocked = telemetry::Signals::block();
  thread_ = std::thread([this, body = std::move(body)] { run(body); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  http_port_ = port_.get_future().get();
}

Member::~Member() {
  if (running()) stop();
  thread_.join();
}

void Member::run(const Body& body) {
  int code = exit_code::kInternal;
  telemetry::Logger log{{.level = telemetry::LogLevel::debug, .event_lines_per_second_max = 0},
                        process_,
                        {.write =
                             [this](std::string_view line) {
                               const std::lock_guard lock{mutex_};
                               lines_.emplace_back(line);
                               written_.notify_all();
                             },
                         .now = telemetry::monotonic_now,
                         .wall_clock_ms = telemetry::wall_clock_ms}};
  telemetry::Signals signals = telemetry::Signals::block();
  telemetry::Health health;
  health.turned(telemetry::monotonic_now());
  auto http = telemetry::HttpServer::start({.listen = "127.0.0.1:0"}, health);
  port_.set_value(http ? (*http)->port() : 0);
  if (http) {
    telemetry::Program program{.log = log, .signals = signals, .health = health, .http = **http};
    try {
      const auto result = body(program);
      code = result ? *result : result.error().exit_code;
      if (!result) log.error("failed", {{"text", result.error().text}});
    } catch (const std::exception& error) {
      log.error("failed", {{"text", error.what()}});
    }
  }
  ended_.set_value(code);
}

void Member::drain() { ::pthread_kill(thread_.native_handle(), SIGTERM); }

void Member::stop() {
  // Two signals of one kind would become one while the first waits to be heard.
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  ::pthread_kill(thread_.native_handle(), SIGINT);
}

bool Member::running() const {
  return exit_code_.valid() &&
         exit_code_.wait_for(std::chrono::seconds{0}) != std::future_status::ready;
}

int Member::exit_code() {
  if (exit_code_.wait_for(kPatience) != std::future_status::ready) return -1;
  return exit_code_.get();
}

int Member::drained() {
  drain();
  return exit_code();
}

bool Member::says(const std::string& text) {
  return eventually([&] { return log().find(text) != std::string::npos; });
}

bool Member::eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < kTriesMax; ++i) {
    if (holds()) return true;
    std::unique_lock lock{mutex_};
    written_.wait_for(lock, kAgain);
  }
  return false;
}

std::string Member::log() const {
  const std::lock_guard lock{mutex_};
  std::string text;
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

std::string Member::get(const std::string& path) const { return http_get(http_port_, path); }

double Member::metric(const std::string& sample) const {
  std::istringstream lines{http_body(get("/metrics"))};
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(sample)) sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

}  // namespace framefleet::test
