// The Python producer, written from docs/PROTOCOL.md alone, against our codec: every message it
// sends is read, every answer we write is understood. The broker here is a script; the real one
// meets the producer end to end.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include "shared/security/digest.hpp"
#include "shared/wire/codec.hpp"

#include <sys/wait.h>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

using namespace framefleet;

namespace {

constexpr const char* kSource = "producer.py";

/// Answers what a broker would: the first submit is busy, the second task fails, the others are ok.
class ScriptedBroker {
 public:
  ScriptedBroker() : socket_(context_, zmq::socket_type::router) {
    socket_.set(zmq::sockopt::linger, 1000);
    socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    socket_.bind("tcp://127.0.0.1:*");
  }

  std::string endpoint() const { return socket_.get(zmq::sockopt::last_endpoint); }

  /// Serves one peer until it says goodbye.
  void serve() {
    while (!said_goodbye) {
      std::vector<zmq::message_t> parts;
      if (!zmq::recv_multipart(socket_, std::back_inserter(parts))) FAIL("the producer is silent");
      REQUIRE(parts.size() >= 2);
      std::vector<std::uint64_t> sizes;
      for (std::size_t i = 2; i < parts.size(); ++i) sizes.push_back(parts[i].size());
      const std::span header(static_cast<const std::byte*>(parts[1].data()), parts[1].size());
      const auto message = wire::decode(header, sizes);
      if (!message) FAIL(message.error().text);
      peer_ = parts[0].to_string();
      std::visit([this](const auto& value) { on(value); }, *message);
    }
  }

  std::vector<SubmittedTask> submitted;
  std::set<std::string> origins;
  bool said_goodbye{false};
  int heartbeats{0};

 private:
  void send(const Message& message) {
    const auto header = wire::encode(message, {});
    REQUIRE(header);
    socket_.send(zmq::buffer(peer_), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(*header), zmq::send_flags::none);
  }

  void on(const Hello& hello) {
    CHECK(hello.role == Role::producer);
    REQUIRE(hello.sources.size() == 1);
    CHECK(hello.sources[0].name == kSource);
    send(Welcome{1, 3, std::chrono::milliseconds{500}, std::chrono::seconds{10}, 256, 1U << 26U,
                 1U << 26U});
  }
  void on(const Heartbeat& heartbeat) {
    CHECK(heartbeat.incarnation == 3);
    ++heartbeats;
    send(heartbeat);
  }
  void on(const Submit& submit) {
    for (const auto& task : submit.tasks) {
      CHECK(task.source == kSource);
      CHECK(task.id.source == security::source_hash(kSource));
      CHECK(task.detectors == std::vector<std::string>{"edges", "faces"});
      const auto description = wire::decode_task(task.task);
      REQUIRE(description);
      CHECK(description->detect == std::vector<std::string>{"faces?min_size=40", "edges"});
      origins.insert(description->origin);
      submitted.push_back(task);
      if (submitted.size() == 1) {
        send(Busy{{task.id}, Reason::backlog_tasks, std::chrono::milliseconds{1}});
        continue;
      }
      send(Admitted{{{task.id, false}}});
      const bool fails = task.id.sequence == 1;
      send(Settled{{{task.id, fails ? Status::failed : Status::ok,
                     fails ? Reason::undecodable : Reason::none, ""}}});
    }
  }
  void on(const Goodbye& goodbye) {
    said_goodbye = true;
    send(goodbye);
  }
  template <class Other>
  void on(const Other& other) {
    FAIL("a producer does not send " << name_of(Message{other}));
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  std::string peer_;
};

}  // namespace

TEST_CASE("a producer of 80 lines of Python and our codec understand each other") {
  const test::TemporaryFolder folder;
  std::string files;
  std::set<std::string> paths;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) {
    const auto path = (folder.path() / name).string();
    std::ofstream(path) << "the codec never looks at " << name;
    files += " " + path;
    paths.insert(path);
  }
  ScriptedBroker broker;
  const auto command = "/usr/bin/python3 " FRAMEFLEET_SOURCE_DIR "/tests/e2e/producer.py " +
                       broker.endpoint() + " 'faces?min_size=40,edges'" + files;
  auto* const producer = ::popen(command.c_str(), "r");
  REQUIRE(producer != nullptr);
  broker.serve();
  std::string printed;
  for (int c = std::fgetc(producer); c != EOF; c = std::fgetc(producer)) {
    printed += static_cast<char>(c);
  }
  const int status = ::pclose(producer);
  CHECK(WEXITSTATUS(status) == 3);  // one failed

  CHECK(broker.submitted.size() == 4);  // the busy one twice
  CHECK(broker.origins == paths);
  CHECK(broker.heartbeats > 0);
  std::istringstream lines(printed);
  std::set<std::string> settled;
  for (std::string id, word, reason; lines >> id >> word >> reason;) {
    INFO(id);
    const auto parsed = parse_task_id(id);
    REQUIRE(parsed);
    CHECK(settled.insert(id).second);
    CHECK(word == (parsed->sequence == 1 ? "failed" : "ok"));
    CHECK(reason == (parsed->sequence == 1 ? "undecodable" : "none"));
  }
  CHECK(settled.size() == 3);
}
