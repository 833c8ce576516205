// A broker against peers whose every message is written out: what it answers to honest ones, to
// those that come late, and to those that lie.

#include "tests/integration/ledger.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/transport/ends.hpp"

#include "shared/security/digest.hpp"
#include "shared/wire/codec.hpp"

#include <set>

using namespace framefleet;
using namespace framefleet::test;
using Catch::Contains;
using transport::Channel;
using transport::Frame;

namespace {

using Peer = std::unique_ptr<Channel>;

SubmittedTask task_of(const std::string& source, std::uint64_t sequence) {
  SubmittedTask task;
  task.id = {security::source_hash(source), 1, sequence, 0};
  task.source = source;
  task.job = "test";
  task.detectors = {"stub"};
  const auto description = wire::encode_task({.origin = "a.jpg", .detect = {"stub"}});
  REQUIRE(description);
  task.task = *description;
  return task;
}

Peer join(const std::string& endpoint, const Hello& hello) {
  auto peer = dialled(endpoint);
  peer->send(hello);
  hear_a<Welcome>(*peer);
  return peer;
}

Hello producer_hello(const std::string& source = "photos") {
  auto hello = sample_hello(Role::producer, "p");
  hello.sources = {{source, 1}};
  return hello;
}

Hello worker_hello(const std::string& name = "w", std::uint32_t slots = 1) {
  auto hello = sample_hello(Role::worker, name);
  hello.detectors = {"stub"};
  hello.slots = slots;
  return hello;
}

Hello sink_hello() {
  auto hello = sample_hello(Role::sink, "s");
  hello.store = "0c2f6e0a-5d52-4f0e-9d5c-3b1f2a4e6d70";
  return hello;
}

/// A broker with a scripted peer of every role.
struct Cast {
  BrokerMember broker;
  Peer producer;
  Peer sink;
  Peer worker;

  explicit Cast(broker::BrokerOptions options = broker_options())
      : broker(std::move(options)),
        producer(join(broker.endpoint(), producer_hello())),
        sink(join(broker.endpoint(), sink_hello())),
        worker(join(broker.endpoint(), worker_hello())) {}

  /// Whatever its peers did, the broker's books balance.
  ~Cast() {
    if (broker->running()) check_balance(*broker);
  }
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;

  void submit(std::uint64_t sequence, const std::string& picture = "picture") {
    auto task = task_of("photos", sequence);
    task.payload = producer->payloads().put({Frame::of(picture)});
    producer->send(Submit{{task}});
  }
};

AssignedTask hear_assigned(Channel& worker) {
  const auto assign = hear_a<Assign>(worker);
  REQUIRE(assign.tasks.size() == 1);
  return assign.tasks.front();
}

Results result_of(Channel& worker, const AssignedTask& assigned) {
  TaskResult result;
  result.id = assigned.id;
  result.lease = assigned.lease;
  result.token = assigned.token;
  result.elapsed = std::chrono::milliseconds{5};
  const auto record = wire::encode_record({.width = 1, .height = 1});
  REQUIRE(record);
  result.payload = worker.payloads().put({Frame::of(*record)});
  return {{result}};
}

/// Options of a broker that listens in `folder`: whoever comes over ipc is its own user.
broker::BrokerOptions ipc_options(const TemporaryFolder& folder) {
  return broker_options("ipc://" + (folder.path() / "broker").string());
}

void drain_as_operator(const BrokerMember& broker) {
  const auto client = join(broker.endpoint(), sample_hello(Role::client, "operator"));
  Control control;
  control.verb = ControlVerb::drain_broker;
  client->send(control);
  CHECK(hear_a<Report>(*client).reason == Reason::none);
}

}  // namespace

