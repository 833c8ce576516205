#include "broker/journals/journal_writer.hpp"

#include "tests/unit/journals/journal_fixture.hpp"

#include <poll.h>

#include <condition_variable>
#include <mutex>
#include <set>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

/// What a journal on a disk would have, and a disk that does as it is told.
struct Disk {
  std::mutex mutex;
  std::condition_variable wake;
  std::size_t room{1'000'000};  ///< Tasks.
  bool broken{false};
  bool stalled{false};
  std::size_t waiting{0};            ///< Commits that a stalled disk holds up.
  std::vector<std::size_t> commits;  ///< Batches of each.
  std::vector<std::uint64_t> order;  ///< Sequences as they were admitted.
  std::map<TaskId, JournaledTask> tasks;
  std::map<std::uint64_t, SourceBook> sources;

  void stall(bool on) {
    {
      const std::lock_guard lock(mutex);
      stalled = on;
    }
    wake.notify_all();
  }
  void wait_for_a_stalled_commit() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return waiting > 0; });
  }
};

class ToldJournal final : public Journal {
 public:
  explicit ToldJournal(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

  Result<void, JournalFault> commit(std::span<const JournalBatch> batches) override {
    std::unique_lock lock(disk_->mutex);
    ++disk_->waiting;
    disk_->wake.notify_all();
    disk_->wake.wait(lock, [this] { return !disk_->stalled; });
    --disk_->waiting;
    if (disk_->broken) return fail(JournalFault{JournalFault::Kind::broken, "an I/O error"});
    auto tasks = disk_->tasks;
    auto order = disk_->order;
    for (const auto& batch : batches) {
      for (const auto& change : batch.changes) {
        if (const auto* admission = std::get_if<JournalAdmission>(&change)) {
          if (tasks.size() >= disk_->room) return fail(JournalFault{JournalFault::Kind::full, ""});
          tasks[admission->task.id] = admission->task;
          order.push_back(admission->task.id.sequence);
        } else if (const auto* attempt = std::get_if<JournalAttempt>(&change)) {
          tasks.at(attempt->task.id) = attempt->task;
        } else {
          tasks.erase(std::get<JournalEnd>(change).task);
        }
      }
    }
    disk_->tasks = std::move(tasks);
    disk_->order = std::move(order);
    for (const auto& batch : batches) {
      for (const auto& book : batch.books.sources) disk_->sources[book.hash] = book;
    }
    disk_->commits.push_back(batches.size());
    return {};
  }
  Result<JournalContents, JournalFault> scan(
      const std::function<void(JournaledTask, std::vector<std::string>)>& /*visit*/)
      const override {
    return JournalContents{};
  }
  JournalStats stats() const override { return {}; }

 private:
  std::shared_ptr<Disk> disk_;
};

struct Writing {
  std::shared_ptr<Disk> disk{std::make_shared<Disk>()};
  JournalWriter writer;

  explicit Writing(JournalWriterOptions options = {})
      : writer(std::make_unique<ToldJournal>(disk), with_clock(std::move(options))) {}
  static JournalWriterOptions with_clock(JournalWriterOptions options) {
    options.now = [] { return Time{}; };
    options.retry_delay_min = std::chrono::milliseconds(1);
    options.retry_delay_max = std::chrono::milliseconds(1);
    return options;
  }

  /// A work for each admission of these numbers.
  void submit_each(std::uint64_t first, std::uint64_t last) {
    for (auto i = first; i <= last; ++i) {
      REQUIRE(writer.submit(BatchBuilder{}.admit(i).work(i)));
    }
  }
  /// Waits for news until `holds`.
  template <class Holds>
  void await(const Holds& holds) {
    while (!holds()) {
      pollfd news{writer.notify_fd(), POLLIN, 0};
      REQUIRE(::poll(&news, 1, 60'000) == 1);
      through = writer.take_committed().through;
    }
  }
  void await_through(std::uint64_t number) {
    await([&] { return through >= number; });
  }
  std::uint64_t through{0};
};

}  // namespace

TEST_CASE("works become durable in order and are told by their numbers") {
  Writing writing;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).count(1).work(10)));
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(2).end(1).count(2).work(11)));
  writing.await_through(11);
  CHECK(writing.disk->tasks.size() == 1);
  CHECK(writing.disk->sources.at(7).account.admitted == 2);
  CHECK(writing.writer.status().queued == 0);
  CHECK(writing.writer.status().queued_bytes == 0);
}

