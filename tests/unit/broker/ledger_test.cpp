#include "broker/core/ledger.hpp"

#include "tests/support/catch.hpp"

#include <deque>

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

constexpr PeerId kProducer{7};

/// Tasks of the sources and jobs of a ledger.
class Books {
 public:
  explicit Books(std::uint64_t accounts_max = 1000) : ledger(accounts_max) {}

  Source& source(const std::string& name, std::uint64_t expected = 0) {
    auto& opened = ledger.open_source(++hashes_, name);
    ledger.claimed(opened, kProducer, {.epoch = 1, .expected = expected});
    return opened;
  }
  Task& admit(Source& source, const std::string& job = "", Time now = Time{}) {
    auto& task = tasks_.emplace_back();
    task.source = &source;
    task.job = ledger.open_job(job);
    ledger.admitted(task, now);
    return task;
  }
  void settle(Task& task, Status status = Status::ok, Time now = Time{}) {
    ledger.moved(task, TaskState::storing);
    ledger.settled(task, status, now);
  }
  void finish(Source& source, const std::string& job = "", Time now = Time{}) {
    settle(admit(source, job, now), Status::ok, now);
  }

  Ledger ledger;

 private:
  std::deque<Task> tasks_;
  std::uint64_t hashes_{0};
};

void check_balance(const Account& account, const InProgress& in_progress) {
  CHECK(account.submitted == account.rejected + account.admitted);
  CHECK(account.admitted == account.settled_in_all() + in_progress.in_all());
}

