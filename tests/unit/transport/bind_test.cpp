// Addresses that cannot be bound or dialled: the exit code and a text that names the address.

#include "tests/unit/transport/ends.hpp"

#include <filesystem>
#include <fstream>

using namespace framefleet;
using namespace framefleet::test;
using transport::Channel;
using transport::Hub;

namespace {

Error error_of_bind(const std::string& endpoint, bool insecure = false) {
  const auto hub = Hub::open({.bind = {endpoint}, .insecure = insecure});
  INFO(endpoint);
  REQUIRE_FALSE(hub);
  CHECK(hub.error().text.find(endpoint) != std::string::npos);
  return hub.error();
}

}  // namespace

TEST_CASE("an address that is taken is exit code 69 and names itself") {
  const TemporaryFolder folder;
  for (const auto& bind :
       {std::string("tcp://127.0.0.1:0"), "ipc://" + (folder.path() / "hub.sock").string()}) {
    const auto hub = open_hub({.bind = {bind}});
    const auto error = error_of_bind(hub->endpoints().front());
    CHECK(error.exit_code == exit_code::kUnavailable);
    CHECK(error.text.find("another broker") != std::string::npos);
    const auto channel = dialled(hub->endpoints().front());
    channel->send(numbered(1));
    CHECK(hear_a<Heartbeat>(*hub) == numbered(1));  // the first one goes on
  }
}

TEST_CASE("a socket that a dead broker left behind is no hindrance, a file is") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "hub.sock";
  const auto endpoint = "ipc://" + path.string();
  std::ofstream{path} << "precious";
  CHECK(error_of_bind(endpoint).exit_code == exit_code::kUnavailable);
  CHECK(std::filesystem::file_size(path) == 8);
  std::filesystem::remove(path);
  {
    const auto hub = open_hub({.bind = {endpoint}});
    std::filesystem::create_hard_link(path, folder.path() / "kept");
  }
  std::filesystem::rename(folder.path() / "kept", path);
  REQUIRE(std::filesystem::is_socket(path));
  open_hub({.bind = {endpoint}});
}

TEST_CASE("what is no address is exit code 78") {
  for (const auto* endpoint :
       {"nonsense", "http://127.0.0.1:5555", "tcp://127.0.0.1", "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:port", "tcp://:5555", "tcp://127.0.0.1:55x5", "ipc://"}) {
    CHECK(error_of_bind(endpoint).exit_code == exit_code::kConfig);
    const auto channel = Channel::open({.connect = endpoint});
    INFO(endpoint);
    REQUIRE_FALSE(channel);
    CHECK(channel.error().exit_code == exit_code::kConfig);
    CHECK(channel.error().text.find(endpoint) != std::string::npos);
  }
}

TEST_CASE("an address that is not loopback needs --insecure") {
  for (const auto* endpoint : {"tcp://*:0", "tcp://0.0.0.0:0", "tcp://10.0.0.1:5555"}) {
    const auto error = error_of_bind(endpoint);
    CHECK(error.exit_code == exit_code::kConfig);
    CHECK(error.text.find("--insecure") != std::string::npos);
  }
  const auto hub = open_hub({.bind = {"tcp://0.0.0.0:0"}, .insecure = true});
  CHECK(hub->endpoints().front().starts_with("tcp://0.0.0.0:"));
  const auto local = open_hub({.bind = {"tcp://localhost:0"}});
  CHECK(local->endpoints().front().starts_with("tcp://127.0.0.1:"));
}

TEST_CASE("a path that is too long for a socket is exit code 78") {
  const auto endpoint = "ipc:///tmp/" + std::string(108, 'x');
  CHECK(error_of_bind(endpoint).exit_code == exit_code::kConfig);
  CHECK_FALSE(Channel::open({.connect = endpoint}));
}

TEST_CASE("a folder that is not there is told, not made") {
  const TemporaryFolder folder;
  const auto endpoint = "ipc://" + (folder.path() / "missing" / "hub.sock").string();
  CHECK(error_of_bind(endpoint).exit_code == exit_code::kUnavailable);
}
