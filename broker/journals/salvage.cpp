#include "broker/journals/salvage.hpp"

#include "broker/journals/journal_changes.hpp"
#include "broker/journals/journal_folder.hpp"
#include "broker/journals/lmdb_journal.hpp"
#include "broker/journals/page_tables.hpp"
#include "broker/journals/page_walk.hpp"
#include "broker/journals/record_seal.hpp"

#include "shared/wire/journal_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <system_error>
#include <utility>

namespace framefleet::broker {
namespace {

namespace fs = std::filesystem;

/// Of one commit into the new journal.
constexpr std::size_t kGroupTasks = 256;
constexpr std::uint64_t kGroupBytes = std::uint64_t{4} << 20U;

/// A whole value. Payloads stay where they are until they are written.
struct Found {
  std::uint64_t transaction{0};
  std::string body;
  ValuePlace place;
};

class Salvage {
 public:
  explicit Salvage(const PageFile& file) : file_(file) {}

  void collect() {
    const auto meta = best_state();
    PageWalk walk(file_, meta);
    const auto roots = table_roots(walk, meta);
    for (std::size_t i = 0; i < kTableCount; ++i) {
      const auto table = static_cast<Table>(i);
      if (roots[i]) {
        walk.tree(to_string(table), *roots[i],
                  [&](const WalkedEntry& entry) { take(table, entry, true); });
      }
    }
    walk.free_pages();
    if (walk.problems().empty()) return;
    result_.may_have_settled = !walk.free_list_is_whole();
    for (auto page = kMetaPages; page < file_.pages(); ++page) {
      walk.lost_leaf(page, [&](const WalkedEntry& entry) {
        // A leaf does not say of which table it is; a seal does.
        for (std::size_t i = 0; i < kTableCount; ++i) take(static_cast<Table>(i), entry, false);
      });
    }
  }

  Result<void, JournalFault> write_to(Journal& journal) {
    JournalBatch batch;
    std::vector<std::vector<std::string>> frames;
    std::uint64_t bytes = 0;
    const auto flush = [&]() -> Result<void, JournalFault> {
      auto committed = journal.commit({&batch, 1});
      if (!committed) return committed;
      batch = {};
      frames.clear();
      bytes = 0;
      return {};
    };
    take_books(batch.books);
    frames.reserve(kGroupTasks);  // Spans point into them.
    for (const auto& [key, record] : found(Table::tasks)) {
      auto task = wire::decode_journaled_task(std::as_bytes(std::span(record.body)));
      auto payload = task ? read_payload(key) : std::nullopt;
      if (!payload) continue;
      lost_.erase(task->id);
      JournalAdmission admission{*std::move(task), {}};
      for (const auto& frame : frames.emplace_back(*std::move(payload))) {
        admission.frames.push_back(std::as_bytes(std::span(frame)));
        bytes += frame.size();
      }
      batch.changes.emplace_back(std::move(admission));
      ++result_.tasks;
      if (batch.changes.size() < kGroupTasks && bytes < kGroupBytes) continue;
      if (auto flushed = flush(); !flushed) return flushed;
    }
    return flush();
  }

  /// To be called last.
  Salvaged result() {
    for (auto& [id, why] : lost_) result_.lost.push_back({id, std::move(why)});
    return std::move(result_);
  }
  /// Every task that has a name and is not whole.
  void name_lost() {
    for (const auto table : {Table::tasks, Table::payloads}) {
      const auto other = table == Table::tasks ? Table::payloads : Table::tasks;
      for (const auto& [key, value] : found(table)) {
        const auto id = parse_id_key(key);
        if (id && found(other).count(key) == 0) {
          lost_.emplace(*id, fmt::format("nothing of it is left in {}", to_string(other)));
        }
      }
    }
    for (const auto& [key, reason] : found(Table::quarantine)) {
      if (const auto id = parse_id_key(std::string_view(key).substr(0, kIdBytes))) {
        lost_.insert_or_assign(*id, reason.body);
      }
    }
  }
  const std::map<TaskId, std::string>& lost() const { return lost_; }

  std::optional<JournalState> state() const {
    const auto& meta = found_[static_cast<std::size_t>(Table::meta)];
    const auto at = meta.find(std::string(kStateKey));
    return at == meta.end() ? std::nullopt : parse_state(at->second.body);
  }
  void count(const std::optional<JournalState>& state) {
    if (state) result_.counted = state->tasks;
  }

 private:
  using Values = std::map<std::string, Found>;
  Values& found(Table table) { return found_[static_cast<std::size_t>(table)]; }

