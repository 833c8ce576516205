#include "shared/base/link.hpp"

#include "tests/support/catch.hpp"

#include <vector>

using namespace framefleet;
using namespace std::chrono_literals;

namespace {

/// A link, its effects and a hand-driven time.
struct LinkFixture {
  LinkFixture() : link(Hello{.role = Role::worker, .name = "w"}, LinkOptions{}) {}

  LinkEvent tick() { return link.tick(now, effects); }
  LinkEvent receive(const Message& message) { return link.receive(message, now, effects); }
  template <class T>
  std::size_t count() const {
    std::size_t found = 0;
    for (const auto& effect : effects) found += std::holds_alternative<T>(effect) ? 1U : 0U;
    return found;
  }
  void come_up() {
    tick();
    REQUIRE(receive(Welcome{.incarnation = 7, .heartbeat_interval = 500ms, .peer_timeout = 2s}) ==
            LinkEvent::up);
    effects.clear();
  }

  Link link;
  std::vector<std::variant<Dial, HangUp, Send>> effects;
  Time now{1s};
};

}  // namespace

TEST_CASE("a link dials at once, says hello and is up when welcomed") {
  LinkFixture f;
  CHECK(f.link.next_deadline() <= f.now);
  f.tick();
  REQUIRE(f.effects.size() == 2);
  CHECK(std::holds_alternative<Dial>(f.effects[0]));
  CHECK(std::holds_alternative<Hello>(std::get<Send>(f.effects[1]).message));
  CHECK_FALSE(f.link.up());
  CHECK(f.receive(Welcome{.incarnation = 7, .heartbeat_interval = 500ms, .peer_timeout = 2s}) ==
        LinkEvent::up);
  CHECK(f.link.up());
  CHECK(f.link.incarnation() == 7);
  CHECK(f.link.next_deadline() == f.now + 500ms);
}

TEST_CASE("without an answer to its hello a link dials anew, and again") {
  LinkFixture f;
  f.tick();
  for (std::size_t dials = 2; dials <= 4; ++dials) {
    f.now = f.link.next_deadline();
    f.tick();
    CHECK(f.count<Dial>() == dials);
  }
}

TEST_CASE("a link beats at its interval and lists the leases it is given") {
  LinkFixture f;
  f.come_up();
  f.now += 499ms;
  CHECK(f.tick() == LinkEvent::none);
  f.now += 1ms;
  REQUIRE(f.tick() == LinkEvent::beat_due);
  f.link.beat({LeaseId{7, 3}}, f.now, f.effects);
  CHECK(f.effects.back() == std::variant<Dial, HangUp, Send>{Send{Heartbeat{7, {LeaseId{7, 3}}}}});
  CHECK(f.tick() == LinkEvent::none);
}

TEST_CASE("silence for the broker's peer_timeout hangs up and dials again at once") {
  LinkFixture f;
  f.come_up();
  f.now += 2s;
  CHECK(f.tick() == LinkEvent::down);
  CHECK(f.count<HangUp>() == 1);
  CHECK_FALSE(f.link.up());
  CHECK(f.link.losses() == 1);
  CHECK(f.tick() == LinkEvent::none);
  CHECK(f.count<Dial>() == 1);
}

TEST_CASE("any message is a sign of life") {
  LinkFixture f;
  f.come_up();
  f.now += 1999ms;
  CHECK(f.receive(Stale{}) == LinkEvent::none);
  f.now += 1999ms;
  CHECK(f.tick() == LinkEvent::beat_due);
}

TEST_CASE("a link whose welcome got lost dials anew, whatever else it hears") {
  LinkFixture f;
  f.tick();
  f.now += 2499ms;
  CHECK(f.receive(Stale{}) == LinkEvent::none);
  f.now += 1ms;
  f.tick();
  CHECK(f.count<Dial>() == 2);
}

TEST_CASE("a broker that says goodbye is answered and dialled again after a pause") {
  LinkFixture f;
  f.come_up();
  CHECK(f.receive(Goodbye{}) == LinkEvent::down);
  CHECK(f.count<Send>() == 1);
  CHECK(f.link.next_deadline() == f.now + LinkOptions{}.redial_delay);
}

TEST_CASE("a refusal without retry is final, one with retry is a pause") {
  LinkFixture f;
  f.tick();
  CHECK(f.receive(Refused{Reason::standby, "another sink", 3s}) == LinkEvent::none);
  CHECK(f.link.next_deadline() == f.now + 3s);
  f.now += 3s;
  f.tick();
  CHECK(f.receive(Refused{Reason::wire_version, "too old", 0s}) == LinkEvent::refused);
  CHECK(f.link.finished());
  CHECK(f.link.next_deadline() == kNever);
}

TEST_CASE("a refusal that is over is forgotten") {
  LinkFixture f;
  f.tick();
  f.receive(Refused{Reason::draining, "drains", 3s});
  CHECK(f.link.refusal().reason == Reason::draining);
  f.now += 3s;
  f.come_up();
  CHECK(f.link.refusal().reason == Reason::none);
}

TEST_CASE("leaving is a handshake, and ends without an answer too") {
  LinkFixture f;
  f.come_up();
  CHECK(f.link.leave(f.now, f.effects) == LinkEvent::none);
  CHECK(std::holds_alternative<Goodbye>(std::get<Send>(f.effects.back()).message));
  SECTION("answered") { CHECK(f.receive(Goodbye{}) == LinkEvent::closed); }
  SECTION("not answered") {
    f.now = f.link.next_deadline();
    CHECK(f.tick() == LinkEvent::closed);
  }
  CHECK(f.link.finished());
  CHECK(f.count<HangUp>() == 1);
}

TEST_CASE("leaving a link that is not up closes at once") {
  LinkFixture f;
  CHECK(f.link.leave(f.now, f.effects) == LinkEvent::closed);
  CHECK(f.link.finished());
}
