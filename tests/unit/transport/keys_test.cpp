// Who is let in over tcp, who is not, and what both are told.

#include "tests/unit/transport/ends.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/wire/codec.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::test;
using transport::Channel;
using transport::HandshakeFault;
using transport::Hub;

namespace {

/// A broker's keys and those of its peers, as files.
class Keys {
 public:
  Keys() { write("broker"); }

  const security::KeyPair& write(const std::string& name) {
    auto& pair = pairs_.emplace(name, security::random_key_pair()).first->second;
    REQUIRE(security::write_key_file(file(name), pair, "of a test"));
    return pair;
  }
  std::filesystem::path file(const std::string& name) const {
    return folder_.path() / (name + ".key");
  }
  std::filesystem::path public_file(const std::string& name) const {
    return folder_.path() / (name + ".pub");
  }
  const security::PublicKey& public_key(const std::string& name) const {
    return pairs_.at(name).public_key;
  }
  const security::KeyPair& pair(const std::string& name) const { return pairs_.at(name); }
  std::filesystem::path folder() const { return folder_.path(); }

  std::unique_ptr<Hub> hub(std::vector<security::PublicKey> allowed,
                           std::vector<std::string> bind = {"tcp://127.0.0.1:0"}) const {
    const transport::HubKeys keys{pair("broker"), std::move(allowed)};
    auto opened = Hub::open({.bind = std::move(bind)}, &keys);
    REQUIRE(opened);
    return *std::move(opened);
  }
  std::unique_ptr<Channel> dialled(const Hub& hub, const std::string& name,
                                   const std::string& broker = "broker") const {
    auto channel = Channel::open({.connect = hub.endpoints().front(),
                                  .keys = {.own = file(name), .broker = public_file(broker)}});
    INFO((channel ? std::string{} : channel.error().text));
    REQUIRE(channel);
    (*channel)->dial();
    return *std::move(channel);
  }

 private:
  TemporaryFolder folder_;
  std::map<std::string, security::KeyPair> pairs_;
};

/// Turns both ends until `done`; nothing may come out of the hub meanwhile.
template <class Done>
void until_silently(Hub& hub, Channel& channel, Done done) {
  for (int i = 0; i < kPollsMax && !done(); ++i) {
    REQUIRE_FALSE(hub.receive());
    hub.wait({}, kPoll);
    REQUIRE_FALSE(channel.receive());
    channel.wait({}, Duration::zero());
  }
  REQUIRE(done());
}

std::uint64_t failed(const Hub& hub, HandshakeFault fault) {
  return hub.stats().handshakes_failed.at(static_cast<std::size_t>(fault));
}

/// What is needed for both ends to talk: the hub answers the gate's questions while it waits.
transport::Hub::Incoming hear_beside(Hub& hub, Channel& channel) {
  for (int i = 0; i < kPollsMax; ++i) {
    if (auto incoming = hub.receive()) return std::move(*incoming);
    channel.wait({}, Duration::zero());
    hub.wait({}, kPoll);
  }
  FAIL("the hub hears nothing");
  return {};
}

}  // namespace

TEST_CASE("a listed key is let in, and every message says whose it is") {
  Keys keys;
  keys.write("door");
  const auto hub = keys.hub({keys.public_key("door")});
  const auto channel = keys.dialled(*hub, "door");
  const auto payload = channel->payloads().put({transport::Frame::of("picture")});
  channel->send(numbered(1));
  channel->send(Report{.payload = payload});
  channel->send(numbered(2));
  for (int i = 0; i < 3; ++i) {
    const auto heard = hear_beside(*hub, *channel);
    CHECK(heard.sender.key == keys.public_key("door"));
    CHECK_FALSE(heard.sender.own_user);
    if (i == 2) hub->send(heard.from, numbered(3));
  }
  CHECK(hear_a<Heartbeat>(*channel) == numbered(3));
  CHECK(channel->trouble().empty());
  CHECK(hub->stats().handshakes_failed == transport::HubStats{}.handshakes_failed);
}

TEST_CASE("over ipc a broker with keys takes whom the kernel vouches for") {
  const Keys keys;
  const auto hub = keys.hub({}, {"tcp://127.0.0.1:0", "ipc://" + (keys.folder() / "s").string()});
  const auto channel = dialled(hub->endpoints()[1]);
  channel->send(numbered(1));
  const auto heard = hear_beside(*hub, *channel);
  CHECK(heard.sender.own_user);
  CHECK_FALSE(heard.sender.key);
}

