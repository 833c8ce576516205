// A peer that reads too slowly, or not at all, costs the hub bounded memory and nobody else
// anything.

#include "tests/unit/transport/ends.hpp"

using namespace framefleet;
using namespace framefleet::test;
using transport::Channel;
using transport::Frame;
using transport::Hub;

namespace {

constexpr std::uint64_t kResults = 300;

/// Far more than the buffers of a connection hold, so that most of it waits in the hub.
void send_results(Hub& hub, PeerId peer) {
  const auto payload = hub.payloads().put({Frame::of(std::string(128 * 1024, 'x'))});
  for (std::uint64_t i = 0; i < kResults; ++i) {
    TaskResult result;
    result.id.sequence = i;
    result.token = "0123456789abcdef";
    result.payload = payload;
    hub.send(peer, Results{{result}});
  }
  hub.payloads().release(payload.id);
}

/// The next result here, while the hub goes on sending.
TaskResult next_result(Hub& hub, Channel& channel) {
  for (int i = 0; i < kPollsMax; ++i) {
    hub.flush();
    if (auto incoming = channel.receive()) {
      return std::get<Results>(*incoming->message).tasks.at(0);
    }
    channel.wait({}, kPoll);
  }
  FAIL("the slow peer hears nothing");
  return {};
}

}  // namespace

TEST_CASE("what a slow peer cannot take waits in the hub and arrives in order") {
  const auto hub = open_hub();
  const auto slow = dialled(hub->endpoints().front());
  const auto quick = dialled(hub->endpoints().front());
  slow->send(numbered(1));
  const auto slow_peer = hear(*hub).from;
  send_results(*hub, slow_peer);
  CHECK(hub->stats().sent < kResults);

  quick->send(numbered(2));
  const auto quick_peer = hear(*hub).from;
  hub->send(quick_peer, numbered(3));
  CHECK(hear_a<Heartbeat>(*quick) == numbered(3));

  for (std::uint64_t i = 0; i < kResults; ++i) {
    const auto result = next_result(*hub, *slow);
    REQUIRE(result.id.sequence == i);
    slow->payloads().release(result.payload.id);
  }
  CHECK(hub->stats().sent == kResults + 1);
  CHECK(hub->take_unreachable().empty());
}

TEST_CASE("a peer for which too much waits counts as unreachable, and nothing of it is kept") {
  const auto hub = open_hub({.bind = {"tcp://127.0.0.1:0"}, .waiting_messages_max = 10});
  const auto slow = dialled(hub->endpoints().front());
  slow->send(numbered(1));
  const auto peer = hear(*hub).from;
  send_results(*hub, peer);
  const auto gone = hub->take_unreachable();
  REQUIRE_FALSE(gone.empty());
  CHECK(gone.front() == peer);
  CHECK(hub->stats().unreachable == gone.size());
  hub->forget(peer);
  slow->dial();
  slow->send(numbered(2));
  CHECK(hear(*hub).from != peer);
}

TEST_CASE("long answers that nobody reads are not kept by the hundred megabytes") {
  const auto hub = open_hub({.bind = {"tcp://127.0.0.1:0"}, .waiting_bytes_max = 1 << 20});
  const auto slow = dialled(hub->endpoints().front());
  slow->send(numbered(1));
  const auto peer = hear(*hub).from;
  Known known;
  known.unknown.resize(2000, TaskId{~std::uint64_t{0}, 1, 1, 0});  // some 60 KiB each
  constexpr int kAnswersMax = 1000;                                // less than messages may wait
  int answers = 0;
  while (hub->take_unreachable().empty() && answers < kAnswersMax) {
    hub->send(peer, known);
    ++answers;
  }
  CHECK(answers < kAnswersMax);
  CHECK(hub->stats().unreachable == 1);
}