TEST_CASE("what comes while a disk is slow is committed together after it") {
  Writing writing;
  writing.disk->stall(true);
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  writing.disk->wait_for_a_stalled_commit();
  writing.submit_each(2, 20);
  CHECK(writing.writer.take_committed().through == 0);
  writing.disk->stall(false);
  writing.await_through(20);
  CHECK(writing.disk->commits == std::vector<std::size_t>{1, 19});
}

TEST_CASE("where much comes, a group waits for more of it") {
  JournalWriterOptions options;
  options.gather_records = 4;  // one is the beginning of many
  options.gather_time = std::chrono::hours(1);
  SECTION("until it has enough records") {
    Writing writing(options);
    writing.submit_each(1, 4);
    writing.await_through(4);
    CHECK(writing.disk->commits == std::vector<std::size_t>{4});
  }
  SECTION("until it has enough bytes") {
    const auto one = BatchBuilder{}.admit(1).work(1);
    options.gather_bytes = 3 * bytes_of(one.batch);
    Writing writing(options);
    writing.submit_each(1, 3);
    writing.await_through(3);
    CHECK(writing.disk->commits == std::vector<std::size_t>{3});
  }
  SECTION("until the broker leaves") {
    Writing writing(options);
    writing.submit_each(1, 3);
    writing.writer.stop();
    CHECK(writing.writer.take_committed().through == 3);
    CHECK(writing.disk->tasks.size() == 3);
  }
  SECTION("until nothing more comes") {
    options.gather_time = std::chrono::milliseconds(20);
    Writing writing(options);
    REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
    writing.await_through(1);
    REQUIRE(writing.writer.submit(BatchBuilder{}.admit(2).work(2)));
    writing.await_through(2);
    CHECK(writing.disk->commits == std::vector<std::size_t>{1, 1});
  }
}

TEST_CASE("where little comes, a group waits for nothing") {
  JournalWriterOptions options;
  options.gather_records = 16;  // two at once would be the beginning of many
  options.gather_time = std::chrono::hours(1);
  Writing writing(options);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    REQUIRE(writing.writer.submit(BatchBuilder{}.admit(i).work(i)));
    writing.await_through(i);
  }
  CHECK(writing.disk->commits == std::vector<std::size_t>{1, 1, 1, 1, 1});
}

TEST_CASE("what came during a commit says whether the next group waits") {
  JournalWriterOptions options;
  options.gather_records = 16;  // four during a commit are the beginning of many
  options.gather_time = std::chrono::hours(1);
  Writing writing(options);
  writing.disk->stall(true);
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  writing.disk->wait_for_a_stalled_commit();
  SECTION("not for fewer") {
    writing.submit_each(2, 4);
    writing.disk->stall(false);
    writing.await_through(4);
    CHECK(writing.disk->commits == std::vector<std::size_t>{1, 3});
  }
  SECTION("but for so many") {
    writing.submit_each(2, 5);
    writing.disk->stall(false);
    writing.await_through(1);
    writing.submit_each(6, 17);
    writing.await_through(17);
    CHECK(writing.disk->commits == std::vector<std::size_t>{1, 16});
  }
}

TEST_CASE("a group has its limits in records and bytes") {
  JournalWriterOptions options;
  options.group_records_max = 4;
  Writing writing(options);
  writing.disk->stall(true);
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  writing.disk->wait_for_a_stalled_commit();
  writing.submit_each(2, 10);
  writing.disk->stall(false);
  writing.await_through(10);
  CHECK(writing.disk->commits == std::vector<std::size_t>{1, 4, 4, 1});
}

TEST_CASE("a queue at its limit takes no more, and says so") {
  JournalWriterOptions options;
  options.queue_works_max = 2;
  Writing writing(options);
  writing.disk->stall(true);
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(2).work(2)));
  auto third = BatchBuilder{}.admit(3).work(3);
  CHECK_FALSE(writing.writer.submit(std::move(third)));
  CHECK(third.batch.changes.size() == 1);
  writing.disk->stall(false);
  writing.await_through(2);
  CHECK(writing.writer.submit(std::move(third)));
  writing.await_through(3);
}