std::vector<std::string> names(const std::vector<std::pair<std::string, Account>>& rows) {
  std::vector<std::string> names;
  for (const auto& [name, account] : rows) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("every source and every job has its account, and the total is the sum of the sources") {
  Books books;
  auto& cam = books.source("cam");
  auto& other = books.source("other");
  auto& done = books.admit(cam, "run");
  auto& failed = books.admit(cam);
  books.admit(other, "run");
  books.ledger.rejected(other, books.ledger.open_job("run"), Time{});
  books.settle(done, Status::ok);
  books.settle(failed, Status::failed);

  CHECK(cam.account.submitted == 2);
  CHECK(cam.account.admitted == 2);
  CHECK(cam.account.settled_as(Status::ok) == 1);
  CHECK(cam.account.settled_as(Status::failed) == 1);
  CHECK(other.account.rejected == 1);
  CHECK(other.in_progress.ready == 1);
  const auto& run = *books.ledger.find_job("run");
  CHECK(run.account.submitted == 3);
  CHECK(run.account.settled_in_all() == 1);
  CHECK(run.in_progress.in_all() == 1);
  Account sum = cam.account;
  sum.add(other.account);
  CHECK(books.ledger.total() == sum);
  check_balance(cam.account, cam.in_progress);
  check_balance(other.account, other.in_progress);
  check_balance(run.account, run.in_progress);
  check_balance(books.ledger.total(), books.ledger.in_progress());
}

TEST_CASE("a task is counted in the state it has, everywhere") {
  Books books;
  auto& cam = books.source("cam");
  auto& task = books.admit(cam, "run");
  const auto& run = books.ledger.find_job("run")->in_progress;
  CHECK(cam.in_progress == InProgress{1, 0, 0, 0});
  books.ledger.moved(task, TaskState::leased);
  CHECK(cam.in_progress == InProgress{0, 0, 1, 0});
  books.ledger.moved(task, TaskState::delayed);
  CHECK(cam.in_progress == InProgress{0, 1, 0, 0});
  CHECK(cam.in_progress.backlog() == 1);
  books.ledger.moved(task, TaskState::storing);
  CHECK(cam.in_progress == InProgress{0, 0, 0, 1});
  CHECK(cam.in_progress.backlog() == 0);
  CHECK(run == cam.in_progress);
  CHECK(books.ledger.in_progress() == cam.in_progress);
  books.ledger.settled(task, Status::ok, Time{});
  CHECK(books.ledger.in_progress() == InProgress{});
}

TEST_CASE("what is idle is added up as other when there is too much of it, what is in use stays") {
  Books books(2);
  auto& busy = books.source("busy");
  books.admit(busy);
  auto& owned = books.source("owned");
  for (const auto* name : {"gone-1", "gone-2"}) {
    auto& gone = books.source(name);
    books.finish(gone);
    books.ledger.abandoned(gone);
  }
  std::vector<std::string> let_go;
  books.ledger.keep_few([&](Source& source) { let_go.push_back(source.name); });

  CHECK(let_go == std::vector<std::string>{"gone-1", "gone-2"});
  CHECK(books.ledger.source_count() == 2);
  CHECK(books.ledger.find_source("gone-1") == nullptr);
  CHECK(books.ledger.find_source("busy") == &busy);
  CHECK(books.ledger.find_source("owned") == &owned);
  CHECK(books.ledger.other_sources().settled_as(Status::ok) == 2);
  CHECK(books.ledger.total().submitted == 3);
}

TEST_CASE("idle accounts are kept while there are few") {
  Books books(3);
  for (const auto* name : {"a", "b", "c"}) books.ledger.abandoned(books.source(name));
  books.ledger.keep_few([](Source&) { FAIL("nothing has to go"); });
  CHECK(books.ledger.source_count() == 3);
}

TEST_CASE("jobs that are over are added up as other as new ones come, over one connection too") {
  Books books(10);
  auto& cam = books.source("cam", 1);
  for (int i = 0; i < 1000; ++i) {
    const auto name = "job-" + std::to_string(i);
    books.finish(cam, name);
    books.ledger.ends(*books.ledger.find_job(name), Time{1s});
    CHECK(books.ledger.job_count() <= 22);
  }
  std::uint64_t kept = 0;
  for (const auto* job : books.ledger.jobs()) kept += job->account.settled_as(Status::ok);
  CHECK(books.ledger.other_jobs().settled_as(Status::ok) + kept == 1000);
}

TEST_CASE("a cancelled job is kept as long as a producer of it is there") {
  Books books(1);
  auto& cam = books.source("cam", 1);
  books.finish(cam, "night");
  auto& night = *books.ledger.find_job("night");
  night.cancelled = true;
  REQUIRE(books.ledger.ends(night, Time{1s}));
  for (const auto* name : {"a", "b", "c", "d"}) books.ledger.open_job(name);
  CHECK(books.ledger.find_job("night") == &night);
  books.ledger.abandoned(cam);
  for (const auto* name : {"e", "f", "g", "h", "i"}) books.ledger.open_job(name);
  CHECK(books.ledger.find_job("night") == nullptr);
}

TEST_CASE(
    "a source that is paused is not forgotten, and its job counts it once however often it comes") {
  Books books(1);
  auto& cam = books.source("cam", 3);
  cam.paused = true;
  books.finish(cam, "one");
  books.finish(cam, "two");
  books.finish(cam, "one");
  CHECK(books.ledger.find_job("one")->expected == 3);
  books.ledger.abandoned(cam);
  for (const auto* name : {"a", "b", "c"}) books.ledger.abandoned(books.source(name));
  books.ledger.keep_few([](Source&) {});
  CHECK(books.ledger.find_source("cam") == &cam);
  CHECK(books.ledger.find_source("a") == nullptr);
}

TEST_CASE("metrics name the first 200 sources, and add up to the total with the rest") {
  Books books(5);
  for (int i = 0; i < 203; ++i) books.finish(books.source("s" + std::to_string(i)));
  auto rows = books.ledger.labelled();
  REQUIRE(rows.size() == 201);
  CHECK(rows.front().first == "s0");
  CHECK(rows.back().first == "other");
  CHECK(rows.back().second.submitted == 3);

  // Of what is folded the numbers are in "other", and its place is free.
  books.ledger.abandoned(*books.ledger.find_source("s0"));
  books.ledger.keep_few([](Source&) {});
  books.finish(books.source("new"));
  rows = books.ledger.labelled();
  REQUIRE(rows.size() == 201);
  CHECK(names(rows)[199] == "new");
  CHECK(rows.back().second.submitted == 4);
  Account sum;
  for (const auto& [name, account] : rows) sum.add(account);
  CHECK(sum == books.ledger.total());
}

TEST_CASE("a job ends once, when all that was promised is settled or rejected") {
  Books books;
  auto& cam = books.source("cam", 3);
  auto& first = books.admit(cam, "run");
  auto& second = books.admit(cam, "run");
  auto& run = *books.ledger.find_job("run");
  books.settle(first);
  CHECK_FALSE(books.ledger.ends(run, Time{1s}));
  books.ledger.rejected(cam, &run, Time{1s});
  CHECK_FALSE(books.ledger.ends(run, Time{2s}));  // one is in progress
  books.settle(second, Status::failed);
  CHECK(books.ledger.ends(run, Time{3s}));
  CHECK(run.ended_at == Time{3s});
  CHECK_FALSE(books.ledger.ends(run, Time{4s}));
}

TEST_CASE("pictures that were stored before the run began are part of what was promised") {
  Books books;
  auto& cam = books.source("cam", 3);
  books.ledger.stored_before({cam.hash, cam.epoch, 0, 0});
  books.ledger.stored_before({cam.hash, cam.epoch, 0, 0});  // its producer asked once more
  books.ledger.stored_before({cam.hash, cam.epoch + 1, 1, 0});
  auto& task = books.admit(cam, "run");  // admitted here: whatever is said of it counts no more
  task.id.sequence = 1;
  auto& run = *books.ledger.find_job("run");
  CHECK(run.stored_before == 1);
  books.settle(task);
  CHECK(done_of(run) == 2);
  CHECK_FALSE(books.ledger.ends(run, Time{1s}));
  books.ledger.stored_before({cam.hash, cam.epoch, 2, 0});
  CHECK(done_of(run) == 3);
  CHECK(books.ledger.ends(run, Time{1s}));
}

TEST_CASE("a job that had nothing but rejections ends, and one that its source left behind too") {
  Books books;
  auto& cam = books.source("cam", 1);
  books.ledger.rejected(cam, books.ledger.open_job("refused"), Time{});
  CHECK(books.ledger.ends(*books.ledger.find_job("refused"), Time{1s}));
  auto& other = books.source("other", 0);
  books.finish(other, "first");
  books.admit(other, "second");
  CHECK(books.ledger.ends(*books.ledger.find_job("first"), Time{2s}));
  CHECK_FALSE(books.ledger.ends(*books.ledger.find_job("second"), Time{2s}));
}

TEST_CASE("where no total was promised a job ends when its producers have left") {
  Books books;
  auto& a = books.source("a", 0);
  auto& b = books.source("b", 5);
  books.finish(a, "run");
  books.finish(b, "run");
  auto& run = *books.ledger.find_job("run");
  CHECK(row_of(run, Time{1s}).expected == 0);
  CHECK_FALSE(books.ledger.ends(run, Time{1s}));
  books.ledger.abandoned(a);
  CHECK_FALSE(books.ledger.ends(run, Time{1s}));
  books.ledger.abandoned(b);
  CHECK(books.ledger.ends(run, Time{1s}));
}

TEST_CASE("a job of an earlier broker waits for its producers, and no longer") {
  Ledger ledger(1000);
  ledger.restore(JobBook{.name = "run", .expected = 5, .joined = {7}}, Time{1s});
  ledger.restore(SourceBook{.hash = 7, .name = "folder", .expected = 5, .job = "run"}, nullptr);
  ledger.await_owners(Time{11s});
  ledger.end_restore();
  CHECK_FALSE(ledger.ends(*ledger.find_job("run"), Time{10s}));
  CHECK(ledger.ends(*ledger.find_job("run"), Time{11s}));
}

TEST_CASE("a job that goes on after its end is not over") {
  Books books;
  auto& cam = books.source("cam", 1);
  books.finish(cam, "run");
  auto& run = *books.ledger.find_job("run");
  REQUIRE(books.ledger.ends(run, Time{1s}));
  auto& more = books.admit(cam, "run");
  CHECK(run.ended_at == kNever);
  books.settle(more);
  CHECK(books.ledger.ends(run, Time{2s}));
}

TEST_CASE("the books of a run are its own: another epoch promises anew") {
  Books books;
  auto& cam = books.source("cam", 2);
  books.finish(cam, "one");
  books.ledger.claimed(cam, kProducer, {.epoch = 2, .expected = 5});
  books.finish(cam, "two");
  CHECK(books.ledger.find_job("one")->expected == 2);
  CHECK(books.ledger.find_job("one")->sources == 0);
  CHECK(books.ledger.find_job("two")->expected == 5);
  CHECK(books.ledger.find_job("two")->sources == 1);
}

TEST_CASE("a producer that dials anew promises what it promised, not twice as much") {
  Books books;
  auto& cam = books.source("cam", 2);
  books.finish(cam, "run");
  books.ledger.abandoned(cam);
  CHECK(books.ledger.find_job("run")->sources == 0);
  books.ledger.claimed(cam, kProducer, {.epoch = 1, .expected = 2});
  books.finish(cam, "run");
  CHECK(books.ledger.find_job("run")->expected == 2);
  CHECK(books.ledger.find_job("run")->sources == 1);
}

TEST_CASE("under constant load the rate is right, and the end is foreseen within a fifth") {
  // From a run of a few seconds to one of hours: windows of the rate must not show.
  for (const auto whole : {4s, 13s, 20s, 25s, 60s, 3600s}) {
    INFO(whole.count() << " s");
    Books books;
    const std::uint64_t tasks = 8 * static_cast<std::uint64_t>(whole.count());
    auto& cam = books.source("cam", tasks);
    Time now{100s};
    for (std::uint64_t i = 0; i < tasks / 2; ++i) {
      auto& task = books.admit(cam, "run", now);
      now += 125ms;
      books.settle(task, Status::ok, now);
    }
    const auto row = row_of(*books.ledger.find_job("run"), now);
    REQUIRE(row.eta);
    CHECK(row.rate == Approx(8).epsilon(0.2));
    CHECK(seconds(*row.eta) == Approx(static_cast<double>(whole.count()) / 2).epsilon(0.2));
    CHECK(row.elapsed == Duration{whole} / 2);
    CHECK_FALSE(row.finished);
  }
}

TEST_CASE("tasks that settle in bursts do not make the end jump") {
  Books books;
  auto& cam = books.source("cam", 2000);
  Time now{};
  for (int burst = 0; burst < 100; ++burst) {  // ten a second, once a second
    now += 1s;
    for (int i = 0; i < 10; ++i) books.finish(cam, "run", now);
    if (burst < 20) continue;
    CHECK(row_of(*books.ledger.find_job("run"), now + 500ms).rate == Approx(10).epsilon(0.2));
  }
}

TEST_CASE("nothing is foreseen where nothing is known, and what is over takes no more time") {
  Books books;
  auto& unknown = books.source("unknown", 0);
  books.finish(unknown, "open", Time{1s});
  CHECK_FALSE(row_of(*books.ledger.find_job("open"), Time{2s}).eta);
  auto& cam = books.source("cam", 1);
  auto& task = books.admit(cam, "run", Time{1s});
  CHECK_FALSE(row_of(*books.ledger.find_job("run"), Time{1s}).eta);  // no rate yet
  books.settle(task, Status::ok, Time{3s});
  auto& run = *books.ledger.find_job("run");
  REQUIRE(books.ledger.ends(run, Time{3s}));
  const auto row = row_of(run, Time{100s});
  CHECK(row.finished);
  CHECK(row.eta == Duration::zero());
  CHECK(row.elapsed == 2s);
}

TEST_CASE("whatever producers say of a job, its book can be written") {
  constexpr auto kMost = std::uint64_t{1} << 53U;
  Books books;
  books.admit(books.source("a", kMost), "run");
  books.admit(books.source("b", kMost), "run");
  CHECK(books.ledger.find_job("run")->expected == kMost);
  CHECK_FALSE(books.ledger.find_job("run")->total_unknown);

  for (int i = 0; i < 100'000; ++i) books.admit(books.source("s" + std::to_string(i), 1), "many");
  CHECK_FALSE(books.ledger.find_job("many")->total_unknown);
  books.admit(books.source("one more", 1), "many");
  CHECK(books.ledger.find_job("many")->joined.size() == 100'000);
  CHECK(books.ledger.find_job("many")->total_unknown);
}

TEST_CASE(
    "work is known that waits here, that a folder has still to give, and by a camera's pace") {
  Books books;
  CHECK_FALSE(books.ledger.known_work().any);
  auto& folder = books.source("folder", 100);
  folder.service.add(200ms);
  for (std::uint64_t i = 0; i < 10; ++i) books.admit(folder).id.sequence = i;
  folder.counted_through = 10;
  CHECK(books.ledger.known_work().any);
  CHECK(books.ledger.known_work().batch_seconds == Approx(100 * 0.2));

  books.ledger.abandoned(folder);  // nobody is there to give the rest
  CHECK(books.ledger.known_work().batch_seconds == Approx(10 * 0.2));
  folder.paused = true;  // and an operator does not want these now
  CHECK_FALSE(books.ledger.known_work().any);

  auto& paced = books.source("paced", 1000);
  paced.interval = 20ms;
  paced.service.add(100ms);
  CHECK(books.ledger.known_work().any);
  CHECK(books.ledger.known_work().paced_slots == Approx(5));
  CHECK(books.ledger.known_work().batch_seconds == 0);
  paced.counted_through = 1000;
  CHECK_FALSE(books.ledger.known_work().any);

  auto& camera = books.source("camera", 1000);
  camera.live_at = Time{};
  camera.service.add(100ms);
  CHECK_FALSE(books.ledger.known_work().any);  // its frames count when they are offered
}

TEST_CASE("idle sources of one key are forgotten for its own ones, never for those of another") {
  Quota door{.identity = "door", .listed = true};
  Quota flood{.identity = "flood", .listed = true};
  Books books(3);
  const auto own = [&](const std::string& name, Quota& quota) {
    auto& source = books.source(name);
    source.quota = &quota;
    books.ledger.abandoned(source);
  };
  own("front", door);
  own("back", door);
  for (int i = 0; i < 8; ++i) own("flood-" + std::to_string(i), flood);
  std::vector<std::string> let_go;
  books.ledger.keep_few([&](Source& source) { let_go.push_back(source.name); });
  CHECK(let_go.size() == 8);
  CHECK(books.ledger.find_source("front") != nullptr);
  CHECK(books.ledger.find_source("back") != nullptr);

  door.listed = false;  // revoked: nobody's
  for (int i = 0; i < 8; ++i) own("more-" + std::to_string(i), flood);
  books.ledger.keep_few([](Source&) {});
  CHECK(books.ledger.find_source("front") == nullptr);
}
