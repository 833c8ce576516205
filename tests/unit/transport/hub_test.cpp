// A hub and channels over real sockets: what is sent at one end is what arrives at the other.

#include "tests/unit/transport/ends.hpp"

#include "shared/transport/address.hpp"
#include "shared/wire/codec.hpp"
#include "shared/wire/limits.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

using namespace framefleet;
using namespace framefleet::test;
using transport::Frame;

namespace {

SubmittedTask sample_task(std::uint64_t sequence, Payload payload) {
  SubmittedTask task;
  task.id = {7, 1, sequence, 0};
  task.source = "photos";
  task.detectors = {"edges"};
  task.task = "as the submitter wrote it";
  task.payload = payload;
  return task;
}

/// Through the hub and back, with payloads large (shared) and small (detached).
void check_round_trip(const std::string& bind) {
  const auto hub = open_hub({.bind = {bind}});
  const auto channel = dialled(hub->endpoints().front());
  const std::string large(100'000, 'x');
  const auto first = channel->payloads().put({Frame::of(large), Frame::of("small")});
  const auto second = channel->payloads().put({Frame::of("another")});
  channel->send(Submit{{sample_task(0, first), sample_task(1, {}), sample_task(2, second)}});
  channel->payloads().release(first.id);  // what is on its way needs no store
  channel->payloads().release(second.id);

  auto incoming = hear(*hub);
  REQUIRE(incoming.message);
  const auto submit = std::get<Submit>(*incoming.message);
  REQUIRE(submit.tasks.size() == 3);
  CHECK(submit.tasks[0].id == TaskId{7, 1, 0, 0});
  CHECK(submit.tasks[0].task == "as the submitter wrote it");
  auto& held = hub->payloads();
  CHECK(texts_of(held.frames(submit.tasks[0].payload.id)) ==
        std::vector<std::string>{large, "small"});
  CHECK(submit.tasks[1].payload == Payload{});
  CHECK(texts_of(held.frames(submit.tasks[2].payload.id)) == std::vector<std::string>{"another"});
  CHECK(held.bytes() == 100'012);

  Assign assign;
  assign.tasks.resize(2);
  assign.tasks[0].payload = submit.tasks[0].payload;
  assign.tasks[1].payload = submit.tasks[2].payload;
  for (auto& task : assign.tasks) {
    task.source = "photos";
    task.token = "0123456789abcdef";
    task.task = "as the submitter wrote it";
    task.lease_duration = std::chrono::seconds{5};
  }
  const auto* address = held.frames(submit.tasks[0].payload.id).front().text().data();
  hub->send(incoming.from, assign);
  CHECK(held.frames(submit.tasks[0].payload.id).front().text().data() == address);
  held.release(submit.tasks[0].payload.id);
  held.release(submit.tasks[2].payload.id);
  CHECK(held.count() == 0);
  CHECK(held.bytes() == 0);

  const auto assigned = hear_a<Assign>(*channel);
  REQUIRE(assigned.tasks.size() == 2);
  CHECK(texts_of(channel->payloads().frames(assigned.tasks[0].payload.id)) ==
        std::vector<std::string>{large, "small"});
  CHECK(texts_of(channel->payloads().frames(assigned.tasks[1].payload.id)) ==
        std::vector<std::string>{"another"});
  CHECK(hub->stats().received == 1);
  CHECK(hub->stats().sent == 1);
}

Stored long_list(std::size_t count) {
  Stored stored;
  for (std::size_t i = 0; i < count; ++i) {
    stored.tasks.push_back(
        {{7, 1, i, 0}, Status::failed, Reason::undecodable, "a text of its own"});
  }
  return stored;
}

}  // namespace

TEST_CASE("a hub that sends while something comes does not wait as if nothing had") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(Heartbeat{1, {}});
  const auto peer = hear(*hub).from;
  for (std::uint32_t i = 2; i < 100; ++i) {
    channel->send(Heartbeat{i, {}});
    hub->wait({}, std::chrono::minutes{1});  // it is here, and not read yet
    // libzmq reads its own news while it sends, and its descriptor then tells of them no more.
    hub->send(peer, Heartbeat{i, {}});
    hub->wait({}, Duration{-1});
    const auto incoming = hear(*hub);
    REQUIRE(incoming.message);
    CHECK(std::get<Heartbeat>(*incoming.message).incarnation == i);
    CHECK(hear_a<Heartbeat>(*channel).incarnation == i);
  }
}

TEST_CASE("messages and their payloads arrive as they were sent, over tcp") {
  check_round_trip("tcp://127.0.0.1:0");
}

TEST_CASE("messages and their payloads arrive as they were sent, over ipc") {
  const TemporaryFolder folder;
  check_round_trip("ipc://" + (folder.path() / "hub.sock").string());
}

TEST_CASE("a hub has as many threads for its connections as it is told") {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  const auto one = open_hub({.bind = {"tcp://127.0.0.1:0"}, .io_threads = 1});
  const auto of_one = threads() - before;
  const auto three = open_hub({.bind = {"tcp://127.0.0.1:0"}, .io_threads = 3});
  CHECK(threads() - before - of_one == of_one + 2);
}

TEST_CASE("a hub listens on several addresses and tells the ports it was given") {
  const TemporaryFolder folder;
  const auto path = "ipc://" + (folder.path() / "hub.sock").string();
  const auto hub = open_hub({.bind = {"tcp://127.0.0.1:0", path}});
  REQUIRE(hub->endpoints().size() == 2);
  CHECK(hub->endpoints()[0].starts_with("tcp://127.0.0.1:"));
  CHECK_FALSE(hub->endpoints()[0].ends_with(":0"));
  CHECK(hub->endpoints()[1] == path);
  const auto one = dialled(hub->endpoints()[0]);
  const auto other = dialled(hub->endpoints()[1]);
  one->send(numbered(1));
  other->send(numbered(2));
  std::set<std::uint32_t> numbers;
  std::set<PeerId> peers;
  for (int i = 0; i < 2; ++i) {
    auto incoming = hear(*hub);
    REQUIRE(incoming.message);
    numbers.insert(std::get<Heartbeat>(*incoming.message).incarnation);
    peers.insert(incoming.from);
  }
  CHECK(numbers == std::set<std::uint32_t>{1, 2});
  CHECK(peers.size() == 2);
}

TEST_CASE("a list that is too long for one header travels in several messages, in order") {
  constexpr std::size_t kCount = 3000;
  REQUIRE_FALSE(wire::encode(long_list(kCount), {}).has_value());
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(long_list(kCount));
  Stored heard;
  std::size_t messages = 0;
  while (heard.tasks.size() < kCount) {
    const auto part = hear_a<Stored>(*hub);
    heard.tasks.insert(heard.tasks.end(), part.tasks.begin(), part.tasks.end());
    ++messages;
  }
  CHECK(heard == long_list(kCount));
  CHECK(messages > 1);
  CHECK_FALSE(channel->take_unsendable());
}

TEST_CASE("an answer whose lists are too long for one header names every id once") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  constexpr std::size_t kStored = 2000;
  constexpr std::size_t kUnknown = 5000;
  Known known{42, long_list(kStored).tasks, {}};
  for (std::uint64_t i = 0; i < kUnknown; ++i) known.unknown.push_back({8, 1, i, 0});
  channel->send(known);
  CHECK_FALSE(channel->take_unsendable());
  std::vector<SettledTask> stored;
  std::vector<TaskId> unknown;
  std::size_t parts = 0;
  while (stored.size() < kStored || unknown.size() < kUnknown) {
    const auto part = hear_a<Known>(*hub);
    CHECK(part.asker == 42);
    stored.insert(stored.end(), part.stored.begin(), part.stored.end());
    unknown.insert(unknown.end(), part.unknown.begin(), part.unknown.end());
    ++parts;
  }
  CHECK(parts > 2);
  std::sort(unknown.begin(), unknown.end());
  CHECK(unknown == known.unknown);
  const auto by_id = [](const SettledTask& a, const SettledTask& b) { return a.id < b.id; };
  std::sort(stored.begin(), stored.end(), by_id);
  CHECK(stored == known.stored);
}

