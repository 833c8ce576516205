#include "shared/base/joining.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

using namespace framefleet;

namespace {

TaskId id(std::uint64_t sequence) { return {1, 1, sequence, 0}; }

Submit submit(std::uint64_t sequence, std::uint8_t frames, std::uint64_t bytes) {
  Submit message;
  auto& task = message.tasks.emplace_back();
  task.id = id(sequence);
  task.payload = {PayloadId{sequence + 1}, frames, bytes};
  return message;
}

Admitted admitted(std::uint64_t sequence, std::vector<std::string> unknown = {}) {
  return {{{id(sequence), true}}, std::move(unknown)};
}

bool joins(Message last, Message next) { return join(last, next); }

}  // namespace

TEST_CASE("lists of one kind become one, in their order") {
  Message last = Settled{{{id(1), Status::ok, Reason::none, ""}}};
  Message next = Settled{{{id(2), Status::failed, Reason::detector_error, "no"}, {id(3)}}};
  REQUIRE(join(last, next));
  CHECK(last == Message{Settled{{{id(1), Status::ok, Reason::none, ""},
                                 {id(2), Status::failed, Reason::detector_error, "no"},
                                 {id(3)}}}});
}

TEST_CASE("what is no list of the same kind stays as it is") {
  Message last = admitted(1);
  Message next = Settled{{{id(1)}}};
  CHECK_FALSE(join(last, next));
  CHECK(last == Message{admitted(1)});
  CHECK(next == Message{Settled{{{id(1)}}}});
  CHECK_FALSE(joins(Goodbye{}, Goodbye{}));
  CHECK_FALSE(joins(Busy{{id(1)}, Reason::draining, {}}, Busy{{id(2)}, Reason::draining, {}}));
}

TEST_CASE("a warning about detectors stays with the tasks that it is about") {
  CHECK_FALSE(joins(admitted(1), admitted(2, {"face"})));
  CHECK_FALSE(joins(admitted(1, {"face"}), admitted(2)));
  CHECK(joins(admitted(1, {"face"}), admitted(2, {"face"})));
}

TEST_CASE("results that are sent together have the payload frames of one message at most") {
  const auto result = [](std::uint64_t sequence, std::uint8_t frames) {
    return Results{{{id(sequence), {1, sequence}, "token", {}, {PayloadId{1}, frames, 10}}}};
  };
  CHECK(joins(result(1, 50), result(2, 14)));
  CHECK_FALSE(joins(result(1, 50), result(2, 15)));
}

TEST_CASE("a message has the entries of its list, or is one") {
  CHECK(entries_of(Settled{{{id(1)}, {id(2)}, {id(3)}}}) == 3);
  CHECK(entries_of(Outcomes{{Outcome{}, Outcome{}}}) == 2);
  CHECK(entries_of(Settled{}) == 0);
  CHECK(entries_of(Goodbye{}) == 1);
}

TEST_CASE("a joined message is within the limits of one") {
  CHECK(joins(submit(1, 32, 10), submit(2, 32, 10)));
  CHECK_FALSE(joins(submit(1, 32, 10), submit(2, 33, 10)));
  CHECK(joins(submit(1, 1, kJoinedBytesMax - 1), submit(2, 1, 1)));
  CHECK_FALSE(joins(submit(1, 1, kJoinedBytesMax), submit(2, 1, 1)));
  const auto described = [](std::uint64_t sequence, std::size_t bytes) {
    auto message = submit(sequence, 1, 10);
    message.tasks.front().task.assign(bytes, 'd');
    return message;
  };
  CHECK(joins(described(1, kJoinedDescriptionBytesMax - 8), described(2, 8)));
  CHECK_FALSE(joins(described(1, kJoinedDescriptionBytesMax - 8), described(2, 9)));
  Message last = Settled{};
  for (std::size_t i = 0; i < kJoinedEntriesMax; ++i) {
    Message next = Settled{{{id(i)}}};
    REQUIRE(join(last, next));
  }
  CHECK_FALSE(joins(last, Settled{{{id(99)}}}));
}

TEST_CASE("what is sent is joined over effects that its order does not matter to, and no others") {
  using Effect = std::variant<Dial, HangUp, Send, ReleasePayload, int>;
  const auto say = [](std::uint64_t sequence) -> Effect { return Send{submit(sequence, 1, 1)}; };
  std::vector<Effect> effects{say(1), 7,        say(2), ReleasePayload{PayloadId{1}},
                              say(3), HangUp{}, say(4), 8,
                              Dial{}, say(5),   say(6)};
  join_sends(effects);
  REQUIRE(effects.size() == 8);
  const auto tasks = [&](std::size_t i) {
    return std::get<Submit>(std::get<Send>(effects[i]).message).tasks.size();
  };
  CHECK(tasks(0) == 3);
  CHECK(std::get<int>(effects[1]) == 7);
  CHECK(std::get<ReleasePayload>(effects[2]).payload == PayloadId{1});
  CHECK(std::holds_alternative<HangUp>(effects[3]));
  CHECK(tasks(4) == 1);
  CHECK(std::get<int>(effects[5]) == 8);
  CHECK(std::holds_alternative<Dial>(effects[6]));
  CHECK(tasks(7) == 2);
}