TEST_CASE("a task goes from hand to hand, and both who had it hear that it is stored") {
  Cast cast;
  cast.submit(0);
  const auto id = task_of("photos", 0).id;
  CHECK(hear_a<Admitted>(*cast.producer) == Admitted{{{id, false}}});
  const auto assigned = hear_assigned(*cast.worker);
  CHECK(assigned.id == id);
  CHECK(assigned.attempt == 1);
  CHECK(assigned.task == task_of("photos", 0).task);
  CHECK(texts_of(cast.worker->payloads().frames(assigned.payload.id)) ==
        std::vector<std::string>{"picture"});
  cast.worker->send(result_of(*cast.worker, assigned));
  const auto outcomes = hear_a<Outcomes>(*cast.sink).outcomes;
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].status == Status::ok);
  CHECK(outcomes[0].worker == "w");
  CHECK(outcomes[0].worked == std::chrono::milliseconds{5});
  const SettledTask settled{id, Status::ok, Reason::none, ""};
  cast.sink->send(Stored{{settled}});
  CHECK(hear_a<Settled>(*cast.producer) == Settled{{settled}});
  CHECK(hear_a<Settled>(*cast.worker) == Settled{{settled}});
  cast.submit(0);  // again: it is answered, not worked on
  CHECK(hear_a<Settled>(*cast.producer) == Settled{{settled}});
}

