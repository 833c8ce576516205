#include "tests/unit/sink/store_fixture.hpp"

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace framefleet::test {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> lines(const std::filesystem::path& folder) {
  std::vector<Json> parsed;
  std::ifstream stream(folder / "results.ndjson");
  for (std::string line; std::getline(stream, line);) parsed.push_back(Json::parse(line));
  return parsed;
}

TEST_CASE("a line says what the tables say") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {annotated_outcome(7, "/photos/dog \"Rex\"\x01.jpg", "pixels"),
                  failed_outcome(8, "hello")});
  const auto found = lines(folder.path());
  REQUIRE(found.size() == 2);
  const auto expected = Json::parse(R"({
    "task": "abcdef0123456789-1-7", "job": "job-1", "source": "photos", "epoch": 1, "sequence": 7,
    "class": "batch", "origin": "/photos/dog \"Rex\"\u0001.jpg",
    "detect": "faces?min_size=40,edges",
    "status": "ok", "reason": "none", "text": "", "damaged": false, "attempts": 2, "width": 640,
    "height": 480, "captured_at": "2024-05-01T11:59:55.000Z",
    "stored_at": "2024-05-01T12:00:00.000Z", "queued": 0.25, "leased": 0.04, "worked": 0.03,
    "decode": 0.004, "annotate": 0, "worker": "worker-1", "build": "0.1.0", "pruned": false,
    "annotated": false, "revived_from": null, "revived_as": null,
    "detectors": [
      {"detector": "faces", "version": "haar-1", "elapsed": 0.02, "detections": [
        {"label": "face", "score": 0.87, "x": 10, "y": 20.5, "width": 30, "height": 40,
         "extra": {"eyes": [[1, 2], [3, 4]]}},
        {"label": "face", "score": 1, "x": 100, "y": 120, "width": 33, "height": 44,
         "extra": null}]},
      {"detector": "edges", "version": "canny-1", "elapsed": 0.006, "detections": []}],
    "pictures": [{"kind": "annotated", "path": "annotated/dog _Rex__.jpg", "bytes": 6}],
    "history": [{"attempt": 1, "worker": "worker-0", "reason": "worker_lost", "text": "gone"}]})");
  CHECK(found[0] == expected);
  CHECK(found[1]["status"] == "failed");
  CHECK(found[1]["text"] == "starts with \"hello\"");
  CHECK(found[1]["width"].is_null());
}

