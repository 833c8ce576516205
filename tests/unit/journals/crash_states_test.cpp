// What may lie on a disk after a crash at any moment, and after a bit of it has turned over: the
// journal starts with every whole task and names the others, or it refuses and says how to save
// what is whole. It never gives out damaged bytes, and never silently fewer tasks.
// (tests/support/crash_states.hpp: how many, and which.)

#include "tests/support/crash_states.hpp"

#include "tests/support/write_log.hpp"
#include "tests/unit/journals/journal_fixture.hpp"

#include <fstream>
#include <iostream>
#include <random>
#include <set>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

constexpr std::uint64_t kFileBytes = kMiB;
/// Of a task: everything that must come back as it was.
using Whole = std::map<TaskId, std::string>;
std::string image_of(const JournaledTask& task, const std::vector<std::string>& frames) {
  std::string image = task.source + '|' + task.job + '|' + std::to_string(task.attempts) + '|';
  for (const auto& frame : frames) image += frame + '|';
  return image;
}

/// A journal's life, as its file saw it.
struct Recording {
  std::string before;                     ///< The file as it was made.
  std::vector<LoggedWrite> writes;        ///< And what came then.
  std::vector<std::size_t> acknowledged;  ///< By commit: how many writes there were when it was.
  std::vector<Whole> contents;            ///< After no commit, after one, …
};

Recording record_a_life() {
  const QuickFolder home;
  const auto journal = open_journal(home.path(), kFileBytes);
  REQUIRE(journal->begin_incarnation());
  Recording life;
  life.before = read_file(home.path() / "data.mdb");
  life.contents.emplace_back();
  const WriteLog log;
  for (std::uint64_t i = 0; i < 40; ++i) {
    BatchBuilder batch;
    auto whole = life.contents.back();
    // Small payloads share pages with others, large ones have their own.
    for (const std::size_t bytes : {std::size_t{50}, std::size_t{700 + 300 * (i % 20)}}) {
      const auto task = journaled_task(2 * i + (bytes == 50 ? 1 : 0), 7 + i % 3);
      const std::vector<std::string> frames{payload_of(task.id.sequence, bytes)};
      whole[task.id] = image_of(task, frames);
      batch.admit(task, frames);
    }
    if (i >= 4 && i % 4 != 3) {
      auto again = journaled_task(2 * (i - 4), 7 + (i - 4) % 3);
      again.attempts = 2;
      const std::vector<std::string> frames{
          payload_of(again.id.sequence, 700 + 300 * ((i - 4) % 20))};
      whole[again.id] = image_of(again, frames);
      batch.attempt(again);
    }
    JournalBatch changes = batch.count(2 * i).batch();
    if (i >= 6 && i % 2 == 0) {
      const auto gone = journaled_task(2 * (i - 6) + 1, 7 + (i - 6) % 3).id;
      whole.erase(gone);
      changes.changes.emplace_back(JournalEnd{gone});
    }
    REQUIRE(journal->commit({&changes, 1}));
    life.acknowledged.push_back(log.writes().size());
    life.contents.push_back(std::move(whole));
  }
  life.writes = log.writes();
  return life;
}

struct Opened {
  bool refused{false};
  std::string text;  ///< Why.
  Whole whole;
  std::set<TaskId> named;
};

