// What may lie on the disk of a store after a crash at any moment, and after a bit of it has turned
// over. After a crash everything that was reported as stored is there, once, and nothing of a half;
// what comes again is stored once. SQLite has no checksums but in its log, so a bit may go unseen;
// it never crashes or hangs the store.
// (tests/support/crash_states.hpp: how many, and which.)

#include "tests/support/crash_states.hpp"

#include "tests/support/write_log.hpp"
#include "tests/unit/sink/store_fixture.hpp"

#include <array>
#include <iostream>
#include <map>
#include <random>
#include <vector>

using namespace framefleet;
using namespace framefleet::sink;
using namespace framefleet::test;

namespace {

constexpr std::array<const char*, 2> kFiles{"results.sqlite", "results.sqlite-wal"};
/// Sequences 0 … 3 are the first commit, and so on.
constexpr std::uint64_t kTasksPerCommit = 4;
constexpr std::uint64_t kCommits = 30;
/// The sink leaves and starts again after so many: it copies its log into the database, and cuts
/// it.
constexpr std::uint64_t kCommitsPerRun = 10;

using Disk = std::map<std::string, std::string>;  ///< By name of the file.

SqliteStoreOptions options_in(const std::filesystem::path& folder) {
  auto options = store_options(folder);
  options.ndjson = false;
  options.dead_letters_bytes_max = std::uint64_t{1} << 30U;
  return options;
}

std::string picture_of(std::uint64_t sequence) {
  std::string bytes(500 + 700 * (sequence % 17), '\0');
  std::mt19937 random(static_cast<std::uint32_t>(sequence));
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

struct Work {
  std::vector<std::string> pictures;
  std::vector<OutcomeToStore> outcomes;
};

Work commit_number(std::uint64_t number) {
  Work work;
  work.pictures.reserve(kTasksPerCommit);
  for (std::uint64_t i = 0; i < kTasksPerCommit; ++i) {
    const auto sequence = number * kTasksPerCommit + i;
    if (i % 2 == 0) {
      work.outcomes.push_back(ok_outcome(sequence));
    } else {
      work.pictures.push_back(picture_of(sequence));
      work.outcomes.push_back(failed_outcome(sequence, work.pictures.back()));
    }
  }
  return work;
}

/// A store's life, as its files saw it.
struct Recording {
  Disk before;
  std::vector<LoggedWrite> writes;
  std::vector<std::size_t> acknowledged;  ///< By commit: how many writes there were when it was.
};

bool is_of_database(const LoggedWrite& write) {
  return write.file == kFiles[0] || write.file == kFiles[1];
}

Recording record_a_life() {
  const QuickFolder home;
  auto store = open_store(options_in(home.path()));
  Recording life;
  for (const auto* file : kFiles) life.before[file] = read_file(home.path() / file);
  const WriteLog log;
  const auto seen = [&] {
    return static_cast<std::size_t>(
        std::count_if(log.writes().begin(), log.writes().end(), is_of_database));
  };
  for (std::uint64_t number = 0; number < kCommits; ++number) {
    const auto work = commit_number(number);
    REQUIRE(store->commit(work.outcomes));
    life.acknowledged.push_back(seen());
    if ((number + 1) % kCommitsPerRun == 0) {
      store.reset();
      store = open_store(options_in(home.path()));
    }
  }
  store.reset();
  std::copy_if(log.writes().begin(), log.writes().end(), std::back_inserter(life.writes),
               is_of_database);
  return life;
}

void apply(const LoggedWrite& write, std::size_t from, std::size_t bytes, Disk& disk) {
  auto& file = disk[write.file];
  if (write.is_cut) file.resize(write.offset);
  if (write.bytes.empty() || bytes == 0) return;
  file.resize(std::max<std::size_t>(file.size(), write.offset + from + bytes));
  file.replace(write.offset + from, bytes, write.bytes, from, bytes);
}

/// What opened is wrong about, or "": `store` has all tasks of the commits up to `durable`, and of
/// the next one all or none.
std::string content_is_wrong(const std::filesystem::path& folder, SqliteStore& store,
                             std::size_t durable) {
  const auto database = Database::open(folder / kFiles[0], Access::read);
  if (!database) return "cannot be read: " + database.error().text;
  auto& sql = **database;
  if (sql.text("PRAGMA integrity_check") != "ok") return "is not sound";
  const auto rows =
      static_cast<std::uint64_t>(sql.number("SELECT count(*) FROM outcomes").value_or(0));
  if (rows != durable * kTasksPerCommit && rows != (durable + 1) * kTasksPerCommit) {
    return "has " + std::to_string(rows) + " rows after " + std::to_string(durable) + " commits";
  }
  std::vector<TaskId> ids;
  for (std::uint64_t sequence = 0; sequence < rows; ++sequence)
    ids.push_back(task_number(sequence));
  const auto found = store.find(ids);
  if (!found || found->size() != rows) return "does not find what it has";
  Statement letters(sql,
                    "SELECT o.sequence, l.bytes FROM dead_letter_rows l JOIN outcomes o ON "
                    "o.id = l.outcome");
  std::uint64_t whole = 0;
  bool more = letters.start() && letters.next();
  for (; more; more = letters.next(), ++whole) {
    if (letters.text(1) != picture_of(static_cast<std::uint64_t>(letters.integer(0)))) {
      return "has other bytes of a dead letter";
    }
  }
  if (whole != rows / 2) return "has " + std::to_string(whole) + " dead letters";
  return "";
}

/// What came again is stored once, and the rest too.
std::string resubmission_is_wrong(SqliteStore& store) {
  for (std::uint64_t number = 0; number < kCommits; ++number) {
    const auto stored = store.commit(commit_number(number).outcomes);
    if (!stored) return "takes nothing more: " + stored.error().text;
    if (stored->size() != kTasksPerCommit) return "answers too few";
  }
  const auto stats = store.stats();
  if (stats.stored + stats.duplicates != kCommits * kTasksPerCommit) return "counts wrong";
  return "";
}

void put_on(const std::filesystem::path& folder, const Disk& disk) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  for (const auto& [name, bytes] : disk) write_file(folder / name, bytes);
}

std::string crash_is_wrong(const std::filesystem::path& home, const Disk& disk, std::size_t durable,
                           bool resubmit) {
  const auto folder = home / "store";
  put_on(folder, disk);
  auto store = SqliteStore::open(options_in(folder));
  if (!store) return "refused: " + store.error().text;
  auto wrong = content_is_wrong(folder, **store, durable);
  if (!wrong.empty() || !resubmit) return wrong;
  wrong = resubmission_is_wrong(**store);
  return wrong.empty() ? content_is_wrong(folder, **store, kCommits) : wrong;
}

std::size_t durable_after(const Recording& life, std::size_t writes) {
  std::size_t durable = 0;
  while (durable < life.acknowledged.size() && life.acknowledged[durable] <= writes) ++durable;
  return durable;
}

/// Every so many of the states are worked on, too.
constexpr std::size_t kResubmitEvery = 8;

}  // namespace

