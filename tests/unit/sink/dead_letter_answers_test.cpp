// What operators are told about dead letters: the documents, the pictures, the refusals.

#include "tests/unit/sink/store_fixture.hpp"

#include <nlohmann/json.hpp>

namespace framefleet::test {
namespace {

using Json = nlohmann::ordered_json;
using sink::ControlAnswer;

constexpr std::uint64_t kFrameBytesMax = std::uint64_t{1} << 20U;

struct Desk {
  TemporaryFolder folder;
  std::unique_ptr<sink::SqliteStore> store;

  explicit Desk(std::uint64_t bytes_max = 1000) {
    auto options = store_options(folder.path());
    options.dead_letters_bytes_max = bytes_max;
    store = open_store(std::move(options));
  }
  ControlAnswer ask(ControlVerb verb, const std::vector<std::uint64_t>& sequences = {},
                    std::uint64_t limit = 0, std::uint64_t frame_bytes_max = kFrameBytesMax) {
    Control control;
    control.verb = verb;
    control.limit = limit;
    for (const auto sequence : sequences) control.tasks.push_back(task_number(sequence));
    auto answer = store->carry_out(control, frame_bytes_max);
    if (!answer) FAIL(answer.error().text);
    return std::move(*answer);
  }
};

Json document(const ControlAnswer& answer) {
  CHECK(answer.reason == Reason::none);
  REQUIRE_FALSE(answer.frames.empty());
  return Json::parse(answer.frames.front());
}

std::vector<std::string> tasks(const Json& document) {
  std::vector<std::string> ids;
  for (const auto& letter : document["dead_letters"]) ids.push_back(letter["task"]);
  return ids;
}

std::string id(std::uint64_t sequence) { return to_string(task_number(sequence)); }

TEST_CASE("the list has a row for each dead letter, the newest first") {
  Desk desk(6);
  auto revived = ok_outcome(5);
  revived.outcome.revived_from = task_number(2);
  auto without = failed_outcome(3, "");
  without.picture.clear();
  commit(*desk.store,
         {failed_outcome(1, "hello"), ok_outcome(4), failed_outcome(2, "world"), without, revived});
  const auto answer = desk.ask(ControlVerb::dead_list);
  CHECK(answer.text == "3 dead letters");
  CHECK(answer.frames.size() == 1);
  const auto found = document(answer);
  CHECK(tasks(found) == std::vector<std::string>{id(3), id(2), id(1)});
  CHECK(found["total"] == 3);
  CHECK(found["bytes"] == 5);
  const auto expected = Json::parse(R"({
    "task": "abcdef0123456789-1-2", "source": "photos", "origin": "/photos/note.jpg",
    "job": "job-1", "class": "batch", "reason": "not_a_picture",
    "text": "starts with \"hello\"", "attempts": 1, "stored_at": "2024-05-01T12:00:00.000Z",
    "bytes": 5, "bytes_dropped": 0, "revived_from": "", "revived_as": "abcdef0123456789-1-5"})");
  CHECK(found["dead_letters"][1] == expected);
  CHECK(found["dead_letters"][0]["bytes"] == 0);
  CHECK(found["dead_letters"][2]["bytes"] == 0);
  CHECK(found["dead_letters"][2]["bytes_dropped"] == 5);
}

TEST_CASE("a list is as long as was asked, or 1000 rows, and says what it leaves out") {
  Desk desk(1'000'000);
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 1100; ++i) many.push_back(failed_outcome(i, "x"));
  commit(*desk.store, many);
  const auto answer = desk.ask(ControlVerb::dead_list);
  CHECK(document(answer)["dead_letters"].size() == 1000);
  CHECK(answer.text == "the newest 1000 of 1100 dead letters");
  CHECK(tasks(document(desk.ask(ControlVerb::dead_list, {}, 2))) ==
        std::vector<std::string>{id(1099), id(1098)});
  CHECK(document(desk.ask(ControlVerb::dead_list, {}, 5000))["dead_letters"].size() == 1100);
  CHECK(tasks(document(desk.ask(ControlVerb::dead_list, {7, 5}))) ==
        std::vector<std::string>{id(7), id(5)});
}

TEST_CASE("a document that would be too long for a message ends earlier and says so") {
  Desk desk;
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 20; ++i) many.push_back(failed_outcome(i, "x"));
  commit(*desk.store, many);
  const auto whole = desk.ask(ControlVerb::dead_list).frames.front().size();
  for (const auto bytes : {whole - 100, whole / 2, std::size_t{500}, std::size_t{100}}) {
    const auto answer = desk.ask(ControlVerb::dead_list, {}, 0, bytes);
    const auto found = document(answer);
    CHECK(answer.frames.front().size() <= bytes);
    CHECK(found["dead_letters"].size() < 20);
    CHECK(found["total"] == 20);
    CHECK(answer.text == "the newest " + std::to_string(found["dead_letters"].size()) +
                             " of 20 dead letters; more do not fit into one answer");
  }
}

