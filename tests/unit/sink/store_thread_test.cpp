#include "sink/stores/store_thread.hpp"

#include "sink/stores/memory_store.hpp"
#include "tests/unit/sink/store_fixture.hpp"

#include <poll.h>

namespace framefleet::test {
namespace {

using sink::StoreError;
using sink::StoreThread;

constexpr int kPatienceMs = 30'000;

sink::StoreThreadOptions quick_retries() {
  sink::StoreThreadOptions options;
  options.retry_delay_min = std::chrono::milliseconds(1);
  options.retry_delay_max = std::chrono::milliseconds(4);
  return options;
}

void wait_for_news(const StoreThread& thread) {
  pollfd waiting{thread.notify_fd(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, kPatienceMs) == 1);
}

std::vector<sink::StoreDone> take(StoreThread& thread, std::size_t count) {
  std::vector<sink::StoreDone> all;
  while (all.size() < count) {
    wait_for_news(thread);
    for (auto& done : thread.take_done()) all.push_back(std::move(done));
  }
  return all;
}

sink::StoreBatch batch(std::vector<sink::OutcomeToStore> outcomes) {
  sink::StoreBatch made;
  made.outcomes = std::move(outcomes);
  return made;
}

/// Answers a commit only when the test lets it.
class GatedStore final : public sink::ResultStore {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    int allowed{0};
    int entered{0};

    void allow(int count) {
      const std::lock_guard lock(mutex);
      allowed += count;
      changed.notify_all();
    }
    void wait_until_entered(int count) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return entered >= count; });
    }
  };

  explicit GatedStore(Gate& gate) : gate_(gate) {}
  Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const sink::OutcomeToStore> outcomes) override {
    std::unique_lock lock(gate_.mutex);
    ++gate_.entered;
    gate_.changed.notify_all();
    gate_.changed.wait(lock, [&] { return gate_.allowed > 0; });
    --gate_.allowed;
    return store_.commit(outcomes);
  }
  Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId> tasks) override {
    return store_.find(tasks);
  }
  Result<sink::PruneStep, StoreError> prune(std::int64_t now_ms) override {
    return store_.prune(now_ms);
  }
  Result<sink::ControlAnswer, StoreError> carry_out(const Control& control,
                                                    std::uint64_t frame_bytes_max) override {
    return store_.carry_out(control, frame_bytes_max);
  }
  const std::string& uuid() const override { return store_.uuid(); }
  sink::StoreStats stats() const override { return store_.stats(); }

 private:
  Gate& gate_;
  sink::MemoryStore store_;
};

TEST_CASE("work is done in order, and a find sees the batches before it") {
  StoreThread thread(std::make_unique<sink::MemoryStore>());
  REQUIRE(thread.enqueue(batch({ok_outcome(1), failed_outcome(2, "x")})));
  REQUIRE(thread.enqueue(sink::FindRequest{{task_number(2), task_number(3), task_number(1)}}));
  REQUIRE(thread.enqueue(sink::PruneRequest{kNoon}));
  const auto done = take(thread, 3);
  const auto& stored = std::get<sink::BatchStored>(done[0]);
  CHECK(stored.tasks.size() == 2);
  const auto& answer = std::get<sink::FindAnswer>(done[1]);
  REQUIRE(answer.stored.size() == 2);
  CHECK(answer.stored[0].status == Status::failed);
  CHECK(std::holds_alternative<sink::PruneStep>(done[2]));
  CHECK(thread.status().stats.stored == 2);
}

