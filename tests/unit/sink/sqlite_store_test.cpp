#include "tests/unit/sink/store_fixture.hpp"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

namespace framefleet::test {
namespace {

using sink::StoreError;

TEST_CASE("an ok outcome is stored with everything the worker said") {
  const TemporaryFolder folder;
  {
    const auto store = open_store(store_options(folder.path()));
    const auto stored = commit(*store, {ok_outcome(7)});
    REQUIRE(stored == std::vector<SettledTask>{{task_number(7), Status::ok, Reason::none, ""}});
  }
  const auto& out = folder.path();
  CHECK(text(out, "SELECT task FROM outcomes") == "abcdef0123456789-1-7");
  CHECK(text(out, "SELECT job || source || epoch || sequence || class FROM outcomes") ==
        "job-1photos17batch");
  CHECK(text(out, "SELECT origin FROM outcomes") == "/photos/dog.jpg");
  CHECK(text(out, "SELECT detect FROM outcomes") == "faces?min_size=40,edges");
  CHECK(text(out, "SELECT status || reason || text FROM outcomes") == "oknone");
  CHECK(text(out, "SELECT width || 'x' || height FROM outcomes") == "640x480");
  CHECK(text(out, "SELECT captured_at FROM outcomes") == "2024-05-01T11:59:55.000Z");
  CHECK(text(out, "SELECT stored_at FROM outcomes") == "2024-05-01T12:00:00.000Z");
  CHECK(text(out,
             "SELECT queued || ' ' || leased || ' ' || worked || ' ' || decode || ' ' || "
             "annotate FROM outcomes") == "0.25 0.04 0.03 0.004 0.0");
  CHECK(number(out, "SELECT attempts FROM outcomes") == 2);
  CHECK(text(out, "SELECT attempt || worker || reason || text FROM attempts") ==
        "1worker-0worker_lostgone");
  CHECK(text(out,
             "SELECT detector || ' ' || label || ' ' || score || ' ' || x || ' ' || y || ' ' "
             "|| width || ' ' || height || ' ' || extra FROM detections") ==
        R"(faces face 0.87 10.0 20.5 30.0 40.0 {"eyes":[[1,2],[3,4]]})");
  CHECK(number(out, "SELECT count(*) FROM detections WHERE extra IS NULL") == 1);
  // "Looked, found nothing" is a row too.
  CHECK(text(out, "SELECT version || ' ' || elapsed FROM detector_runs WHERE detector = 'edges'") ==
        "canny-1 0.006");
}

TEST_CASE("a failed outcome keeps its picture, its reason and its history") {
  const TemporaryFolder folder;
  const std::string picture("hello\0world", 11);
  {
    const auto store = open_store(store_options(folder.path()));
    const auto stored = commit(*store, {failed_outcome(3, picture)});
    CHECK(stored.at(0).status == Status::failed);
    CHECK(stored.at(0).reason == Reason::not_a_picture);
    CHECK(stored.at(0).text == "starts with \"hello\"");
  }
  CHECK(text(folder.path(), "SELECT bytes FROM dead_letters") == picture);
  CHECK(number(folder.path(), "SELECT bytes_dropped FROM dead_letters") == 0);
  CHECK(number(folder.path(),
               "SELECT count(*) FROM outcomes WHERE width IS NULL AND worked IS "
               "NULL AND decode IS NULL") == 1);
  CHECK(number(folder.path(), "SELECT count(*) FROM attempts") == 1);
}

TEST_CASE("the first outcome of an id wins, across commits and within one") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1), failed_outcome(2, "x"), ok_outcome(2)});
  const auto again = commit(*store, {failed_outcome(1, "x"), ok_outcome(3)});
  CHECK(again.at(0).status == Status::ok);
  CHECK(again.at(1).id == task_number(3));
  const std::vector<TaskId> asked{task_number(4), task_number(2), task_number(1)};
  const auto found = store->find(asked);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(found->at(0).id == task_number(2));
  CHECK(found->at(0).status == Status::failed);
  CHECK(found->at(1).status == Status::ok);
  CHECK(number(folder.path(), "SELECT count(*) FROM outcomes") == 3);
  CHECK(number(folder.path(), "SELECT count(*) FROM dead_letters") == 1);
  CHECK(store->stats().stored == 3);
  CHECK(store->stats().duplicates == 2);
}