TEST_CASE("after a crash at any write, cut at any byte, the store has all that it reported") {
  const auto life = record_a_life();
  const auto wanted = states_wanted(500);
  std::mt19937_64 random(states_seed());
  struct Cut {
    std::size_t writes;
    std::size_t bytes;  ///< Of the next one.
  };
  std::vector<Cut> states;
  while (states.size() < wanted) {
    const auto i = random() % (life.writes.size() + 1);
    const auto size = i < life.writes.size() ? life.writes[i].bytes.size() : 0;
    states.push_back({i, size > 0 && random() % 2 == 0 ? random() % size : 0});
  }
  std::sort(states.begin(), states.end(),
            [](const Cut& a, const Cut& b) { return a.writes < b.writes; });
  Disk disk = life.before;
  std::size_t written = 0;
  try_states(states.size(), [&](std::size_t n, const std::filesystem::path& home) {
    const auto [writes, bytes] = states[n];
    for (; written < writes; ++written) {
      apply(life.writes[written], 0, life.writes[written].bytes.size(), disk);
    }
    auto torn = disk;
    if (bytes > 0) apply(life.writes[written], 0, bytes, torn);
    return crash_is_wrong(home, torn, durable_after(life, writes), n % kResubmitEvery == 0);
  });
  std::cout << states.size() << " crashes\n";
}

TEST_CASE("writes of a store that were not synced may be there in part and in any order") {
  const auto life = record_a_life();
  const auto count = states_wanted(500);
  try_states(count, [&](std::size_t n, const std::filesystem::path& home) {
    std::mt19937_64 random(states_seed() * 1'000'003 + n);
    const auto reached = random() % (life.writes.size() + 1);
    Disk disk = life.before;
    for (const auto& [name, bytes] : life.before) {
      // Up to the file's last sync all of it; behind it some sectors of some writes.
      std::size_t synced = 0;
      for (std::size_t i = 0; i < reached; ++i) {
        if (life.writes[i].file == name && life.writes[i].is_sync()) synced = i;
      }
      for (std::size_t i = 0; i < reached; ++i) {
        const auto& write = life.writes[i];
        if (write.file != name) continue;
        if (i < synced) {
          apply(write, 0, write.bytes.size(), disk);
          continue;
        }
        if (random() % 2 == 0) continue;
        if (write.is_cut) apply(write, 0, 0, disk);
        constexpr std::size_t kSector = 512;
        for (std::size_t at = 0; at < write.bytes.size(); at += kSector) {
          if (random() % 4 == 0) continue;
          apply(write, at, std::min(kSector, write.bytes.size() - at), disk);
        }
      }
    }
    return crash_is_wrong(home, disk, durable_after(life, reached), n % kResubmitEvery == 0);
  });
  std::cout << count << " reorderings\n";
}

TEST_CASE("a bit of a store that turned over neither crashes nor hangs it") {
  const auto life = record_a_life();
  // While a log is there: neither the last one nor what came behind it.
  const auto last = life.acknowledged[kCommits - 2];
  Disk disk = life.before;
  for (std::size_t i = 0; i < last; ++i)
    apply(life.writes[i], 0, life.writes[i].bytes.size(), disk);
  const auto count = states_wanted(200);
  std::uint64_t total = 0;
  for (const auto& [name, bytes] : disk) total += bytes.size();
  try_states(count, [&](std::size_t n, const std::filesystem::path& home) {
    std::mt19937_64 random(states_seed() * 1'000'003 + n);
    auto bit = random() % (8 * total);
    auto damaged = disk;
    for (auto& [name, bytes] : damaged) {
      if (bit < 8 * bytes.size()) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        break;
      }
      bit -= 8 * bytes.size();
    }
    const auto folder = home / "store";
    put_on(folder, damaged);
    auto store = SqliteStore::open(options_in(folder));
    if (!store) return std::string(store.error().text.empty() ? "refused without a word" : "");
    // Whatever it says of its content and of new work, it says it.
    static_cast<void>(content_is_wrong(folder, **store, kCommits - 1));
    const auto stored = (*store)->commit(commit_number(kCommits).outcomes);
    return std::string(!stored && stored.error().text.empty() ? "failed without a word" : "");
  });
  std::cout << count << " bits\n";
}