TEST_CASE("a batch may own the bytes that its outcomes point into") {
  const TemporaryFolder folder;
  {
    StoreThread thread(open_store(store_options(folder.path())));
    auto owned = batch({});
    owned.bytes = {"short", std::string(100'000, 'x')};
    owned.outcomes = {annotated_outcome(1, "dog.jpg", owned.bytes[0]),
                      failed_outcome(2, owned.bytes[1])};
    REQUIRE(thread.enqueue(std::move(owned)));
    take(thread, 1);
  }
  CHECK(contents(folder.path() / "annotated" / "dog.jpg") == "short");
  CHECK(number(folder.path(), "SELECT length(bytes) FROM dead_letters") == 100'000);
}

TEST_CASE("a full queue takes nothing more and leaves the work with its owner") {
  GatedStore::Gate gate;
  sink::StoreThreadOptions options;
  options.queue_max = 2;
  StoreThread thread(std::make_unique<GatedStore>(gate), options);
  REQUIRE(thread.enqueue(batch({ok_outcome(1)})));
  REQUIRE(thread.enqueue(batch({ok_outcome(2)})));
  sink::StoreWork third = batch({ok_outcome(3)});
  CHECK_FALSE(thread.enqueue(std::move(third)));
  CHECK(std::get<sink::StoreBatch>(third).outcomes.size() == 1);
  CHECK(thread.status().queued == 2);
  gate.allow(2);
  take(thread, 2);
}

TEST_CASE("a full disk is tried again until there is room, and said meanwhile") {
  auto memory = std::make_unique<sink::MemoryStore>();
  for (int i = 0; i < 5; ++i) {
    memory->fail_next_commit({StoreError::Kind::full, "no space for results.sqlite"});
  }
  StoreThread thread(std::move(memory), quick_retries());
  REQUIRE(thread.enqueue(batch({ok_outcome(1)})));
  const auto done = take(thread, 1);
  CHECK(std::get<sink::BatchStored>(done[0]).tasks.size() == 1);
  CHECK(thread.status().blocked.empty());
  CHECK(thread.status().fatal.empty());
}

TEST_CASE("while the disk is full the status says why, and a stop does not wait for room") {
  auto memory = std::make_unique<sink::MemoryStore>();
  memory->fail_next_commit({StoreError::Kind::full, "no space for results.sqlite"});
  sink::StoreThreadOptions options;
  options.retry_delay_min = std::chrono::hours(1);
  options.retry_delay_max = std::chrono::hours(1);
  StoreThread thread(std::move(memory), options);
  REQUIRE(thread.enqueue(batch({ok_outcome(1)})));
  REQUIRE(thread.enqueue(batch({ok_outcome(2)})));
  wait_for_news(thread);
  CHECK(thread.status().blocked == "no space for results.sqlite");
  thread.stop();
  const auto done = thread.take_done();
  REQUIRE(done.size() == 1);
  CHECK(std::get<sink::BatchStored>(done[0]).tasks.at(0).id == task_number(2));
}

TEST_CASE("any other error ends the work and is said") {
  auto memory = std::make_unique<sink::MemoryStore>();
  memory->fail_next_commit({StoreError::Kind::failed, "the disk is broken"});
  StoreThread thread(std::move(memory));
  REQUIRE(thread.enqueue(batch({ok_outcome(1)})));
  wait_for_news(thread);
  CHECK(thread.status().fatal == "the disk is broken");
  CHECK(thread.take_done().empty());
  CHECK_FALSE(thread.enqueue(batch({ok_outcome(2)})));
}

/// Has no memory left for anything.
class ExhaustedStore final : public sink::ResultStore {
 public:
  Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const sink::OutcomeToStore>) override {
    throw std::bad_alloc();
  }
  Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId>) override {
    throw std::bad_alloc();
  }
  Result<sink::PruneStep, StoreError> prune(std::int64_t) override { throw std::bad_alloc(); }
  Result<sink::ControlAnswer, StoreError> carry_out(const Control&, std::uint64_t) override {
    throw std::bad_alloc();
  }
  const std::string& uuid() const override { return uuid_; }
  sink::StoreStats stats() const override { return {}; }

 private:
  std::string uuid_{"exhausted"};
};

/// Answers operators with one error.
class FailingDesk final : public sink::ResultStore {
 public:
  explicit FailingDesk(StoreError::Kind kind) : kind_(kind) {}
  Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const sink::OutcomeToStore> outcomes) override {
    return store_.commit(outcomes);
  }
  Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId> tasks) override {
    return store_.find(tasks);
  }
  Result<sink::PruneStep, StoreError> prune(std::int64_t now_ms) override {
    return store_.prune(now_ms);
  }
  Result<sink::ControlAnswer, StoreError> carry_out(const Control&, std::uint64_t) override {
    return fail(StoreError{kind_, "no space for results.sqlite"});
  }
  const std::string& uuid() const override { return store_.uuid(); }
  sink::StoreStats stats() const override { return store_.stats(); }

 private:
  StoreError::Kind kind_;
  sink::MemoryStore store_;
};

