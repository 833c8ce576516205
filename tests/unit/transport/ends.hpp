#pragma once
// The two ends of the network in one test: waiting for a message with a limit, and samples of
// messages. Nothing here sleeps: every wait is a poll that ends when there is something to read.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include "shared/transport/channel.hpp"
#include "shared/transport/hub.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::test {

inline constexpr Duration kPoll{std::chrono::milliseconds{10}};
/// Polls before a test gives up: 10 s.
inline constexpr int kPollsMax = 1000;

inline std::unique_ptr<transport::Hub> open_hub(transport::HubOptions options) {
  auto hub = transport::Hub::open(options);
  INFO((hub ? std::string{} : hub.error().text));
  REQUIRE(hub);
  return std::move(*hub);
}

inline std::unique_ptr<transport::Hub> open_hub() {
  return open_hub({.bind = {"tcp://127.0.0.1:0"}});
}

inline std::unique_ptr<transport::Channel> dialled(const std::string& endpoint) {
  auto channel = transport::Channel::open({.connect = endpoint});
  REQUIRE(channel);
  (*channel)->dial();
  return std::move(*channel);
}

/// The next message at this end.
inline transport::Hub::Incoming hear(transport::Hub& hub) {
  for (int i = 0; i < kPollsMax; ++i) {
    hub.flush();
    if (auto incoming = hub.receive()) return std::move(*incoming);
    hub.wait({}, kPoll);
  }
  FAIL("the hub hears nothing");
  return {};
}

inline transport::Channel::Incoming hear(transport::Channel& channel) {
  for (int i = 0; i < kPollsMax; ++i) {
    if (auto incoming = channel.receive()) return std::move(*incoming);
    channel.wait({}, kPoll);
  }
  FAIL("the channel hears nothing");
  return {};
}

template <class Expected, class End>
Expected hear_a(End& end) {
  auto incoming = hear(end);
  INFO(incoming.fault);
  REQUIRE(incoming.message);
  INFO(name_of(*incoming.message));
  REQUIRE(std::holds_alternative<Expected>(*incoming.message));
  return std::get<Expected>(std::move(*incoming.message));
}

inline Hello sample_hello(Role role, const std::string& name) { return hello_as(role, name, "1"); }

/// Heartbeats that can be told apart.
inline Heartbeat numbered(std::uint32_t number) { return {number, {}}; }

inline std::vector<std::string> texts_of(std::span<const transport::Frame> frames) {
  std::vector<std::string> texts;
  for (const auto& frame : frames) texts.emplace_back(frame.text());
  return texts;
}

}  // namespace framefleet::test
