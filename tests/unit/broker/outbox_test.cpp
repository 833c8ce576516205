#include "broker/core/outbox.hpp"

#include "tests/support/catch.hpp"

#include <vector>

using namespace framefleet;
using namespace framefleet::broker;

namespace {

constexpr PeerId kProducer{1};
constexpr PeerId kWorker{2};

Settled settled(std::uint64_t sequence) { return {{{TaskId{1, 1, sequence, 0}}}}; }
Admitted admitted(std::uint64_t sequence) { return {{{TaskId{1, 1, sequence, 0}}}, {}}; }

}  // namespace

TEST_CASE("what goes to one peer is joined, whatever is said to others in between") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)});
  outbox.add({kWorker, settled(2)});
  outbox.add({kProducer, settled(3)});
  REQUIRE(outbox.messages().size() == 2);
  const auto& joined = std::get<Settled>(outbox.messages()[0].message);
  REQUIRE(joined.tasks.size() == 2);
  CHECK(joined.tasks[0].id.sequence == 1);
  CHECK(joined.tasks[1].id.sequence == 3);
  CHECK(outbox.messages()[1] == SendTo{kWorker, settled(2)});
}

TEST_CASE("messages of one peer keep their order") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)});
  outbox.add({kProducer, admitted(2)});
  outbox.add({kProducer, settled(3)});
  REQUIRE(outbox.messages().size() == 3);
  CHECK(outbox.messages()[2] == SendTo{kProducer, settled(3)});
}

TEST_CASE("a message far back is not looked for") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)});
  for (std::uint64_t peer = 10; peer < 100; ++peer) outbox.add({PeerId{peer}, settled(peer)});
  outbox.add({kProducer, settled(2)});
  CHECK(outbox.messages().size() == 92);
  CHECK(outbox.messages().back() == SendTo{kProducer, settled(2)});
}

TEST_CASE("payloads are let go with the messages, not before") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)});
  outbox.release(PayloadId{7});
  CHECK(outbox.released() == std::vector<PayloadId>{PayloadId{7}});
  outbox.clear();
  CHECK(outbox.messages().empty());
  CHECK(outbox.released().empty());
}

TEST_CASE("what can wait goes along with the next message to its peer, before it") {
  Outbox outbox;
  outbox.add_for_later({kWorker, settled(1)}, Time{});
  outbox.add_for_later({kWorker, settled(2)}, Time{});
  outbox.add({kProducer, admitted(3)});
  CHECK(outbox.messages().size() == 1);
  outbox.add({kWorker, Recall{}});
  REQUIRE(outbox.messages().size() == 3);
  CHECK(outbox.messages()[1].peer == kWorker);
  CHECK(std::get<Settled>(outbox.messages()[1].message).tasks.size() == 2);
  CHECK(outbox.messages()[2] == SendTo{kWorker, Recall{}});
}

TEST_CASE("what can wait is kept while the rest is sent, and not for long") {
  Outbox outbox;
  outbox.add_for_later({kWorker, settled(1)}, Time{});
  outbox.clear();
  CHECK(outbox.next_deadline() == Time{} + Outbox::kHeldMax);
  outbox.tick(Time{} + Outbox::kHeldMax - Duration{1});
  CHECK(outbox.messages().empty());
  outbox.tick(Time{} + Outbox::kHeldMax);
  REQUIRE(outbox.messages().size() == 1);
  CHECK(outbox.messages()[0] == SendTo{kWorker, settled(1)});
  CHECK(outbox.next_deadline() == kNever);
}

TEST_CASE("what is held anew has its own time, whenever the last was said") {
  Outbox outbox;
  outbox.add_for_later({kWorker, settled(1)}, Time{});
  outbox.hurry(kWorker);
  outbox.clear();
  const Time later = Time{} + Outbox::kHeldMax / 2;
  outbox.add_for_later({kWorker, settled(2)}, later);
  outbox.tick(Time{} + Outbox::kHeldMax);
  CHECK(outbox.messages().empty());
  outbox.tick(later + Outbox::kHeldMax);
  CHECK(outbox.messages() == std::vector<SendTo>{{kWorker, settled(2)}});
}

TEST_CASE("more than fits into one message waits no longer") {
  Outbox outbox;
  for (std::uint64_t sequence = 0; sequence < 65; ++sequence) {
    outbox.add_for_later({kWorker, settled(sequence)}, Time{});
  }
  REQUIRE(outbox.messages().size() == 1);
  CHECK(std::get<Settled>(outbox.messages()[0].message).tasks.size() == 64);
}

TEST_CASE("what was held for a peer that is gone is never said") {
  Outbox outbox;
  outbox.add_for_later({kWorker, settled(1)}, Time{});
  outbox.forget(kWorker);
  outbox.hurry(kWorker);
  outbox.tick(Time{} + 2 * Outbox::kHeldMax);
  CHECK(outbox.messages().empty());
}