TEST_CASE("a full journal settles tasks while admissions wait in their order") {
  Writing writing;
  writing.disk->room = 2;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).admit(2).count(2).work(1)));
  writing.await_through(1);
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(3).count(3).work(2)));
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(4).count(4).work(3)));
  writing.await([&] { return writing.writer.status().full; });
  CHECK(writing.through == 1);
  {
    const std::lock_guard lock(writing.disk->mutex);
    CHECK(writing.disk->sources.at(7).account.admitted == 2);
    CHECK(writing.disk->sources.at(7).counted_through == 3);  // the first that is held back
  }
  auto ended = source_book(7, 4);
  ended.account.settled[0] = 1;
  JournaledBooks books;
  books.sources = {ended};
  REQUIRE(writing.writer.submit(BatchBuilder{}.end(1).books(books).work(4)));
  writing.await_through(2);
  {
    const std::lock_guard lock(writing.disk->mutex);
    CHECK(writing.disk->order == std::vector<std::uint64_t>{1, 2, 3});
    // Of four submitted three are there or settled: the books say so.
    CHECK(writing.disk->sources.at(7).account.admitted == 3);
    CHECK(writing.disk->sources.at(7).counted_through == 4);
    CHECK(writing.disk->sources.at(7).account.settled[0] == 1);
  }
  REQUIRE(writing.writer.submit(BatchBuilder{}.end(2).books(books).work(5)));
  writing.await_through(5);
  writing.await([&] { return !writing.writer.status().full; });
  CHECK(writing.disk->order == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(writing.disk->sources.at(7) == ended);
}

TEST_CASE("however long a journal is full, what is done meanwhile is written") {
  JournalWriterOptions options;
  options.queue_works_max = 8;
  options.queue_bytes_max = 8 * 1024;
  Writing writing(options);
  writing.submit_each(1, 2);
  writing.await_through(2);
  {
    const std::lock_guard lock(writing.disk->mutex);
    writing.disk->room = 2;
  }
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(3).work(3)));  // held back
  writing.await([&] { return writing.writer.status().full; });
  const auto counted_on_disk = [&writing] {
    const std::lock_guard lock(writing.disk->mutex);
    return writing.disk->sources[7].account.admitted;
  };
  for (std::uint64_t number = 4; number < 1000; ++number) {  // books alone, as of live frames
    REQUIRE(writing.writer.submit(BatchBuilder{}.count(number).work(number)));
    while (counted_on_disk() != number - 1) std::this_thread::yield();  // less the one held back
  }
  CHECK(writing.writer.status().queued <= 2);
  CHECK(writing.writer.take_committed().through == 2);
  REQUIRE(writing.writer.submit(BatchBuilder{}.end(1).work(1000)));  // which makes room
  writing.await_through(1000);
  CHECK(writing.disk->tasks.size() == 2);
  CHECK(writing.writer.status().queued == 0);
  CHECK(writing.writer.status().queued_bytes == 0);
}

TEST_CASE("a task that is held back can be tried and ended before it was ever written") {
  Writing writing;
  writing.disk->room = 0;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).admit(2).count(2).work(1)));
  writing.await([&] { return writing.writer.status().full; });
  auto again = journaled_task(2);
  again.lost = 1;
  REQUIRE(writing.writer.submit(BatchBuilder{}.attempt(again).end(1).count(2).work(2)));
  {
    const std::lock_guard lock(writing.disk->mutex);
    writing.disk->room = 1;
  }
  writing.await_through(2);
  REQUIRE(writing.disk->tasks.size() == 1);
  CHECK(writing.disk->tasks.at(again.id) == again);
  CHECK(writing.disk->sources.at(7) == source_book(7, 2));
}

TEST_CASE("room that comes by itself is noticed") {
  Writing writing;
  writing.disk->room = 0;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  writing.await([&] { return writing.writer.status().full; });
  {
    const std::lock_guard lock(writing.disk->mutex);
    writing.disk->room = 1;
  }
  writing.await_through(1);
}

TEST_CASE("a broken journal is told once, and takes nothing more") {
  Writing writing;
  writing.disk->broken = true;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  writing.await([&] { return writing.writer.status().fault.has_value(); });
  CHECK(writing.writer.status().fault->text == "an I/O error");
  CHECK_FALSE(writing.writer.status().full);
  CHECK(writing.through == 0);
  CHECK_FALSE(writing.writer.submit(BatchBuilder{}.admit(2).work(2)));
}

TEST_CASE("stopping commits what is queued") {
  Writing writing;
  writing.disk->stall(true);
  writing.submit_each(1, 5);
  writing.disk->stall(false);
  writing.writer.stop();
  CHECK(writing.writer.take_committed().through == 5);
  CHECK_FALSE(writing.writer.submit(BatchBuilder{}.admit(6).work(6)));
}

TEST_CASE("stopping does not wait for room") {
  Writing writing;
  writing.disk->room = 1;
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(1).work(1)));
  REQUIRE(writing.writer.submit(BatchBuilder{}.admit(2).work(2)));
  REQUIRE(writing.writer.submit(BatchBuilder{}.end(1).work(3)));
  writing.writer.stop();
  CHECK(writing.disk->tasks.size() == 1);
}
