// A peer's end: it can be dialled before anybody listens, and again; it leaves with its last word.

#include "tests/unit/transport/ends.hpp"

#include <unistd.h>

#include <array>

using namespace framefleet;
using namespace framefleet::test;
using transport::Channel;

TEST_CASE("a channel that is dialled before anybody binds is heard once somebody does") {
  const TemporaryFolder folder;
  const auto endpoint = "ipc://" + (folder.path() / "hub.sock").string();
  const auto channel = dialled(endpoint);
  channel->send(sample_hello(Role::sink, "early"));
  const auto hub = open_hub({.bind = {endpoint}});
  CHECK(hear_a<Hello>(*hub) == sample_hello(Role::sink, "early"));
}

TEST_CASE("nothing is sent or heard before the channel is dialled or after it hung up") {
  const auto hub = open_hub();
  auto channel = Channel::open({.connect = hub->endpoints().front()});
  REQUIRE(channel);
  (*channel)->send(numbered(1));
  CHECK_FALSE((*channel)->receive());
  (*channel)->wait({}, Duration::zero());
  (*channel)->dial();
  (*channel)->send(numbered(2));
  CHECK(hear_a<Heartbeat>(*hub) == numbered(2));
  (*channel)->hang_up();
  (*channel)->send(numbered(3));
  CHECK_FALSE((*channel)->receive());
  (*channel)->dial();
  (*channel)->send(numbered(4));
  CHECK(hear_a<Heartbeat>(*hub) == numbered(4));
}

TEST_CASE("hanging up lets the goodbye out that was said before it") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(numbered(1));
  CHECK(hear_a<Heartbeat>(*hub) == numbered(1));
  channel->send(Goodbye{});
  channel->hang_up();
  hear_a<Goodbye>(*hub);
}

TEST_CASE("dialling anew is a new connection: a new peer at the hub, and no old answers") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(numbered(1));
  const auto before = hear(*hub).from;
  hub->send(before, numbered(2));
  CHECK(hear_a<Heartbeat>(*channel) == numbered(2));
  hub->send(before, numbered(3));
  channel->dial();
  channel->send(numbered(4));
  const auto after = hear(*hub).from;
  CHECK(after != before);
  hub->send(after, numbered(5));
  CHECK(hear_a<Heartbeat>(*channel) == numbered(5));
}

TEST_CASE("payloads that a channel holds survive dialling anew") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  const auto payload = channel->payloads().put({transport::Frame::of("result")});
  channel->dial();
  TaskResult result;
  result.token = "0123456789abcdef";
  result.payload = payload;
  channel->send(Results{{result}});
  const auto heard = hear_a<Results>(*hub);
  REQUIRE(heard.tasks.size() == 1);
  CHECK(texts_of(hub->payloads().frames(heard.tasks[0].payload.id)) ==
        std::vector<std::string>{"result"});
}

TEST_CASE("a wait ends when one of the descriptors can be read") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  REQUIRE(::write(pipe[1], "x", 1) == 1);
  // Without the descriptor these would wait for ever.
  channel->wait(std::array{pipe[0]}, Duration{-1});
  hub->wait(std::array{pipe[0]}, Duration{-1});
  ::close(pipe[0]);
  ::close(pipe[1]);
}