TEST_CASE("payloads stay with their entries when a list is split") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  Submit submit;
  constexpr std::uint64_t kTasks = wire::kMessageFramesMax + 40;
  for (std::uint64_t i = 0; i < kTasks; ++i) {
    const auto payload = channel->payloads().put({Frame::of("picture " + std::to_string(i))});
    submit.tasks.push_back(sample_task(i, payload));
  }
  channel->send(submit);
  std::uint64_t next = 0;
  while (next < kTasks) {
    const auto part = hear_a<Submit>(*hub).tasks;
    CHECK(part.size() <= wire::kMessageFramesMax);
    for (const auto& task : part) {
      CHECK(task.id.sequence == next);
      CHECK(texts_of(hub->payloads().frames(task.payload.id)) ==
            std::vector<std::string>{"picture " + std::to_string(next)});
      hub->payloads().release(task.payload.id);
      ++next;
    }
  }
  CHECK(hub->payloads().count() == 0);
}

TEST_CASE("what no header can hold is counted, and its peer is given up so that it asks anew") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(numbered(1));
  const auto peer = hear(*hub).from;
  const auto hello = sample_hello(Role::worker, std::string(1000, 'n'));
  hub->send(peer, hello);
  CHECK(hub->stats().unsendable == 1);
  CHECK(hub->take_unreachable() == std::vector{peer});
  CHECK(hub->take_unreachable().empty());
  channel->send(hello);
  const auto unsendable = channel->take_unsendable();
  REQUIRE(unsendable);
  CHECK(unsendable->exit_code == exit_code::kInternal);
  CHECK(unsendable->text.find("hello.name") != std::string::npos);
  CHECK_FALSE(channel->take_unsendable());
  channel->send(numbered(2));
  CHECK(hear_a<Heartbeat>(*hub) == numbered(2));
}