  /// What the first two pages lead to: the one with the later commit. Neither: nothing is reached.
  MetaPage best_state() const {
    MetaPage best;
    best.last_page = file_.pages() - 1;
    std::uint64_t latest = 0;
    for (const auto& meta : file_.metas()) {
      if (!meta) continue;
      const auto commit = commit_of_state(file_, *meta).value_or(0);
      if (commit >= latest) best = *meta;
      latest = std::max(latest, commit);
    }
    return best;
  }

  void take(Table table, const WalkedEntry& entry, bool names_damage) {
    const auto unsealed = unseal(table, entry.key, entry.value);
    if (!unsealed) {
      const auto id = parse_id_key(entry.key);
      const bool is_task = table == Table::tasks || table == Table::payloads;
      if (names_damage && is_task && id) {
        lost_.emplace(*id, fmt::format("its checksum in {} is wrong", to_string(table)));
      }
      return;
    }
    auto& value = found(table)[std::string(entry.key)];
    if (unsealed->transaction < value.transaction) return;
    value = {unsealed->transaction, {}, entry.place};
    if (table != Table::payloads) value.body = unsealed->body;
  }

  std::optional<std::vector<std::string>> read_payload(const std::string& key) {
    const auto at = found(Table::payloads).find(key);
    if (at == found(Table::payloads).end()) return std::nullopt;
    const auto& place = at->second.place;
    std::string bytes;
    std::string_view value;
    std::optional<Page> page;
    if (place.own_pages) {
      if (!file_.read_value(place.page, place.bytes, bytes)) return std::nullopt;
      value = bytes;
    } else {
      if (!file_.read(place.page, 1, bytes)) return std::nullopt;
      const auto parsed = parse_page(bytes, place.page);
      if (!parsed || place.node >= parsed->nodes.size()) return std::nullopt;
      value = parsed->nodes[place.node].value;
    }
    const auto unsealed = unseal(Table::payloads, key, value);
    return unsealed ? parse_payload(unsealed->body) : std::nullopt;
  }

  void take_books(JournaledBooks& books) {
    const auto bytes = [](const Found& value) { return std::as_bytes(std::span(value.body)); };
    for (const auto& [key, value] : found(Table::sources)) {
      if (auto book = wire::decode_source_book(bytes(value))) books.sources.push_back(*book);
    }
    for (const auto& [key, value] : found(Table::jobs)) {
      if (auto book = wire::decode_job_book(bytes(value))) books.jobs.push_back(*book);
    }
    const auto fleet = found(Table::meta).find(std::string(kFleetKey));
    if (fleet != found(Table::meta).end()) {
      if (auto book = wire::decode_fleet_book(bytes(fleet->second))) books.fleet = *book;
    }
    result_.sources = books.sources.size();
    result_.jobs = books.jobs.size();
  }

  const PageFile& file_;
  std::array<Values, kTableCount> found_;
  std::map<TaskId, std::string> lost_;
  Salvaged result_;
};

}  // namespace

std::uint64_t Salvaged::missing() const {
  const auto known = tasks + lost.size();
  return counted && *counted > known ? *counted - known : 0;
}

Result<Salvaged, Error> salvage(const fs::path& from, const fs::path& to,
                                std::uint32_t incarnation) {
  auto folder = JournalFolder::claim(from, JournalFolder::Absent::refuse);
  if (!folder) return fail(folder.error());
  if (fs::exists(JournalFolder::file_in(to))) {
    return fail(Error{fmt::format("{} has a journal already; name a new folder", to.string()),
                      exit_code::kCannotCreate});
  }
  const auto file = PageFile::open(folder->file());
  if (!file) return fail(Error{file.error(), exit_code::kDiskError});
  Salvage salvage(*file);
  salvage.collect();
  salvage.name_lost();
  const auto failed = [&](const JournalFault& fault) {
    return fail(Error{fmt::format("{}: {}", to.string(), fault.text), exit_code::kDiskError});
  };
  {
    auto journal = LmdbJournal::open({to, file->pages() * file->page_bytes()});
    if (!journal) return fail(journal.error());
    if (auto written = salvage.write_to(**journal); !written) return failed(written.error());
  }
  const auto state = salvage.state();
  salvage.count(state);
  const auto environment = LmdbEnvironment::open(to, LmdbEnvironment::Use::journal, 0);
  if (!environment) return failed(fault_of(environment.error(), "open"));
  const auto finished = in_one_transaction(*environment, [&](JournalChanges& changes, auto&) {
    changes.state().incarnation = (state ? state->incarnation : incarnation) + kIncarnationsSkipped;
    Result<void, JournalFault> noted;
    for (const auto& [id, why] : salvage.lost()) {
      if (noted) noted = changes.quarantine({id, why});
    }
    return noted;
  });
  if (!finished) return failed(finished.error());
  return salvage.result();
}

}  // namespace framefleet::broker