Opened open_state(const std::filesystem::path& folder, const std::string& bytes) {
  {
    std::ofstream file(folder / "data.mdb", std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  Opened opened;
  const auto journal = LmdbJournal::open({folder, kFileBytes});
  if (!journal) {
    opened.refused = true;
    opened.text = journal.error().text;
    if (journal.error().exit_code != exit_code::kDiskError)
      opened.text = "wrong code: " + opened.text;
    return opened;
  }
  const auto contents = (*journal)->scan([&](JournaledTask task, std::vector<std::string> frames) {
    opened.whole[task.id] = image_of(task, frames);
  });
  if (!contents) {
    opened.refused = true;
    opened.text = "scan: " + contents.error().text;
    return opened;
  }
  for (const auto& damaged : contents->damaged) opened.named.insert(damaged.id);
  return opened;
}

/// `make(n)` is the bytes of a state, `judge(n, opened)` the oracle.
template <class Make, class Judge>
void try_states(std::size_t count, const Make& make, const Judge& judge) {
  test::try_states(count, [&](std::size_t n, const std::filesystem::path& folder) {
    return judge(n, open_state(folder, make(n)));
  });
}

std::string refusal_is_wrong(const Opened& opened) {
  if (opened.text.find("framefleet journal salvage") != std::string::npos &&
      opened.text.find("wrong code") == std::string::npos) {
    return "";
  }
  return "refused without a way out: " + opened.text;
}

/// Whole tasks are as they were; each other one is named.
std::string damage_is_wrong(const Opened& opened, const Whole& expected) {
  for (const auto& [id, image] : opened.whole) {
    const auto at = expected.find(id);
    if (at == expected.end()) return "task " + to_string(id) + " comes out of nowhere";
    if (at->second != image) return "task " + to_string(id) + " has other bytes";
    if (opened.named.count(id) != 0) return "task " + to_string(id) + " is whole and damaged";
  }
  const auto missing = expected.size() - opened.whole.size();
  if (missing > opened.named.size()) return std::to_string(missing) + " tasks are silently missing";
  if (missing > 1) return "one bit took " + std::to_string(missing) + " tasks away";
  return "";
}

void apply(const LoggedWrite& write, std::size_t bytes, std::string& file) {
  if (write.bytes.empty()) return;
  if (file.size() < write.offset + bytes) file.resize(write.offset + bytes);
  file.replace(write.offset, bytes, write.bytes, 0, bytes);
}

/// Of the contents, those that a crash behind so many writes may leave.
std::pair<std::size_t, std::size_t> possible(const Recording& life, std::size_t writes) {
  std::size_t durable = 0;
  while (durable < life.acknowledged.size() && life.acknowledged[durable] <= writes) ++durable;
  return {durable, std::min(durable + 1, life.acknowledged.size())};
}

std::string crash_is_wrong(const Recording& life, std::size_t writes, const Opened& opened,
                           bool may_refuse) {
  if (opened.refused) return may_refuse ? refusal_is_wrong(opened) : "refused: " + opened.text;
  const auto [durable, begun] = possible(life, writes);
  if (!opened.named.empty()) return "names damaged tasks after a mere crash";
  if (opened.whole == life.contents[durable] || opened.whole == life.contents[begun]) return "";
  return "has " + std::to_string(opened.whole.size()) + " tasks, not those of commit " +
         std::to_string(durable) + " or " + std::to_string(begun);
}

/// A write to one of the first two pages, LMDB's point of commit. Cut in two it may look like
/// damage: then the way out is a salvage.
bool is_commit(const LoggedWrite& write) { return write.offset < 2 * 4096; }

}  // namespace

TEST_CASE("after a crash at any write, cut at any byte, the journal has every durable task") {
  const auto life = record_a_life();
  const auto cuts = states_wanted(700);
  std::mt19937_64 random(states_seed());
  struct Cut {
    std::size_t writes;
    std::size_t bytes;  ///< Of the next one.
  };
  std::vector<Cut> states;
  for (std::size_t i = 0; i <= life.writes.size(); ++i) states.push_back({i, 0});
  while (states.size() < cuts) {
    const auto i = random() % life.writes.size();
    const auto& write = life.writes[i];
    if (!write.bytes.empty()) states.push_back({i, random() % write.bytes.size()});
  }
  std::sort(states.begin(), states.end(),
            [](const Cut& a, const Cut& b) { return a.writes < b.writes; });
  std::string file = life.before;
  std::size_t written = 0;
  try_states(
      states.size(),
      [&](std::size_t n) {
        // A child begins where its parent stands: at the first write.
        for (; written < states[n].writes; ++written) {
          apply(life.writes[written], life.writes[written].bytes.size(), file);
        }
        auto torn = file;
        if (states[n].bytes > 0) apply(life.writes[written], states[n].bytes, torn);
        return torn;
      },
      [&](std::size_t n, const Opened& opened) {
        const auto [writes, bytes] = states[n];
        return crash_is_wrong(life, writes, opened, bytes > 0 && is_commit(life.writes[writes]));
      });
  std::cout << states.size() << " crashes\n";
}

TEST_CASE("writes that were not synced may be there in part and in any order") {
  const auto life = record_a_life();
  const auto count = states_wanted(400);
  const auto seed = states_seed();
  std::vector<std::size_t> syncs;
  for (std::size_t i = 0; i < life.writes.size(); ++i) {
    if (life.writes[i].bytes.empty() || is_commit(life.writes[i])) syncs.push_back(i);
  }
  std::vector<std::size_t> reached(count);
  try_states(
      count,
      [&](std::size_t n) {
        std::mt19937_64 random(seed * 1'000'003 + n);
        const auto sync = syncs[random() % syncs.size()];
        // Up to the last sync all of it; behind it some sectors of some writes.
        auto from = sync;
        while (from > 0 && !life.writes[from - 1].bytes.empty() &&
               !is_commit(life.writes[from - 1])) {
          --from;
        }
        std::string file = life.before;
        for (std::size_t i = 0; i < from; ++i) {
          apply(life.writes[i], life.writes[i].bytes.size(), file);
        }
        for (auto i = from; i < sync; ++i) {
          if (random() % 2 == 0) continue;
          auto kept = life.writes[i];
          constexpr std::size_t kSector = 512;
          for (std::size_t at = 0; at < kept.bytes.size(); at += kSector) {
            const auto size = std::min(kSector, kept.bytes.size() - at);
            if (random() % 4 == 0 || file.size() < kept.offset + at + size) continue;
            file.replace(kept.offset + at, size, kept.bytes, at, size);
          }
        }
        reached[n] = from;
        return file;
      },
      [&](std::size_t n, const Opened& opened) {
        return crash_is_wrong(life, reached[n], opened, false);
      });
  std::cout << count << " reorderings\n";
}

TEST_CASE("a bit that turned over costs no task but its own, which is named") {
  const auto life = record_a_life();
  std::string file = life.before;
  std::uint64_t used = 0;
  for (const auto& write : life.writes) {
    apply(write, write.bytes.size(), file);
    used = std::max<std::uint64_t>(used, write.offset + write.bytes.size());
  }
  const auto count = states_wanted(1000);
  const auto seed = states_seed();
  // Every bit of the numbers that say which of the first two pages counts; samples of the rest of
  // the two, which everything hangs on, and of the file.
  constexpr std::size_t kMetaBits = std::size_t{8} * 152;
  constexpr std::size_t kNumberBits = 64;
  try_states(
      count,
      [&](std::size_t n) {
        std::mt19937_64 random(seed * 1'000'003 + n);
        std::size_t bit = random() % (8 * used);
        if (n % 4 == 0) bit = (random() % 2) * 8 * 4096 + random() % kMetaBits;
        if (n < 2 * kNumberBits) bit = (n % 2) * 8 * 4096 + kMetaBits - 1 - n / 2;
        auto damaged = file;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        return damaged;
      },
      [&](std::size_t /*n*/, const Opened& opened) {
        if (opened.refused) return refusal_is_wrong(opened);
        return damage_is_wrong(opened, life.contents.back());
      });
  std::cout << count << " bits\n";
}