TEST_CASE("what a commit answers is what is found from then on") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  auto odd = failed_outcome(2, "x");
  odd.outcome.text = std::string("no \xFF text\0 ", 12) + std::string(5000, 'x');
  auto frame = ok_outcome(3);
  frame.outcome.task_class = TaskClass::live;
  frame.outcome.status = Status::superseded;
  frame.outcome.reason = Reason::newer_frame;
  frame.outcome.text = "of no use";
  const std::vector<TaskId> tasks{task_number(1), task_number(2), task_number(3)};
  const auto stored = commit(*store, {ok_outcome(1), odd, frame});
  CHECK(stored == *store->find(tasks));
  CHECK(commit(*store, {failed_outcome(1, "x"), ok_outcome(2), ok_outcome(3)}) == stored);
}

TEST_CASE("a store that is opened again has its uuid and its outcomes") {
  const TemporaryFolder folder;
  std::string uuid;
  {
    const auto store = open_store(store_options(folder.path()));
    uuid = store->uuid();
    commit(*store, {ok_outcome(1)});
  }
  CHECK(uuid.size() == 36);
  const auto store = open_store(store_options(folder.path()));
  CHECK(store->uuid() == uuid);
  CHECK(commit(*store, {failed_outcome(1, "x")}).at(0).status == Status::ok);
}

TEST_CASE("numbers and texts that JSON or SQL cannot hold do no harm") {
  const TemporaryFolder folder;
  auto given = ok_outcome(1, "bad\xFFname\n");
  given.outcome.job = std::string("j\0b", 3);
  auto& found = given.record.reports[0].detections;
  found[0].score = std::numeric_limits<float>::quiet_NaN();
  found[0].box.width = std::numeric_limits<float>::infinity();
  found[0].extra = "not json";
  found[1].extra = "[1,2]";
  {
    const auto store = open_store(store_options(folder.path()));
    commit(*store, {given});
  }
  const auto& out = folder.path();
  CHECK(text(out, "SELECT origin FROM outcomes") == "bad\xEF\xBF\xBDname\n");
  CHECK(text(out, "SELECT job FROM outcomes") ==
        "j\xEF\xBF\xBD"
        "b");
  CHECK(text(out, "SELECT extra FROM detections WHERE score IS NULL AND width IS NULL") ==
        R"({"text":"not json"})");
  CHECK(text(out, "SELECT extra FROM detections WHERE score = 1") == R"({"value":[1,2]})");
}

TEST_CASE("a reader sees whole commits while the store writes, and blocks nothing") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1)});
  const auto reader = read_database(folder.path());
  REQUIRE(reader->execute("BEGIN"));
  CHECK(reader->number("SELECT count(*) FROM outcomes") == 1);
  for (std::uint64_t i = 2; i < 30; ++i) commit(*store, {ok_outcome(i), ok_outcome(1000 + i)});
  CHECK(reader->number("SELECT count(*) FROM outcomes") == 1);
  REQUIRE(reader->execute("COMMIT"));
  CHECK(reader->number("SELECT count(*) FROM outcomes") == 57);
}

TEST_CASE("the write-ahead log is copied into the database when it has grown") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  const std::string picture(1'000'000, 'x');
  for (std::uint64_t i = 0; i < 12; ++i) commit(*store, {failed_outcome(i, picture)});
  CHECK(std::filesystem::file_size(folder.path() / "results.sqlite-wal") < 8'000'000);
  CHECK(std::filesystem::file_size(folder.path() / "results.sqlite") > 4'000'000);
}

TEST_CASE("the sqlite3 program can read while the store is open") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1)});
  const auto command = "sqlite3 -version >/dev/null 2>&1 && sqlite3 '" +
                       (folder.path() / "results.sqlite").string() +
                       "' 'SELECT label FROM detections' > '" +
                       (folder.path() / "answer").string() + "'";
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "SKIPPED: no sqlite3 program to read the store with\n");
    return;
  }
  CHECK(contents(folder.path() / "answer") == "face\nface\n");
  CHECK(commit(*store, {ok_outcome(2)}).size() == 1);
}

