#include "shared/telemetry/http_probe.hpp"

#include "tests/support/catch.hpp"

#include "shared/telemetry/http_server.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <string>

using namespace framefleet;
using namespace framefleet::telemetry;
using namespace std::chrono_literals;

namespace {

constexpr Duration kPatience = 10s;

struct Window {
  Health health;
  std::unique_ptr<HttpServer> server;
  std::string address;

  Window() {
    health.turned(monotonic_now());
    auto started = HttpServer::start({.listen = "127.0.0.1:0", .loop_age_max = 10s}, health);
    REQUIRE(started.has_value());
    server = std::move(*started);
    address = "127.0.0.1:" + std::to_string(server->port());
  }
};

}  // namespace

TEST_CASE("a probe hears what a process says of itself") {
  Window window;
  window.health.not_ready("waiting for the broker");
  auto answer = probe(window.address, "/readyz", kPatience);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 503);
  CHECK(answer->text == "waiting for the broker\n");

  window.health.ready("serving");
  answer = probe(window.address, "/readyz", kPatience);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 200);
  CHECK(answer->text == "serving\n");
}

TEST_CASE("a probe where nobody listens says so and is no answer") {
  std::string address;
  {
    const Window gone;
    address = gone.address;
  }
  const auto answer = probe(address, "/readyz", kPatience);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().exit_code == exit_code::kUnavailable);
  CHECK_THAT(answer.error().text, Catch::StartsWith("http://" + address + "/readyz: "));
}

TEST_CASE("a probe takes addresses with a port alone") {
  for (const auto* const address : {"", "localhost", "localhost:", ":9100", "localhost:0", "a:b"}) {
    INFO(address);
    const auto answer = probe(address, "/readyz", kPatience);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().exit_code == exit_code::kUsage);
  }
}

TEST_CASE("an answer that is too long is no answer") {
  Window window;
  window.health.ready(std::string(100'000, 'x'));
  CHECK_FALSE(probe(window.address, "/readyz", kPatience).has_value());
}