TEST_CASE("a letter is shown with all that is known of it") {
  Desk desk;
  auto failed = failed_outcome(1, "hello");
  failed.description.detect = {"faces?min_size=40", "edges"};
  failed.description.annotate = true;
  failed.description.captured_at_ms = kNoon - 4321;
  failed.outcome.build = "0.1.0";
  commit(*desk.store, {failed, failed_outcome(2, "x")});
  const auto found = document(desk.ask(ControlVerb::dead_show, {1}));
  REQUIRE(found["dead_letters"].size() == 1);
  auto letter = found["dead_letters"][0];
  CHECK(letter["detect"] == Json({"faces?min_size=40", "edges"}));
  CHECK(letter["annotate"] == true);
  CHECK(letter["captured_at"] == "2024-05-01T11:59:55.679Z");
  CHECK(letter["captured_at_ms"] == kNoon - 4321);
  CHECK(letter["worker"] == "worker-1");
  CHECK(letter["build"] == "0.1.0");
  CHECK(letter["history"] == Json::parse(R"([{"attempt": 1, "worker": "worker-1",
    "reason": "not_a_picture", "text": "starts with \"hello\""}])"));
  CHECK(letter["bytes"] == 5);
  letter = document(desk.ask(ControlVerb::dead_show, {2}))["dead_letters"][0];
  CHECK(letter["captured_at"] == "");
  CHECK(letter["captured_at_ms"] == 0);
  CHECK(letter["annotate"] == false);
}

TEST_CASE("the longest list of detectors a task can have comes back whole") {
  Desk desk;
  auto failed = failed_outcome(1, "x");
  failed.description.detect.clear();
  for (int i = 0; i < 64; ++i) failed.description.detect.push_back(std::string(120, 'd'));
  commit(*desk.store, {failed});
  const auto found = document(desk.ask(ControlVerb::dead_show, {1}));
  CHECK(found["dead_letters"][0]["detect"] == Json(failed.description.detect));
}

TEST_CASE("of tasks that are no dead letters it is said what they are") {
  Desk desk;
  commit(*desk.store, {ok_outcome(1), failed_outcome(2, "x")});
  const auto verb = GENERATE(ControlVerb::dead_show, ControlVerb::dead_purge);
  auto answer = desk.ask(verb, {1, 9});
  CHECK(answer.reason == Reason::not_found);
  CHECK(answer.text == id(1) + " is no dead letter but ok; the store has no row of " + id(9));
  CHECK(answer.frames.empty());
  answer = desk.ask(verb, {1, 2});
  CHECK(answer.reason == Reason::none);
  CHECK(answer.text.find("; " + id(1) + " is no dead letter but ok") != std::string::npos);
  answer = desk.ask(verb, {10, 11, 12, 13, 14, 15});
  CHECK(answer.text.find("; and 2 more") != std::string::npos);
}

TEST_CASE("what retention has emptied is no dead letter any more") {
  const TemporaryFolder folder;
  auto options = store_options(folder.path());
  options.retention.keep = std::chrono::hours(1);
  const auto store = open_store(std::move(options));
  commit(*store, {failed_outcome(1, "x")});
  REQUIRE(store->prune(kNoon + 3'600'000));
  Control control;
  control.verb = ControlVerb::dead_list;
  CHECK(Json::parse(store->carry_out(control, kFrameBytesMax)->frames.at(0)) ==
        Json::parse(R"({"dead_letters": [], "total": 0, "bytes": 0})"));
  control.verb = ControlVerb::dead_export;
  control.tasks = {task_number(1)};
  const auto answer = store->carry_out(control, kFrameBytesMax);
  CHECK(answer->reason == Reason::not_found);
  CHECK(answer->text == "retention has removed the dead letter of " + id(1));
}

TEST_CASE("an exported letter comes with its frames, byte for byte") {
  Desk desk;
  const std::string picture("hel\0lo", 6);
  auto failed = failed_outcome(1, picture);
  failed.picture.emplace_back("");
  failed.picture.emplace_back("second");
  commit(*desk.store, {failed, failed_outcome(2, "x")});
  const auto answer = desk.ask(ControlVerb::dead_export, {1});
  const auto found = document(answer);
  CHECK(tasks(found) == std::vector<std::string>{id(1)});
  CHECK(found["dead_letters"][0]["detect"] == Json({"faces"}));
  REQUIRE(answer.frames.size() == 4);
  CHECK(answer.frames[1] == picture);
  CHECK(answer.frames[2].empty());
  CHECK(answer.frames[3] == "second");
}

