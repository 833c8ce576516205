#include "broker/access/access_rules.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

using namespace framefleet;
using access::Roles;
using broker::denial_of;
using broker::Standing;

namespace {

constexpr std::array<std::pair<char, Roles>, 4> kKeys{{
    {'p', {.producer = true}},
    {'w', {.worker = true}},
    {'s', {.sink = true}},
    {'o', {.operating = true}},
}};

/// Which keys of one role may say it: letters of "pwso".
std::string allowed(const Message& message) {
  std::string letters;
  for (const auto& [letter, roles] : kKeys) {
    if (!denial_of(message, {roles, "key"})) letters += letter;
  }
  return letters;
}

Message hello(Role role) { return Hello{.role = role}; }

Message revival() {
  SubmittedTask task;
  task.revived_from = TaskId{};
  return Submit{{{}, task}};
}

}  // namespace

TEST_CASE("each message is for the roles that have to do with it") {
  CHECK(allowed(hello(Role::producer)) == "po");
  CHECK(allowed(hello(Role::worker)) == "w");
  CHECK(allowed(hello(Role::sink)) == "s");
  CHECK(allowed(hello(Role::client)) == "pwso");
  CHECK(allowed(Submit{{SubmittedTask{}}}) == "p");
  CHECK(allowed(Submit{}) == "p");
  CHECK(allowed(revival()) == "o");
  CHECK(allowed(Sources{}) == "po");
  CHECK(allowed(Ask{}) == "po");
  CHECK(allowed(Results{}) == "w");
  CHECK(allowed(Nack{}) == "w");
  CHECK(allowed(Release{}) == "w");
  CHECK(allowed(Drain{}) == "w");
  CHECK(allowed(Stored{}) == "s");
  CHECK(allowed(Known{}) == "s");
  CHECK(allowed(Report{}) == "ps");
  CHECK(allowed(Heartbeat{}) == "pwso");
  CHECK(allowed(Goodbye{}) == "pwso");
  for (std::size_t verb = 0; verb < kControlVerbCount; ++verb) {
    CHECK(allowed(Control{.verb = static_cast<ControlVerb>(verb)}) == "o");
  }
}

TEST_CASE("a key without a role may say nothing but that it is there") {
  const Standing nobody{{}, "key"};
  for (const auto& message : std::vector<Message>{
           hello(Role::producer), hello(Role::client), Submit{}, revival(), Ask{}, Results{},
           Nack{}, Release{}, Drain{}, Stored{}, Known{}, Report{}, Control{}, Sources{}}) {
    INFO(name_of(message));
    CHECK(denial_of(message, nobody));
  }
}

TEST_CASE("who comes without a key may be anything, and operate as the broker's own user alone") {
  for (const auto& message : std::vector<Message>{hello(Role::worker), Submit{}, Results{},
                                                  Stored{}, hello(Role::client)}) {
    CHECK_FALSE(denial_of(message, broker::standing_without_key(false)));
  }
  CHECK(denial_of(Control{}, broker::standing_without_key(false)));
  CHECK(denial_of(revival(), broker::standing_without_key(false)));
  CHECK_FALSE(denial_of(Control{}, broker::standing_without_key(true)));
  CHECK_FALSE(denial_of(revival(), broker::standing_without_key(true)));
}

TEST_CASE("a denial names the message, the role that it needs, the key and its roles") {
  CHECK(denial_of(Results{}, {{.producer = true, .sink = true}, "front-door"}) ==
        "'result' needs the role worker, and the key of front-door has the role producer or sink");
}