TEST_CASE("an operator is answered in order with the batches") {
  const TemporaryFolder folder;
  StoreThread thread(open_store(store_options(folder.path())));
  Control control;
  control.verb = ControlVerb::dead_export;
  control.tasks = {task_number(2)};
  REQUIRE(thread.enqueue(batch({failed_outcome(2, "pixels")})));
  REQUIRE(thread.enqueue(sink::ControlRequest{control, 10'000}));
  const auto done = take(thread, 2);
  const auto& answer = std::get<sink::ControlAnswer>(done[1]);
  CHECK(answer.reason == Reason::none);
  REQUIRE(answer.frames.size() == 2);
  CHECK(answer.frames[1] == "pixels");
  CHECK(thread.status().stats.dead_letter_bytes == 6);
}

TEST_CASE("an operator is told that the disk is full, and nobody waits for it") {
  StoreThread thread(std::make_unique<FailingDesk>(StoreError::Kind::full));
  REQUIRE(thread.enqueue(sink::ControlRequest{}));
  REQUIRE(thread.enqueue(batch({ok_outcome(1)})));
  const auto done = take(thread, 2);
  const auto& answer = std::get<sink::ControlAnswer>(done[0]);
  CHECK(answer.reason == Reason::sink_slow);
  CHECK(answer.text == "no space for results.sqlite");
  CHECK(std::get<sink::BatchStored>(done[1]).tasks.at(0).id == task_number(1));
}

TEST_CASE("a database that fails an operator ends the work like any other failure") {
  StoreThread thread(std::make_unique<FailingDesk>(StoreError::Kind::failed));
  REQUIRE(thread.enqueue(sink::ControlRequest{}));
  wait_for_news(thread);
  CHECK(thread.status().fatal == "no space for results.sqlite");
  CHECK_FALSE(thread.enqueue(batch({ok_outcome(1)})));
}

TEST_CASE("an exception in the store ends the work and is said") {
  StoreThread thread(std::make_unique<ExhaustedStore>());
  SECTION("commit") { REQUIRE(thread.enqueue(batch({ok_outcome(1)}))); }
  SECTION("find") { REQUIRE(thread.enqueue(sink::FindRequest{})); }
  SECTION("prune") { REQUIRE(thread.enqueue(sink::PruneRequest{})); }
  SECTION("control") { REQUIRE(thread.enqueue(sink::ControlRequest{})); }
  wait_for_news(thread);
  CHECK(thread.status().fatal.find("bad_alloc") != std::string::npos);
}

TEST_CASE("a stop finishes what is queued") {
  GatedStore::Gate gate;
  StoreThread thread(std::make_unique<GatedStore>(gate));
  for (std::uint64_t i = 1; i <= 5; ++i) REQUIRE(thread.enqueue(batch({ok_outcome(i)})));
  gate.wait_until_entered(1);
  gate.allow(5);
  thread.stop();
  CHECK(thread.take_done().size() == 5);
  CHECK_FALSE(thread.enqueue(batch({ok_outcome(6)})));
}

TEST_CASE("after a stop the folder is free for the next sink") {
  const TemporaryFolder folder;
  StoreThread thread(open_store(store_options(folder.path())));
  thread.stop();
  CHECK(sink::SqliteStore::open(store_options(folder.path())));
}

}  // namespace
}  // namespace framefleet::test