TEST_CASE("who has no key, an unlisted one or takes the broker for another is told and counted") {
  Keys keys;
  keys.write("door");
  keys.write("stranger");
  keys.write("other-broker");
  const auto hub = keys.hub({keys.public_key("door")});

  const auto without = dialled(hub->endpoints().front());
  without->send(numbered(1));
  // Each end may find the other one gone before it knows why; whoever redials finds out.
  until_silently(*hub, *without, [&] {
    const bool told = !without->trouble().empty();
    if (told && failed(*hub, HandshakeFault::mechanism) == 0) without->dial();
    return told && failed(*hub, HandshakeFault::mechanism) > 0;
  });
  CHECK(without->trouble().find("give --key and --broker-key") != std::string::npos);

  const auto stranger = keys.dialled(*hub, "stranger");
  stranger->send(numbered(1));
  until_silently(*hub, *stranger, [&] {
    return failed(*hub, HandshakeFault::unlisted) > 0 && !stranger->trouble().empty();
  });
  CHECK(stranger->trouble().find(keys.public_key("stranger").text()) != std::string::npos);

  const auto misled = keys.dialled(*hub, "door", "other-broker");
  misled->send(numbered(1));
  until_silently(*hub, *misled, [&] {
    return failed(*hub, HandshakeFault::wrong_broker_key) > 0 && !misled->trouble().empty();
  });
  CHECK(misled->trouble().find(keys.public_file("other-broker").string()) != std::string::npos);
  CHECK(hub->stats().received == 0);
}

TEST_CASE("a key that is taken out of the list says nothing more, and cannot come back") {
  Keys keys;
  keys.write("door");
  keys.write("hands");
  const auto hub = keys.hub({keys.public_key("door"), keys.public_key("hands")});
  const auto door = keys.dialled(*hub, "door");
  door->send(numbered(1));
  const auto peer = hear_beside(*hub, *door).from;
  const auto hands = keys.dialled(*hub, "hands");
  hands->send(numbered(1));
  const auto other = hear_beside(*hub, *hands).from;

  CHECK(hub->allow({keys.public_key("hands")}) == std::vector{peer});
  const auto said_in_vain = [&](std::uint64_t count) {
    const auto before = hub->stats().unlisted;
    for (std::uint64_t i = 0; i < count; ++i) door->send(numbered(2));
    until_silently(*hub, *door, [&] { return hub->stats().unlisted >= before + count; });
  };
  said_in_vain(64);
  CHECK(door->trouble().empty());  // it is still there, and can hear why
  said_in_vain(1);
  // Its connection was cut: it dials anew, and is told why it may not before that is counted, or
  // after.
  until_silently(*hub, *door, [&] {
    return !door->trouble().empty() && failed(*hub, HandshakeFault::unlisted) > 0;
  });

  hands->send(numbered(2));
  CHECK(hear_beside(*hub, *hands).from == other);
  // In the list again, it is taken again.
  CHECK(hub->allow({keys.public_key("hands"), keys.public_key("door")}).empty());
  door->dial();
  door->send(numbered(3));
  CHECK(hear_beside(*hub, *door).sender.key == keys.public_key("door"));
}

TEST_CASE("the broker's key changes under living connections, and new ones need the new key") {
  Keys keys;
  keys.write("door");
  keys.write("next");
  const auto hub = keys.hub({keys.public_key("door")}, {"tcp://127.0.0.1:0", "tcp://127.0.0.1:0",
                                                        "ipc://" + (keys.folder() / "s").string()});
  const auto old = keys.dialled(*hub, "door");
  old->send(numbered(1));
  const auto peer = hear_beside(*hub, *old).from;

  REQUIRE(hub->change_key(keys.pair("next")));
  old->send(numbered(2));
  CHECK(hear_beside(*hub, *old).from == peer);
  hub->send(peer, numbered(3));
  CHECK(hear_a<Heartbeat>(*old) == numbered(3));

  const auto late = keys.dialled(*hub, "door");
  late->send(numbered(4));
  until_silently(*hub, *late, [&] { return failed(*hub, HandshakeFault::wrong_broker_key) > 0; });
  const auto both = keys.folder() / "both.pub";
  std::ofstream(both) << "public = \"" << keys.public_key("broker").text() << "\"\n"
                      << "public = \"" << keys.public_key("next").text() << "\"\n";
  for (const auto& file : {both, keys.public_file("next")}) {
    auto fresh = Channel::open(
        {.connect = hub->endpoints().front(), .keys = {.own = keys.file("door"), .broker = file}});
    REQUIRE(fresh);
    (*fresh)->dial();
    (*fresh)->send(numbered(5));
    CHECK(hear_beside(*hub, **fresh).sender.key == keys.public_key("door"));
  }
  REQUIRE(hub->change_key(keys.pair("broker")));
  const auto again = keys.dialled(*hub, "door");
  again->send(numbered(6));
  CHECK(hear_beside(*hub, *again).sender.key == keys.public_key("door"));
  old->send(numbered(7));
  CHECK(hear_beside(*hub, *old).from == peer);
  // Whoever else wants the address is refused as before.
  const auto second = Hub::open({.bind = {hub->endpoints().front()}});
  REQUIRE_FALSE(second);
  CHECK(second.error().exit_code == exit_code::kUnavailable);
}

