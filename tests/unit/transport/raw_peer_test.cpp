// Peers that do not speak the protocol: bare sockets that send what no channel would.

#include "tests/unit/transport/ends.hpp"

#include "shared/wire/codec.hpp"
#include "shared/wire/limits.hpp"

#include <zmq.hpp>

#include <optional>
#include <vector>

using namespace framefleet;
using namespace framefleet::test;

namespace {

class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.connect(endpoint);
  }
  void send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto flags = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      REQUIRE(socket_.send(zmq::buffer(frames[i]), flags));
    }
  }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

std::string header_of(const Message& message) {
  auto header = wire::encode(message, {});
  REQUIRE(header);
  return *header;
}

/// A header as a newer build might send it: whole, of a type that we have never heard of.
std::string header_of_the_future() {
  auto header = header_of(Goodbye{});
  const auto type = header.find("goodbye");
  REQUIRE(type != std::string::npos);
  return header.replace(type, 7, "farewel");
}

}  // namespace

TEST_CASE("a message of an unknown type is counted and dropped, and the next one is heard") {
  const auto hub = open_hub();
  RawPeer peer{hub->endpoints().front()};
  peer.send({header_of_the_future()});
  peer.send({header_of_the_future(), "with a payload"});
  peer.send({header_of(numbered(1))});
  CHECK(hear_a<Heartbeat>(*hub) == numbered(1));
  CHECK(hub->stats().unknown_types == 2);
  CHECK(hub->stats().unreadable == 0);
  CHECK(hub->payloads().count() == 0);
}

TEST_CASE("a flood of unknown types does not hold the loop, and makes no peers") {
  const auto hub = open_hub();
  const int kFlood = 200;
  RawPeer peer{hub->endpoints().front()};
  for (int i = 0; i < kFlood; ++i) peer.send({header_of_the_future()});
  RawPeer other{hub->endpoints().front()};
  std::uint64_t dropped = 0;
  while (dropped < kFlood) {
    hub->wait({}, kPoll);
    CHECK_FALSE(hub->receive());
    CHECK(hub->stats().unknown_types - dropped <= 64);
    dropped = hub->stats().unknown_types;
  }
  other.send({header_of(numbered(1))});
  CHECK(hear(*hub).from == PeerId{1});  // the first that counts as one
}

TEST_CASE("a header that is none is a fault with a text, and its frames are not kept") {
  const auto hub = open_hub();
  RawPeer peer{hub->endpoints().front()};
  const std::vector<std::vector<std::string>> faulty{
      {""},
      {"\xC1 is never used in MessagePack"},
      {std::string(wire::kHeaderLimits.bytes + 1, '\x90')},
      {header_of(numbered(1)), "a frame that the header does not list"},
  };
  for (const auto& frames : faulty) {
    peer.send(frames);
    const auto incoming = hear(*hub);
    CHECK_FALSE(incoming.message);
    CHECK_FALSE(incoming.fault.empty());
  }
  CHECK(hub->stats().unreadable == faulty.size());
  CHECK(hub->payloads().count() == 0);
  peer.send({header_of(numbered(2))});
  CHECK(hear_a<Heartbeat>(*hub) == numbered(2));
}

TEST_CASE("more frames than a message may have are a fault at the hub") {
  const auto hub = open_hub();
  RawPeer peer{hub->endpoints().front()};
  std::vector<std::string> frames(1 + wire::kMessageFramesMax + 1, "x");
  frames.front() = header_of(numbered(1));
  peer.send(frames);
  CHECK(hear(*hub).fault.find("frame") != std::string::npos);
  frames.resize(1000, "x");
  peer.send(frames);
  CHECK(hear(*hub).fault.find("frame") != std::string::npos);
  peer.send({header_of(numbered(2))});
  CHECK(hear_a<Heartbeat>(*hub) == numbered(2));
}

TEST_CASE("nonsense from the broker is a fault at the channel, and the next message is heard") {
  zmq::context_t context{1};
  zmq::socket_t router{context, zmq::socket_type::router};
  router.set(zmq::sockopt::linger, 0);
  router.bind("tcp://127.0.0.1:*");
  const auto channel = dialled(router.get(zmq::sockopt::last_endpoint));
  channel->send(numbered(1));
  zmq::message_t route;
  zmq::message_t header;
  REQUIRE(router.recv(route));
  REQUIRE(router.recv(header));
  const auto send = [&](const std::vector<std::string>& frames) {
    router.send(zmq::buffer(route.to_string()), zmq::send_flags::sndmore);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto flags = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      router.send(zmq::buffer(frames[i]), flags);
    }
  };
  send({"nonsense"});
  CHECK_FALSE(hear(*channel).fault.empty());
  std::vector<std::string> frames(1 + wire::kMessageFramesMax + 1, "x");
  frames.front() = header_of(numbered(2));  // good by itself
  send(frames);
  CHECK(hear(*channel).fault.find("frame") != std::string::npos);
  send({header_of_the_future()});
  send({header_of(numbered(3))});
  CHECK(hear_a<Heartbeat>(*channel) == numbered(3));
}

TEST_CASE("a peer that sends too large a frame is cut off, and the others are not") {
  const auto hub = open_hub({.bind = {"tcp://127.0.0.1:0"}, .frame_bytes_max = 100'000});
  const auto other = dialled(hub->endpoints().front());
  other->send(numbered(1));
  const auto other_peer = hear(*hub).from;
  RawPeer peer{hub->endpoints().front()};
  peer.send({header_of(numbered(2))});
  const auto before = hear(*hub).from;
  peer.send({header_of(numbered(3)), std::string(100'001, 'x')});
  // Its socket connects anew by itself; what it says before it has noticed the cut is lost.
  std::optional<transport::Hub::Incoming> again;
  for (int i = 0; i < kPollsMax && !again; ++i) {
    peer.send({header_of(numbered(4))});
    hub->wait({}, kPoll);
    again = hub->receive();
  }
  REQUIRE(again);
  REQUIRE(again->message);
  CHECK(std::get<Heartbeat>(*again->message) == numbered(4));
  CHECK(again->from != before);
  other->send(numbered(5));
  auto heard = hear(*hub);
  while (heard.from == again->from) heard = hear(*hub);
  CHECK(heard.from == other_peer);
  CHECK(hub->payloads().count() == 0);
}