TEST_CASE("a database at its cap answers full, keeps what it has and can be tried again") {
  const TemporaryFolder folder;
  const std::string picture(100'000, 'x');
  auto options = store_options(folder.path());
  options.pages_max = 60;
  {
    const auto store = open_store(options);
    commit(*store, {ok_outcome(1)});
    const std::vector<sink::OutcomeToStore> large{ok_outcome(2), failed_outcome(3, picture),
                                                  failed_outcome(4, picture),
                                                  failed_outcome(5, picture)};
    for (int i = 0; i < 2; ++i) {
      const auto refused = store->commit(large);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().kind == StoreError::Kind::full);
      CHECK(refused.error().text.find("results.sqlite") != std::string::npos);
    }
    CHECK(number(folder.path(), "SELECT count(*) FROM outcomes") == 1);
    CHECK(commit(*store, {ok_outcome(2)}).size() == 1);
  }
  options.pages_max = 0;
  const auto store = open_store(options);
  CHECK(commit(*store, {failed_outcome(3, picture), failed_outcome(4, picture)}).size() == 2);
  CHECK(number(folder.path(), "SELECT count(*) FROM outcomes") == 4);
}

/// A file system of a few megabytes; without the right to mount one, the test says that it is
/// skipped.
class TinyDisk {
 public:
  TinyDisk() {
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=3m") == 0;
    if (!mounted_) std::fprintf(stderr, "SKIPPED: no right to mount a tmpfs to fill\n");
  }
  ~TinyDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::filesystem::path path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  bool mounted_{false};
};

TEST_CASE("a full disk loses nothing, and the store goes on when there is room") {
  const TinyDisk disk;
  if (!disk.mounted()) return;
  const auto out = disk.path() / "out";
  const std::string picture(40'000, 'x');
  std::uint64_t acknowledged = 0;
  {
    const auto store = open_store(store_options(out));
    write_file(disk.path() / "ballast", std::string(1'500'000, 'b'));
    Result<std::vector<SettledTask>, StoreError> stored;
    do {
      const std::vector<sink::OutcomeToStore> batch{
          ok_outcome(acknowledged), annotated_outcome(acknowledged + 1, "a.jpg", picture),
          failed_outcome(acknowledged + 2, picture)};
      stored = store->commit(batch);
      if (stored) acknowledged += batch.size();
    } while (stored && acknowledged < 1000);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().kind == StoreError::Kind::full);
    CHECK(acknowledged > 3);
    CHECK(number(out, "SELECT count(*) FROM outcomes") == static_cast<std::int64_t>(acknowledged));

    std::filesystem::remove(disk.path() / "ballast");
    CHECK(commit(*store, {failed_outcome(acknowledged, picture)}).size() == 1);
    CHECK(store->stats().ndjson_behind == 0);
  }
  const auto store = open_store(store_options(out));
  std::vector<TaskId> all;
  for (std::uint64_t i = 0; i <= acknowledged; ++i) all.push_back(task_number(i));
  CHECK(store->find(all)->size() == all.size());
  const auto ndjson = contents(out / "results.ndjson");
  CHECK(std::count(ndjson.begin(), ndjson.end(), '\n') == static_cast<std::int64_t>(all.size()));
}

TEST_CASE("lines for which there was no room are written, in their order, when there is") {
  const TinyDisk disk;
  if (!disk.mounted()) return;
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.ndjson";
  std::filesystem::create_symlink(disk.path() / "results.ndjson", file);
  std::string written;
  {
    const auto store = open_store(store_options(folder.path()));
    commit(*store, {ok_outcome(0)});
    write_file(disk.path() / "ballast", std::string(4'000'000, 'b'));
    std::uint64_t next = 1;
    while (store->stats().ndjson_behind == 0 && next < 100) commit(*store, {ok_outcome(next++)});
    CHECK(store->stats().ndjson_behind == 1);
    std::filesystem::remove(disk.path() / "ballast");
    commit(*store, {ok_outcome(100), ok_outcome(101)});
    CHECK(store->stats().ndjson_behind == 0);
    written = contents(file);
  }
  std::filesystem::remove(file);
  { const auto store = open_store(store_options(folder.path())); }
  CHECK(contents(file) == written);
}