TEST_CASE("a peer that was forgotten is a new one when it speaks again") {
  const auto hub = open_hub();
  const auto channel = dialled(hub->endpoints().front());
  channel->send(numbered(1));
  const auto before = hear(*hub).from;
  channel->send(numbered(2));
  CHECK(hear(*hub).from == before);
  hub->forget(before);
  hub->send(before, numbered(3));  // to nobody
  channel->send(numbered(4));
  const auto after = hear(*hub).from;
  CHECK(after != before);
  hub->send(after, numbered(5));
  CHECK(hear_a<Heartbeat>(*channel) == numbered(5));
  CHECK(hub->take_unreachable().empty());
}

TEST_CASE("a peer that has gone is told of when something is sent to it") {
  const auto hub = open_hub();
  auto channel = dialled(hub->endpoints().front());
  channel->send(numbered(1));
  const auto peer = hear(*hub).from;
  CHECK(hub->take_unreachable().empty());
  channel.reset();
  std::vector<PeerId> gone;
  for (int i = 0; i < kPollsMax && gone.empty(); ++i) {
    hub->send(peer, numbered(2));
    hub->wait({}, kPoll);
    gone = hub->take_unreachable();
  }
  CHECK(gone == std::vector{peer});
  CHECK(hub->stats().unreachable == 1);
}

TEST_CASE("a message over ipc is known to come from our own user, one over tcp is not") {
  const TemporaryFolder folder;
  const auto path = "ipc://" + (folder.path() / "hub.sock").string();
  const auto hub = open_hub({.bind = {"tcp://127.0.0.1:0", path}});
  const auto over_tcp = dialled(hub->endpoints()[0]);
  const auto over_ipc = dialled(hub->endpoints()[1]);
  // Each a message of one frame and one with payload frames, before and after the hub has waited.
  for (const bool own : {false, true}) {
    const auto& channel = own ? over_ipc : over_tcp;
    const auto payload = channel->payloads().put({Frame::of("picture"), Frame::of("second")});
    channel->send(numbered(1));
    channel->send(Submit{{sample_task(0, payload)}});
    CHECK(hear(*hub).sender.own_user == own);
    CHECK(hear(*hub).sender.own_user == own);
    channel->send(numbered(2));
    hub->wait({}, kPoll * kPollsMax);
    CHECK(hear(*hub).sender.own_user == own);
  }
}

TEST_CASE("another user's message over ipc is not taken for our own user's") {
  if (::geteuid() != 0) return;  // only root can become somebody else
  const TemporaryFolder folder;
  const auto socket = (folder.path() / "hub.sock").string();
  const auto hub = open_hub({.bind = {"ipc://" + socket}});
  REQUIRE(::chmod(socket.c_str(), 0666) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  constexpr uid_t kNobody = 65534;
  // The kernel notes who connects; the hub looks at it once this process is root again.
  const auto channel = transport::Channel::open({.connect = "ipc://" + socket});
  REQUIRE(channel);
  REQUIRE(::seteuid(kNobody) == 0);
  (*channel)->dial();
  (*channel)->send(numbered(1));
  hub->wait({}, kPoll * kPollsMax);
  REQUIRE(::seteuid(0) == 0);
  CHECK_FALSE(hear(*hub).sender.own_user);
}

TEST_CASE("no address of a tcp peer can be read as a user of this machine") {
  using transport::user_of_peer;
  CHECK(user_of_peer("localhost:1000:100:4711") == 1000U);
  CHECK(user_of_peer(":0:0:1") == 0U);
  for (const char* address : {"", "127.0.0.1", "::1", "::", "fe80::1:2", "::0:0:1", "0:0::1",
                              "::ffff:127.0.0.1", "2001:db8:0:0:0:0:0:1", "1::0:0:1", "a:0:0:1:2",
                              "fe80::1%x:0:0", "localhost:-1:0:1", "localhost:0:0:", "0:0:1"}) {
    CAPTURE(address);
    CHECK_FALSE(user_of_peer(address));
  }
}