TEST_CASE("a key that a peer claims in its handshake is worth nothing to a broker without keys") {
  const Keys keys;
  const auto hub = open_hub();
  const auto claim = keys.public_key("broker").text();
  // ZMTP 3.0 with the mechanism NULL: greeting, READY with the claim, a heartbeat as one frame.
  std::string said = std::string("\xFF\0\0\0\0\0\0\0\1\x7F\3\0NULL", 16) + std::string(48, '\0');
  const auto property = [](const std::string& name, const std::string& value) {
    return static_cast<char>(name.size()) + name + std::string(3, '\0') +
           static_cast<char>(value.size()) + value;
  };
  const auto ready = std::string("\5READY") + property("Socket-Type", "DEALER") +
                     property("User-Id", claim) + property("Peer-Address", ":0:0:1");
  const auto header = wire::encode(numbered(1), {});
  REQUIRE(header);
  said += std::string("\4") + static_cast<char>(ready.size()) + ready;
  const auto message = std::string(1, '\0') + static_cast<char>(header->size()) + *header;
  const FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto& endpoint = hub->endpoints().front();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  REQUIRE(::connect(socket.get(), generic, sizeof address) == 0);
  const auto say = [&socket](const std::string& bytes) {
    REQUIRE(::send(socket.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
  };
  say(said);
  constexpr std::size_t kGreetingBytes = 64;
  for (std::size_t heard = 0; heard <= kGreetingBytes;) {  // its READY comes behind its greeting
    std::array<char, 256> answer{};
    const auto got = ::recv(socket.get(), answer.data(), answer.size(), 0);
    REQUIRE(got > 0);
    heard += static_cast<std::size_t>(got);
  }
  say(message);

  const auto heard = hear(*hub);
  CHECK(heard.message == Message(numbered(1)));
  CHECK_FALSE(heard.sender.key);
  CHECK_FALSE(heard.sender.user);
}

TEST_CASE("without keys only loopback is bound, with keys any address") {
  const Keys keys;
  const auto refused = Hub::open({.bind = {"tcp://0.0.0.0:0"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().exit_code == exit_code::kConfig);
  CHECK(refused.error().text.find("--keys") != std::string::npos);
  CHECK(Hub::open({.bind = {"tcp://0.0.0.0:0"}, .insecure = true}));
  keys.hub({}, {"tcp://0.0.0.0:0"});
}

TEST_CASE("a channel with half its keys, or bad ones, does not begin") {
  Keys keys;
  keys.write("door");
  const auto error_of = [](const security::KeyFiles& files) {
    const auto channel = Channel::open({.connect = "tcp://127.0.0.1:5555", .keys = files});
    REQUIRE_FALSE(channel);
    CHECK(channel.error().exit_code == exit_code::kConfig);
    return channel.error().text;
  };
  CHECK(error_of({.own = keys.file("door"), .broker = {}}).find("--broker-key") !=
        std::string::npos);
  CHECK(error_of({.own = keys.folder() / "none", .broker = keys.public_file("broker")})
            .find("none") != std::string::npos);
  REQUIRE(::chmod(keys.file("door").c_str(), 0640) == 0);
  CHECK(error_of({.own = keys.file("door"), .broker = keys.public_file("broker")})
            .find("chmod 600") != std::string::npos);
}