TEST_CASE("kill -9 at any moment loses no outcome that was acknowledged") {
  const TemporaryFolder folder;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t round = 1; round <= 4; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const auto child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      auto store = sink::SqliteStore::open(store_options(folder.path()));
      if (!store) ::_exit(1);
      for (std::uint64_t i = acknowledged; i < acknowledged + 10'000; ++i) {
        const std::vector<sink::OutcomeToStore> one{
            annotated_outcome(i, "picture-" + std::to_string(i), "pixels")};
        const bool sent = (*store)->commit(one) && ::write(pipe_ends[1], "", 1) == 1;
        if (!sent) ::_exit(1);
      }
      ::_exit(0);
    }
    ::close(pipe_ends[1]);
    char byte = 0;
    for (std::uint64_t i = 0; i < 5 * round; ++i) {
      REQUIRE(::read(pipe_ends[0], &byte, 1) == 1);
      ++acknowledged;
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
    ::close(pipe_ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));

    const auto store = open_store(store_options(folder.path()));
    const auto stored = number(folder.path(), "SELECT count(*) FROM outcomes");
    CHECK(stored >= static_cast<std::int64_t>(acknowledged));
    CHECK(stored <= static_cast<std::int64_t>(acknowledged) + 1);
    acknowledged = static_cast<std::uint64_t>(stored);
    CHECK(number(folder.path(), "SELECT count(DISTINCT sequence) FROM outcomes") == stored);
    CHECK(text(folder.path(), "PRAGMA integrity_check") == "ok");
    CHECK(text(folder.path(), "SELECT 'rows: ' || count(*) FROM pragma_foreign_key_check") ==
          "rows: 0");
    const auto ndjson = contents(folder.path() / "results.ndjson");
    CHECK(std::count(ndjson.begin(), ndjson.end(), '\n') == stored);
    for (std::int64_t i = 0; i < stored; ++i) {
      CHECK(contents(folder.path() / "annotated" / ("picture-" + std::to_string(i) + ".jpg")) ==
            "pixels");
    }
  }
}

TEST_CASE("a second sink is kept out of the folder, and let in when the first has gone") {
  const TemporaryFolder folder;
  {
    const auto first = open_store(store_options(folder.path()));
    const auto second = sink::SqliteStore::open(store_options(folder.path()));
    REQUIRE_FALSE(second);
    CHECK(second.error().exit_code == exit_code::kUnavailable);
    CHECK(second.error().text.find("another sink is writing to") == 0);
  }
  CHECK(sink::SqliteStore::open(store_options(folder.path())));
}

TEST_CASE("a file that is not a store is named and left alone") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  SECTION("text") { write_file(file, std::string(5000, 'x')); }
  SECTION("a database of another program") {
    auto database = sink::Database::open(file, sink::Access::write);
    REQUIRE((*database)->execute("CREATE TABLE recipes (name TEXT)"));
  }
  const auto before = contents(file);
  const auto store = sink::SqliteStore::open(store_options(folder.path()));
  REQUIRE_FALSE(store);
  CHECK(store.error().exit_code == exit_code::kCannotCreate);
  CHECK(store.error().text.find(file.string() + " is not a framefleet store") == 0);
  CHECK(contents(file) == before);
}

TEST_CASE("a folder that cannot be created or written is named with the reason") {
  const TemporaryFolder folder;
  SECTION("a file stands in its place") {
    write_file(folder.path() / "file", "x");
    const auto store = sink::SqliteStore::open(store_options(folder.path() / "file" / "out"));
    REQUIRE_FALSE(store);
    CHECK(store.error().exit_code == exit_code::kCannotCreate);
    CHECK(store.error().text.find("cannot create the output folder") == 0);
  }
  SECTION("no right to write") {
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0555});
    constexpr uid_t kNobody = 65534;
    const bool root = ::geteuid() == 0;
    if (root) REQUIRE(::seteuid(kNobody) == 0);
    const auto store = sink::SqliteStore::open(store_options(folder.path()));
    if (root) REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(store);
    CHECK(store.error().exit_code == exit_code::kCannotCreate);
    CHECK(store.error().text.find("cannot write to the output folder") == 0);
    CHECK(store.error().text.find("Permission denied") != std::string::npos);
  }
  SECTION("a folder stands in the place of the database") {
    std::filesystem::create_directory(folder.path() / "results.sqlite");
    const auto store = sink::SqliteStore::open(store_options(folder.path()));
    REQUIRE_FALSE(store);
    CHECK(store.error().exit_code == exit_code::kCannotCreate);
  }
}

}  // namespace
}  // namespace framefleet::test