TEST_CASE("welcome tells the grant and the times that were configured") {
  auto options = broker_options();
  options.core.grant_tasks = 12;
  options.core.grant_bytes = 34'000;
  options.core.payload_bytes_max = 5'000'000;
  BrokerMember broker{options};
  const auto peer = dialled(broker.endpoint());
  peer->send(producer_hello());
  const auto welcome = hear_a<Welcome>(*peer);
  CHECK(welcome.grant_tasks == 12);
  CHECK(welcome.grant_bytes == 34'000);
  CHECK(welcome.payload_bytes_max == 5'000'000);
  CHECK(welcome.heartbeat_interval == options.core.heartbeat_interval);
  CHECK(welcome.peer_timeout == options.core.peer_timeout);
  CHECK(welcome.incarnation != 0);
}

TEST_CASE("whoever speaks before a hello is sent away, and taken in after one") {
  BrokerMember broker;
  const auto peer = dialled(broker.endpoint());
  peer->send(Submit{{task_of("photos", 0)}});
  hear_a<Goodbye>(*peer);
  peer->send(producer_hello());
  hear_a<Welcome>(*peer);
}

TEST_CASE(
    "a second hello begins anew: what was leased is handed out again, the old lease is stale") {
  Cast cast;
  cast.submit(0);
  const auto first = hear_assigned(*cast.worker);
  cast.worker->send(worker_hello());
  hear_a<Welcome>(*cast.worker);
  const auto second = hear_assigned(*cast.worker);
  CHECK(second.id == first.id);
  CHECK(second.lease != first.lease);
  CHECK(second.attempt == 2);
  cast.worker->send(result_of(*cast.worker, first));
  CHECK(hear_a<Stale>(*cast.worker) == Stale{{{first.id, first.lease}}});
  cast.worker->send(result_of(*cast.worker, second));
  CHECK(hear_a<Outcomes>(*cast.sink).outcomes.front().attempts == 2);
}

TEST_CASE("a result with a lease that was never given is stale and closes nothing") {
  Cast cast;
  cast.submit(0);
  const auto assigned = hear_assigned(*cast.worker);
  auto results = result_of(*cast.worker, assigned);
  auto& lease = results.tasks[0].lease;
  lease.incarnation += 1;  // as of another life of the broker
  cast.worker->send(results);
  CHECK(hear_a<Stale>(*cast.worker) == Stale{{{assigned.id, lease}}});
  cast.worker->send(Nack{assigned.id, {1, 999}, Reason::undecodable, ""});
  CHECK(hear_a<Stale>(*cast.worker) == Stale{{{assigned.id, {1, 999}}}});
  cast.worker->send(result_of(*cast.worker, assigned));
  CHECK(hear_a<Outcomes>(*cast.sink).outcomes.front().attempts == 1);
}

TEST_CASE("results that come together are taken together, or not at all") {
  Cast cast;
  const auto quick = join(cast.broker.endpoint(), worker_hello("quick", 2));
  cast.worker->send(Goodbye{});  // answered: what comes now is for the quick one
  hear_a<Goodbye>(*cast.worker);
  const auto batch = [&](std::uint64_t first) {
    cast.submit(first);
    const auto one = hear_assigned(*quick);
    cast.submit(first + 1);
    const auto other = hear_assigned(*quick);
    auto results = result_of(*quick, one);
    results.tasks.push_back(result_of(*quick, other).tasks[0]);
    return results;
  };
  quick->send(batch(0));
  std::set<std::uint64_t> ended;
  while (ended.size() < 2) {
    for (const auto& outcome : hear_a<Outcomes>(*cast.sink).outcomes) {
      CHECK(outcome.status == Status::ok);
      ended.insert(outcome.id.sequence);
    }
  }
  CHECK(ended == std::set<std::uint64_t>{0, 1});

  auto forged = batch(2);
  forged.tasks[1].token.assign(forged.tasks[1].token.size(), 'x');
  quick->send(forged);
  CHECK(hear_a<Refused>(*quick).reason == Reason::malformed);
  const auto honest = join(cast.broker.endpoint(), worker_hello("honest", 2));
  CHECK(hear_a<Assign>(*honest).tasks.size() == 2);
}

TEST_CASE("a result with a forged token ends its connection, and the task goes to somebody else") {
  Cast cast;
  cast.submit(0);
  const auto assigned = hear_assigned(*cast.worker);
  auto forged = result_of(*cast.worker, assigned);
  auto& token = forged.tasks[0].token;
  token.front() = static_cast<char>(token.front() ^ 1);
  cast.worker->send(forged);
  const auto refused = hear_a<Refused>(*cast.worker);
  CHECK(refused.reason == Reason::malformed);
  CHECK(refused.text.find("token") != std::string::npos);
  const auto honest = join(cast.broker.endpoint(), worker_hello("honest"));
  const auto again = hear_assigned(*honest);
  CHECK(again.id == assigned.id);
  honest->send(result_of(*honest, again));
  CHECK(hear_a<Outcomes>(*cast.sink).outcomes.front().worker == "honest");
}

TEST_CASE("a worker cannot use the token of another one") {
  Cast cast;
  const auto other = join(cast.broker.endpoint(), worker_hello("other"));
  cast.submit(0);
  cast.submit(1);
  const auto assigned = hear_assigned(*cast.worker);
  hear_assigned(*other);
  other->send(result_of(*other, assigned));
  CHECK(hear_a<Refused>(*other).reason == Reason::malformed);
}

TEST_CASE("a task whose id is not of its source is malformed and ends the connection") {
  Cast cast;
  auto task = task_of("photos", 0);
  task.id.source ^= 1U;
  cast.producer->send(Submit{{task}});
  const auto refused = hear_a<Refused>(*cast.producer);
  CHECK(refused.reason == Reason::malformed);
  CHECK(refused.text.find("photos") != std::string::npos);
}

TEST_CASE("a source that was not claimed is rejected, and the producer stays") {
  Cast cast;
  cast.producer->send(Submit{{task_of("elsewhere", 0)}});
  const auto rejected = hear_a<Rejected>(*cast.producer);
  REQUIRE(rejected.tasks.size() == 1);
  CHECK(rejected.tasks[0].reason == Reason::not_owner);
  cast.submit(0);
  hear_a<Admitted>(*cast.producer);
}

TEST_CASE("what only another role may say ends the connection") {
  Cast cast;
  cast.producer->send(Stored{});
  CHECK(hear_a<Refused>(*cast.producer).reason == Reason::wrong_role);
  cast.worker->send(Submit{{task_of("photos", 0)}});
  CHECK(hear_a<Refused>(*cast.worker).reason == Reason::wrong_role);
}

TEST_CASE("a peer of other versions, and a sink of another store, are refused with the reason") {
  Cast cast;
  auto hello = worker_hello("new");
  hello.wire = {kWireVersions.max + 1, kWireVersions.max + 1};
  auto peer = dialled(cast.broker.endpoint());
  peer->send(hello);
  CHECK(hear_a<Refused>(*peer).reason == Reason::wire_version);
  auto other_sink = sink_hello();
  other_sink.store = "ffffffff-5d52-4f0e-9d5c-3b1f2a4e6d70";
  peer = dialled(cast.broker.endpoint());
  peer->send(other_sink);
  CHECK(hear_a<Refused>(*peer).reason == Reason::other_store);
}

TEST_CASE("over the cap a submit is answered busy with the reason and when to come again") {
  auto options = broker_options();
  options.core.backlog_tasks_max = 1;
  Cast cast{options};
  cast.submit(0);
  hear_a<Admitted>(*cast.producer);
  cast.submit(1);
  const auto busy = hear_a<Busy>(*cast.producer);
  CHECK(busy.tasks == std::vector{task_of("photos", 1).id});
  CHECK(busy.reason == Reason::backlog_tasks);
  CHECK(busy.retry == options.core.busy_retry);
}

TEST_CASE("a picture that is none goes to the sink with its bytes at its first attempt") {
  Cast cast;
  cast.submit(0, "not a picture");
  const auto assigned = hear_assigned(*cast.worker);
  cast.worker->send(Nack{assigned.id, assigned.lease, Reason::not_a_picture, "no known format"});
  const auto outcome = hear_a<Outcomes>(*cast.sink).outcomes.at(0);
  CHECK(outcome.status == Status::failed);
  CHECK(outcome.reason == Reason::not_a_picture);
  CHECK(outcome.text == "no known format");
  CHECK(texts_of(cast.sink->payloads().frames(outcome.payload.id)) ==
        std::vector<std::string>{"not a picture"});
}

TEST_CASE("a broker drains: it takes nothing new, finishes what it has, says goodbye and leaves") {
  Cast cast;
  cast.submit(0);
  hear_a<Admitted>(*cast.producer);
  const auto assigned = hear_assigned(*cast.worker);
  cast.broker->drain();
  REQUIRE(cast.broker->says("draining"));
  cast.submit(1);
  CHECK(hear_a<Busy>(*cast.producer).reason == Reason::draining);
  cast.worker->send(result_of(*cast.worker, assigned));
  const auto outcome = hear_a<Outcomes>(*cast.sink).outcomes.at(0);
  cast.sink->send(Stored{{{outcome.id, Status::ok, Reason::none, ""}}});
  hear_a<Settled>(*cast.producer);
  hear_a<Settled>(*cast.worker);
  for (auto* peer : {cast.producer.get(), cast.worker.get(), cast.sink.get()}) {
    hear_a<Goodbye>(*peer);
    peer->send(Goodbye{});
  }
  CHECK(cast.broker->exit_code() == 0);
}

TEST_CASE("a dead letter is revived by the broker's own user alone") {
  const TemporaryFolder folder;
  const auto revive = [](Cast& cast) {
    auto task = task_of("photos", 7);
    task.revived_from = task_of("photos", 0).id;
    task.payload = cast.producer->payloads().put({Frame::of("picture")});
    cast.producer->send(Submit{{task}});
  };
  Cast over_tcp;
  revive(over_tcp);
  CHECK(hear_a<Refused>(*over_tcp.producer).reason == Reason::not_permitted);
  Cast over_ipc{ipc_options(folder)};
  revive(over_ipc);
  CHECK(hear_a<Admitted>(*over_ipc.producer).tasks.size() == 1);
}

TEST_CASE("a broker that an operator drains says so and is not ready, as by a signal") {
  const TemporaryFolder folder;
  Cast cast{ipc_options(folder)};
  cast.submit(0);
  hear_a<Admitted>(*cast.producer);
  hear_assigned(*cast.worker);  // which never ends
  drain_as_operator(cast.broker);
  CHECK_THAT(cast.broker->get("/readyz"), Contains(" 503 ") && Contains("draining"));
  CHECK_THAT(cast.broker->log(), Contains(" draining timeout="));
}

TEST_CASE("a broker that an operator drains gives up in time, as by a signal") {
  const TemporaryFolder folder;
  auto options = ipc_options(folder);
  options.drain_timeout = std::chrono::milliseconds{200};
  Cast cast{options};
  cast.submit(0);
  hear_a<Admitted>(*cast.producer);
  drain_as_operator(cast.broker);
  CHECK(cast.broker->exit_code() == exit_code::kSomeFailed);
  CHECK_THAT(cast.broker->log(), Contains("drain_given_up") && Contains("tasks_given_up"));
}
