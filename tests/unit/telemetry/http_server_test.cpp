#include "shared/telemetry/http_server.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/telemetry/http_get.hpp"

#include "shared/config/load.hpp"
#include "shared/telemetry/metrics.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/telemetry/process_metrics.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace framefleet;
using namespace framefleet::telemetry;
using namespace framefleet::test;
using namespace std::chrono_literals;

namespace {

struct Window {
  Health health;
  std::unique_ptr<HttpServer> server;

  explicit Window(const std::string& listen = "127.0.0.1:0") {
    health.turned(monotonic_now());
    auto started = HttpServer::start({.listen = listen, .loop_age_max = 10s}, health);
    REQUIRE(started.has_value());
    server = std::move(*started);
  }
};

}  // namespace

TEST_CASE("/metrics serves every source that was added") {
  Window window;
  REQUIRE(window.server->port() > 0);
  auto answer = http_get(window.server->port(), "/metrics");
  CHECK(http_status(answer) == 200);
  CHECK(answer.find("text/plain; version=0.0.4") != std::string::npos);
  CHECK(http_body(answer).empty());

  struct Count {
    double n{0};
  };
  auto table = std::make_shared<MetricTable<Count>>();
  table->gauge("framefleet_test_things", "Things.", [](const Count& c) { return c.n; });
  window.server->add(table);
  window.server->add(std::make_shared<ProcessMetrics>("sample"));
  table->publish({42});
  answer = http_get(window.server->port(), "/metrics");
  CHECK(http_body(answer).find("framefleet_test_things 42\n") != std::string::npos);
  CHECK(http_body(answer).find("framefleet_build_info{") != std::string::npos);
}

TEST_CASE("/healthz is 200 while the loop turns and 503 with its age when it stands") {
  Window window;
  CHECK(http_status(http_get(window.server->port(), "/healthz")) == 200);
  window.health.turned(monotonic_now() - 20s);
  auto answer = http_get(window.server->port(), "/healthz");
  CHECK(http_status(answer) == 503);
  CHECK_THAT(http_body(answer), Catch::StartsWith("last turn of the loop 20.") ||
                                    Catch::StartsWith("last turn of the loop 21."));
  window.health.turned(monotonic_now());
  CHECK(http_status(http_get(window.server->port(), "/healthz")) == 200);
}

TEST_CASE("/readyz is what the loop says") {
  Window window;
  auto answer = http_get(window.server->port(), "/readyz");
  CHECK(http_status(answer) == 503);
  CHECK(http_body(answer) == "starting\n");
  window.health.ready("serving");
  answer = http_get(window.server->port(), "/readyz");
  CHECK(http_status(answer) == 200);
  CHECK(http_body(answer) == "serving\n");
}

TEST_CASE("nothing else is served") {
  Window window;
  CHECK(http_status(http_get(window.server->port(), "/")) == 404);
  CHECK(http_status(http_get(window.server->port(), "/../etc/passwd")) == 404);
  CHECK(http_status(http_exchange(window.server->port(),
                                  "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                  "9000\r\n\r\n" +
                                      std::string(9000, 'x'))) == 413);
}

TEST_CASE("many scrapes at once are all answered") {
  Window window;
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> clients;
    clients.reserve(4);
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          if (http_status(http_get(window.server->port(), "/healthz")) == 200) ++good;
        }
      });
    }
  }
  CHECK(good == 40);
}

TEST_CASE("a taken port is an error that names the address and ends with 69") {
  Window first;
  const std::string taken = "127.0.0.1:" + std::to_string(first.server->port());
  Health health;
  const auto second = HttpServer::start({.listen = taken}, health);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().exit_code == exit_code::kUnavailable);
  CHECK(second.error().text.find(taken) != std::string::npos);
}

TEST_CASE("a port is free again as soon as its server is gone") {
  auto first = std::make_unique<Window>();
  const int port = first->server->port();
  CHECK(http_status(http_get(port, "/healthz")) == 200);
  first.reset();
  CHECK(http_get(port, "/healthz").empty());
  const Window second{"127.0.0.1:" + std::to_string(port)};
  CHECK(http_status(http_get(port, "/healthz")) == 200);
}

TEST_CASE("a server that is stopped at once stops") {
  for (int i = 0; i < 20; ++i) const Window window;
}

TEST_CASE("an empty address is no server") {
  Window window{""};
  CHECK(window.server->port() == 0);
  window.server->add(std::make_shared<ProcessMetrics>("sample"));
}

TEST_CASE("what is no address is a mistake of the configuration") {
  Health health;
  for (const auto* listen : {"9100", ":9100", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                             "::1:9100", "[]:9100", "127.0.0.1:9100 "}) {
    INFO(listen);
    const auto server = HttpServer::start({.listen = listen}, health);
    REQUIRE_FALSE(server.has_value());
    CHECK(server.error().exit_code == exit_code::kConfig);
  }
}