/// A store whose last commits were cut off by kill -9; returns what results.ndjson must become.
std::string killed_store(const std::filesystem::path& folder) {
  {
    const auto store = open_store(store_options(folder));
    commit(*store, {ok_outcome(1), ok_outcome(2)});
  }
  const auto child = ::fork();
  if (child == 0) {
    auto store = sink::SqliteStore::open(store_options(folder));
    const std::vector<sink::OutcomeToStore> more{ok_outcome(3), failed_outcome(4, "x"),
                                                 ok_outcome(5)};
    ::_exit(store && (*store)->commit(more) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  auto whole = contents(folder / "results.ndjson");
  REQUIRE(std::count(whole.begin(), whole.end(), '\n') == 5);
  return whole;
}

TEST_CASE("wherever the file was cut, opening the store makes it whole") {
  const TemporaryFolder folder;
  const auto whole = killed_store(folder.path());
  const auto saved = folder.path() / "saved.sqlite";
  const auto file = folder.path() / "results.ndjson";
  const auto database = folder.path() / "results.sqlite";
  std::filesystem::copy_file(database, saved);
  const auto log = database.string() + "-wal";
  if (std::filesystem::exists(log)) std::filesystem::copy_file(log, saved.string() + "-wal");
  for (std::size_t cut = 0; cut <= whole.size() + 1; cut += 149) {
    INFO("cut at " << cut << " of " << whole.size());
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(database.string() + suffix);
      const auto from = saved.string() + suffix;
      if (std::filesystem::exists(from)) {
        std::filesystem::copy_file(from, database.string() + suffix);
      }
    }
    write_file(file, whole.substr(0, cut));
    { const auto store = open_store(store_options(folder.path())); }
    REQUIRE(contents(file) == whole);
  }
}

TEST_CASE("what stands in the file without having been committed is cut off") {
  const TemporaryFolder folder;
  const auto whole = killed_store(folder.path());
  const auto file = folder.path() / "results.ndjson";
  write_file(file, whole + "{\"task\":\"half a li");
  const auto store = open_store(store_options(folder.path()));
  CHECK(contents(file) == whole);
}

TEST_CASE("a file that is gone is written anew") {
  const TemporaryFolder folder;
  const auto whole = killed_store(folder.path());
  std::filesystem::remove(folder.path() / "results.ndjson");
  const auto store = open_store(store_options(folder.path()));
  CHECK(contents(folder.path() / "results.ndjson") == whole);
}

/// Whatever a peer can make of an outcome that reaches the store.
std::vector<sink::OutcomeToStore> odd_outcomes() {
  auto numbers = ok_outcome(1);
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto infinite = std::numeric_limits<float>::infinity();
  numbers.record.reports[0].detections = {
      {"face", -0.0F, {nan, infinite, -infinite, 1e30F}, ""},
      {"face", 1e-30F, {0.1F, -0.1F, 16777216.0F, 123456.789F}, ""},
      {"face", 1e15F, {1e16F, -1e17F, 3.4e38F, 1.4e-45F}, ""}};
  numbers.outcome.queued = std::chrono::nanoseconds(1);
  numbers.outcome.leased = std::chrono::hours(1'000'000);
  auto texts = ok_outcome(2, "\xC3\xA4 \xFF \x01 \"\\ \t\r\n");
  texts.outcome.job = std::string("a\0b", 3);
  texts.outcome.source = std::string(300, 'x') + "\xF0\x9F\x90\xB6";
  texts.outcome.worker = std::string(255, 'x') + "\xC3\xA4";
  texts.outcome.history[0].text = std::string(5000, '"');
  const std::vector<std::string> extras{"",
                                        "{}",
                                        "[1, 2]",
                                        "null",
                                        "\"text\"",
                                        "no JSON",
                                        "{ \"a\" :\n1.50 }",
                                        "\xFF",
                                        " ",
                                        "1e400",
                                        "{\"a\":1} more",
                                        "-0.0",
                                        "{\"\\u0000\":0}",
                                        std::string("\0", 1)};
  for (const auto& extra : extras) {
    texts.record.reports[1].detections.push_back({"", 0.5F, {}, extra});
  }
  auto far = failed_outcome(std::numeric_limits<std::uint64_t>::max(), "bytes");
  far.outcome.id.epoch = std::numeric_limits<std::uint32_t>::max();
  far.outcome.id.part = 7;
  far.outcome.revived_from = task_number(99);
  far.description = {};
  auto annotated = annotated_outcome(5, "/photos/cat.jpg", "pixels");
  annotated.description.annotate = true;
  annotated.record.damaged = true;
  return {numbers, texts, far, annotated};
}

TEST_CASE("a line that is spelled with its commit is the one that is read from the database") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.ndjson";
  {
    const auto store = open_store(store_options(folder.path()));
    commit(*store, odd_outcomes());
  }
  const auto spelled = contents(file);
  CHECK(std::count(spelled.begin(), spelled.end(), '\n') == 4);
  std::filesystem::remove(file);
  { const auto store = open_store(store_options(folder.path())); }
  CHECK(contents(file) == spelled);
}

TEST_CASE("a commit with more detections than are kept in memory has all its lines") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.ndjson";
  auto large = ok_outcome(1);
  large.record.reports[0].detections.resize(60'000, {"a label", 0.5F, {1, 2, 3, 4}, ""});
  {
    const auto store = open_store(store_options(folder.path()));
    commit(*store, {large, ok_outcome(2)});
    commit(*store, {ok_outcome(3)});
  }
  const auto written = contents(file);
  CHECK(written.size() > 4U << 20U);
  CHECK(std::count(written.begin(), written.end(), '\n') == 3);
  std::filesystem::remove(file);
  { const auto store = open_store(store_options(folder.path())); }
  CHECK(contents(file) == written);
}

TEST_CASE("rows committed without their lines get them later") {
  const TemporaryFolder folder;
  auto without = store_options(folder.path());
  without.ndjson = false;
  {
    const auto store = open_store(without);
    commit(*store, {ok_outcome(1), ok_outcome(2)});
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / "results.ndjson"));
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(3)});
  const auto found = lines(folder.path());
  REQUIRE(found.size() == 3);
  CHECK(found[2]["sequence"] == 3);
}

TEST_CASE("a duplicate has no second line") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1)});
  commit(*store, {ok_outcome(1)});
  CHECK(lines(folder.path()).size() == 1);
}

}  // namespace
}  // namespace framefleet::test