TEST_CASE("an export without a picture to give says why") {
  Desk desk(5);
  auto without = failed_outcome(1, "");
  without.picture.clear();
  commit(*desk.store, {without, failed_outcome(2, "hello"), failed_outcome(3, "world")});
  auto answer = desk.ask(ControlVerb::dead_export, {1});
  CHECK(answer.reason == Reason::not_found);
  CHECK(answer.text == id(1) + " failed without a picture");
  answer = desk.ask(ControlVerb::dead_export, {2});
  CHECK(answer.reason == Reason::not_found);
  CHECK(answer.text == "the picture of " + id(2) +
                           " is not kept any more: 5 bytes were dropped by the cap or a purge");
  CHECK(answer.frames.empty());
  answer = desk.ask(ControlVerb::dead_export, {9});
  CHECK(answer.reason == Reason::not_found);
  CHECK(answer.text == "the store has no row of " + id(9));
  CHECK(desk.ask(ControlVerb::dead_export).reason == Reason::malformed);
  CHECK(desk.ask(ControlVerb::dead_export, {1, 2}).reason == Reason::malformed);
  CHECK(desk.ask(ControlVerb::dead_show).reason == Reason::malformed);
  CHECK(desk.ask(ControlVerb::pause).reason == Reason::malformed);
}

TEST_CASE("a picture that no message can carry is not exported") {
  Desk desk(1'000'000);
  auto many = failed_outcome(2, "x");
  for (int i = 0; i < 15; ++i) many.picture.emplace_back("y");
  commit(*desk.store, {failed_outcome(1, std::string(5000, 'x')), many, failed_outcome(3, "z")});
  CHECK(desk.ask(ControlVerb::dead_export, {1}, 0, 5000).reason == Reason::none);
  CHECK(desk.ask(ControlVerb::dead_export, {1}, 0, 4999).reason == Reason::too_large_payload);
  CHECK(desk.ask(ControlVerb::dead_export, {2}).reason == Reason::too_large_payload);
  // The document alone is too long.
  CHECK(desk.ask(ControlVerb::dead_export, {3}, 0, 300).reason == Reason::too_large_payload);
}

TEST_CASE("a purge drops the bytes of those that are named, and keeps the rows") {
  Desk desk;
  commit(*desk.store,
         {failed_outcome(1, "hello"), failed_outcome(2, "you"), failed_outcome(3, "x")});
  auto answer = desk.ask(ControlVerb::dead_purge, {1, 3});
  CHECK(answer.reason == Reason::none);
  CHECK(answer.text == "dropped the pictures of 2 dead letters, 6 bytes");
  CHECK(answer.frames.empty());
  CHECK(text(desk.folder.path(),
             "SELECT group_concat(coalesce(bytes, 'none') || bytes_dropped) FROM dead_letters") ==
        "none5,you0,none1");
  CHECK(desk.store->stats().dead_letters == 3);
  CHECK(desk.store->stats().dead_letter_bytes == 3);
  CHECK(desk.store->stats().dead_letter_bytes_dropped == 6);
  answer = desk.ask(ControlVerb::dead_purge, {1});
  CHECK(answer.text == "dropped the pictures of 0 dead letters, 0 bytes");
  CHECK(document(desk.ask(ControlVerb::dead_list))["total"] == 3);
}

TEST_CASE("a purge of all takes any number of them, and the place is used again") {
  Desk desk(std::uint64_t{64} << 20U);
  const std::string picture(10'000, 'x');
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 600; ++i) many.push_back(failed_outcome(i, picture));
  commit(*desk.store, many);
  const auto before = desk.store->stats().database_bytes;
  const auto pages = number(desk.folder.path(), "PRAGMA page_count");
  const auto answer = desk.ask(ControlVerb::dead_purge);
  CHECK(answer.text == "dropped the pictures of 600 dead letters, 6000000 bytes");
  CHECK(number(desk.folder.path(),
               "SELECT count(*) FROM dead_letters WHERE bytes IS NULL AND "
               "bytes_dropped = 10000") == 600);
  CHECK(desk.store->stats().dead_letter_bytes == 0);
  CHECK(desk.store->stats().database_bytes < before - 4'000'000);
  CHECK(number(desk.folder.path(), "PRAGMA page_count") < pages - 1000);
  CHECK(desk.ask(ControlVerb::dead_purge).text ==
        "dropped the pictures of 0 dead letters, 0 bytes");
  for (auto& given : many) given.outcome.id.sequence += 600;
  commit(*desk.store, many);
  CHECK(desk.store->stats().database_bytes < before + 2'000'000);
}

TEST_CASE("a purge of very many ends before the others have waited long, and says what is left") {
  Desk desk(10'000);
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 5000; ++i) many.push_back(failed_outcome(i, "xy"));
  commit(*desk.store, many);
  CHECK(desk.ask(ControlVerb::dead_purge).text ==
        "dropped the pictures of 4096 dead letters, 8192 bytes; 1808 bytes are still kept: "
        "purge again");
  CHECK(desk.ask(ControlVerb::dead_purge).text ==
        "dropped the pictures of 904 dead letters, 1808 bytes");
  CHECK(desk.store->stats().dead_letter_bytes == 0);
}

}  // namespace
}  // namespace framefleet::test
