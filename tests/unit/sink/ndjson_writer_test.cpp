#include "tests/unit/sink/store_fixture.hpp"

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

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
