#include "broker/core/outbox.hpp"

#include "tests/support/catch.hpp"

#include <vector>

using namespace framefleet;
using namespace framefleet::broker;

namespace {

constexpr PeerId kProducer{1};
constexpr PeerId kWorker{2};

constexpr Duration kWait = std::chrono::milliseconds{200};
constexpr Time kStart{};

Settled settled(std::uint64_t sequence) { return {{{TaskId{1, 1, sequence, 0}}}}; }
Admitted admitted(std::uint64_t sequence) { return {{{TaskId{1, 1, sequence, 0}}}, {}}; }

std::vector<std::uint64_t> sequences(const Admitted& admitted) {
  std::vector<std::uint64_t> sequences;
  for (const auto& task : admitted.tasks) sequences.push_back(task.id.sequence);
  return sequences;
}

}  // namespace

TEST_CASE("what goes to one peer is joined, whatever is said to others in between") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)}, kStart);
  outbox.add({kWorker, settled(2)}, kStart);
  outbox.add({kProducer, settled(3)}, kStart);
  REQUIRE(outbox.messages().size() == 2);
  const auto& joined = std::get<Settled>(outbox.messages()[0].message);
  REQUIRE(joined.tasks.size() == 2);
  CHECK(joined.tasks[0].id.sequence == 1);
  CHECK(joined.tasks[1].id.sequence == 3);
  CHECK(outbox.messages()[1] == SendTo{kWorker, settled(2)});
}

TEST_CASE("messages of one peer keep their order") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)}, kStart);
  outbox.add({kProducer, admitted(2)}, kStart);
  outbox.add({kProducer, settled(3)}, kStart);
  REQUIRE(outbox.messages().size() == 3);
  CHECK(outbox.messages()[2] == SendTo{kProducer, settled(3)});
}

TEST_CASE("a message far back is not looked for") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)}, kStart);
  for (std::uint64_t peer = 10; peer < 100; ++peer) {
    outbox.add({PeerId{peer}, settled(peer)}, kStart);
  }
  outbox.add({kProducer, settled(2)}, kStart);
  CHECK(outbox.messages().size() == 92);
  CHECK(outbox.messages().back() == SendTo{kProducer, settled(2)});
}

TEST_CASE("payloads are let go with the messages, not before") {
  Outbox outbox;
  outbox.add({kProducer, settled(1)}, kStart);
  outbox.release(PayloadId{7});
  CHECK(outbox.released() == std::vector<PayloadId>{PayloadId{7}});
  outbox.clear();
  CHECK(outbox.messages().empty());
  CHECK(outbox.released().empty());
}

TEST_CASE("what can wait goes along with the next message to its peer, before it") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.add({kWorker, settled(2), kWait}, kStart);
  outbox.add({kProducer, admitted(3)}, kStart);
  CHECK(outbox.messages().size() == 1);
  outbox.add({kWorker, Recall{}}, kStart);
  REQUIRE(outbox.messages().size() == 3);
  CHECK(outbox.messages()[1].peer == kWorker);
  CHECK(std::get<Settled>(outbox.messages()[1].message).tasks.size() == 2);
  CHECK(outbox.messages()[2] == SendTo{kWorker, Recall{}});
}

TEST_CASE("what can wait is kept while the rest is sent, and not for long") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.clear();
  CHECK(outbox.next_deadline() == kStart + kWait);
  outbox.tick(kStart + kWait - Duration{1});
  CHECK(outbox.messages().empty());
  outbox.tick(kStart + kWait);
  REQUIRE(outbox.messages().size() == 1);
  CHECK(outbox.messages()[0] == SendTo{kWorker, settled(1), kWait});
  CHECK(outbox.next_deadline() == kNever);
}

TEST_CASE("what is held anew has its own time, whenever the last was said") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.say_held(kWorker);
  outbox.clear();
  const Time later = kStart + kWait / 2;
  outbox.add({kWorker, settled(2), kWait}, later);
  outbox.tick(kStart + kWait);
  CHECK(outbox.messages().empty());
  outbox.tick(later + kWait);
  CHECK(outbox.messages() == std::vector<SendTo>{{kWorker, settled(2), kWait}});
}

TEST_CASE("more than fits into one message waits no longer") {
  Outbox outbox;
  for (std::uint64_t sequence = 0; sequence < 65; ++sequence) {
    outbox.add({kWorker, settled(sequence), kWait}, kStart);
  }
  REQUIRE(outbox.messages().size() == 1);
  CHECK(std::get<Settled>(outbox.messages()[0].message).tasks.size() == 64);
}

TEST_CASE("what was held for a peer that is gone is never said") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.forget(kWorker);
  outbox.say_held(kWorker);
  outbox.tick(kStart + 2 * kWait);
  CHECK(outbox.messages().empty());
}

TEST_CASE("each waits as long as it can") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.add({kProducer, admitted(2), kWait / 2}, kStart);
  CHECK(outbox.next_deadline() == kStart + kWait / 2);
  outbox.tick(kStart + kWait / 2);
  REQUIRE(outbox.messages().size() == 1);
  CHECK(outbox.messages()[0].peer == kProducer);
  CHECK(outbox.next_deadline() == kStart + kWait);
}

TEST_CASE("what joins in later waits no longer than the first") {
  Outbox outbox;
  outbox.add({kWorker, settled(1), kWait}, kStart);
  outbox.add({kWorker, settled(2), kWait}, kStart + kWait / 2);
  outbox.tick(kStart + kWait);
  REQUIRE(outbox.messages().size() == 1);
  CHECK(std::get<Settled>(outbox.messages()[0].message).tasks.size() == 2);
}

TEST_CASE("of a task that has ended nobody hears that it was admitted") {
  Outbox outbox;
  outbox.add({kProducer, admitted(1), kWait}, kStart);
  outbox.add({kProducer, settled(1)}, kStart);
  CHECK(outbox.messages() == std::vector<SendTo>{{kProducer, settled(1)}});
  CHECK(outbox.next_deadline() == kNever);
  outbox.say_held(kProducer);
  CHECK(outbox.messages().size() == 1);
}

TEST_CASE("that others have ended hurries no word of admissions, everything else does") {
  Outbox outbox;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    outbox.add({kProducer, admitted(sequence), kWait}, kStart);
  }
  outbox.add({kProducer, settled(2)}, kStart);
  CHECK(outbox.messages() == std::vector<SendTo>{{kProducer, settled(2)}});
  outbox.add({kProducer, Heartbeat{}}, kStart);
  REQUIRE(outbox.messages().size() == 3);
  CHECK(sequences(std::get<Admitted>(outbox.messages()[1].message)) ==
        std::vector<std::uint64_t>{1, 3});
}
