#include "broker/journals/lmdb_journal.hpp"

#include "broker/journals/journal_changes.hpp"
#include "broker/journals/journal_folder.hpp"
#include "broker/journals/lmdb.hpp"
#include "broker/journals/record_seal.hpp"
#include "broker/journals/verify.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/wire/journal_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace framefleet::broker {
namespace {

namespace fs = std::filesystem;
using Access = LmdbTransaction::Access;

/// Of the file, for ends alone: to remove something LMDB first copies the pages it lies in.
constexpr std::uint64_t kReservedPart = 20;
/// The wall clock gives an incarnation up to this number; more than 200 million are left.
constexpr std::uint32_t kIncarnationByClockMax = 0xF000'0000;
/// What a map is a multiple of; more than any page.
constexpr std::uint64_t kGranularity = 64 * 1024;

std::uint64_t rounded(std::uint64_t bytes_max) {
  const auto bytes = std::max(bytes_max, kJournalBytesMin);
  return (bytes + kGranularity - 1) / kGranularity * kGranularity;
}

Error unusable(const fs::path& folder, std::string_view why, int code = exit_code::kDiskError) {
  return {fmt::format("the journal {} cannot be used: {}", folder.string(), why), code};
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

bool has_admission(const JournalBatch& batch) {
  return std::any_of(batch.changes.begin(), batch.changes.end(), [](const auto& change) {
    return std::holds_alternative<JournalAdmission>(change);
  });
}

/// An empty journal. Both of LMDB's meta pages are of a commit of ours afterwards.
Result<void, JournalFault> write_first_state(const LmdbEnvironment& environment) {
  {
    auto transaction = LmdbTransaction::begin(environment, Access::write);
    if (!transaction) return fail(fault_of(transaction.error(), "create"));
    const auto format = sealed(Table::meta, kFormatKey, transaction->number(), format_body());
    auto put = transaction->put(Table::meta, kFormatKey, format);
    if (put) {
      const auto state = sealed(Table::meta, kStateKey, transaction->number(), state_body({}));
      put = transaction->put(Table::meta, kStateKey, state);
    }
    if (put) put = transaction->commit();
    if (!put) return fail(fault_of(put.error(), "create"));
  }
  return in_one_transaction(environment, [](auto&, auto&) { return Result<void, JournalFault>{}; });
}

/// The file gets its name when it is complete: who finds one by that name finds a journal.
Result<void, Error> create(const JournalFolder& folder, std::uint64_t bytes_max) {
  const auto unfinished = folder.path() / "incoming.mdb";
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  {
    const auto environment =
        LmdbEnvironment::open(unfinished, LmdbEnvironment::Use::lone_file, bytes_max);
    if (!environment) {
      return fail(unusable(folder.path(), environment.error().text(), exit_code::kCannotCreate));
    }
    if (auto written = write_first_state(*environment); !written) {
      return fail(unusable(folder.path(), written.error().text, exit_code::kCannotCreate));
    }
  }
  failpoint("journal.create.written");
  if (auto reserved = folder.reserve(unfinished, bytes_max); !reserved) return reserved;
  failpoint("journal.create.reserved");
  return folder.complete(unfinished, folder.file());
}

}  // namespace

struct LmdbJournal::Parts {
  JournalFolder folder;
  LmdbEnvironment environment;
  std::vector<DamagedTask> found_damaged;

  std::uint64_t bytes_for_admissions() const {
    const auto bytes_max = environment.bytes_max();
    return bytes_max - bytes_max / kReservedPart;
  }
};

LmdbJournal::LmdbJournal(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LmdbJournal::~LmdbJournal() = default;

const std::vector<DamagedTask>& LmdbJournal::found_damaged() const { return parts_->found_damaged; }

Result<std::unique_ptr<LmdbJournal>, Error> LmdbJournal::open(const JournalOptions& options) {
  auto folder = JournalFolder::claim(options.folder);
  if (!folder) return fail(folder.error());
  const auto bytes_max = rounded(options.bytes_max);
  std::vector<DamagedTask> damaged;
  if (!fs::exists(folder->file())) {
    if (auto created = create(*folder, bytes_max); !created) return fail(created.error());
  } else {
    failpoint("journal.verify.before");
    auto findings = verify_in_child(folder->path());
    failpoint("journal.verify.after");
    if (!findings.problems.empty()) return fail(unusable(folder->path(), findings));
    damaged = std::move(findings.damaged);
  }
  auto environment =
      LmdbEnvironment::open(folder->path(), LmdbEnvironment::Use::journal, bytes_max);
  if (!environment) return fail(unusable(options.folder, environment.error().text()));
  auto parts = std::make_unique<Parts>(
      Parts{std::move(*folder), std::move(*environment), std::move(damaged)});
  // LMDB has made the map larger where more than bytes_max is in use.
  if (auto reserved = parts->folder.reserve(parts->folder.file(), parts->environment.bytes_max());
      !reserved) {
    return fail(reserved.error());
  }
  if (parts->found_damaged.empty()) {
    return std::unique_ptr<LmdbJournal>(new LmdbJournal(std::move(parts)));
  }
  const auto quarantined =
      in_one_transaction(parts->environment, [&](JournalChanges& changes, auto&) {
        Result<void, JournalFault> moved;
        for (const auto& task : parts->found_damaged) {
          if (moved) moved = changes.quarantine(task);
        }
        failpoint("journal.quarantine.before");
        return moved;
      });
  if (!quarantined) return fail(unusable(options.folder, quarantined.error().text));
  failpoint("journal.quarantine.after");
  return std::unique_ptr<LmdbJournal>(new LmdbJournal(std::move(parts)));
}

Result<std::uint32_t, JournalFault> LmdbJournal::begin_incarnation(std::uint32_t at_least) {
  std::uint32_t incarnation = 0;
  const auto begun = in_one_transaction(parts_->environment, [&](JournalChanges& changes, auto&) {
    auto& last = changes.state().incarnation;
    // A clock that is decades ahead once must leave numbers for all starts to come.
    incarnation = last = std::max(last + 1, std::min(at_least, kIncarnationByClockMax));
    failpoint("journal.incarnation.before");
    return Result<void, JournalFault>{};
  });
  if (!begun) return fail(begun.error());
  failpoint("journal.incarnation.after");
  return incarnation;
}

Result<TokenKey, JournalFault> LmdbJournal::keep_token_key(const TokenKey& fresh) {
  TokenKey key = fresh;
  const auto kept = in_one_transaction(
      parts_->environment,
      [&](JournalChanges& changes, LmdbTransaction& transaction) -> Result<void, JournalFault> {
        const auto there = transaction.get(Table::meta, kTokenKeyKey);
        if (!there) return fail(fault_of(there.error(), "read"));
        if (!*there) return changes.apply(fresh);
        const auto value = sealed_value(transaction, Table::meta, kTokenKeyKey);
        if (!value) return fail(value.error());
        std::copy_n(value->begin(), std::min(value->size(), key.size()), key.begin());
        return {};
      });
  if (!kept) return fail(kept.error());
  return key;
}

Result<void, JournalFault> LmdbJournal::commit(std::span<const JournalBatch> batches) {
  const bool admits = std::any_of(batches.begin(), batches.end(), has_admission);
  auto committed = in_one_transaction(
      parts_->environment,
      [&](JournalChanges& changes, LmdbTransaction& transaction) -> Result<void, JournalFault> {
        failpoint("journal.begin");
        for (const auto& batch : batches) {
          if (auto applied = changes.apply(batch); !applied) return applied;
        }
        failpoint("journal.commit.before");
        if (!admits || transaction.used_bytes() <= parts_->bytes_for_admissions()) return {};
        return fail(JournalFault{JournalFault::Kind::full, "the journal is full"});
      });
  failpoint("journal.commit.after");
  return committed;
}

namespace {

/// Reads a table whose every record is sealed and readable, or says which is not.
template <class Take>
Result<void, JournalFault> read_all(const LmdbTransaction& transaction, Table table,
                                    const Take& take) {
  std::optional<JournalFault> fault;
  const auto read = transaction.each(table, [&](std::string_view key, std::string_view value) {
    const auto unsealed = unseal(table, key, value);
    const std::string why = unsealed ? take(key, unsealed->body) : "its checksum is wrong";
    if (why.empty()) return true;
    fault = JournalFault{
        JournalFault::Kind::broken,
        fmt::format("cannot read the journal: a record of {}: {}", to_string(table), why)};
    return false;
  });
  if (fault) return fail(*fault);
  if (!read) return fail(fault_of(read.error(), "read"));
  return {};
}

/// Puts what `decode` makes of a record into `to`; what is wrong with it, or "".
template <class T>
std::string keep(Result<T, wire::CodecError> decoded, std::vector<T>& to) {
  if (!decoded) return decoded.error().text;
  to.push_back(*std::move(decoded));
  return "";
}

/// Nothing where that is damaged, too.
std::optional<JournaledTask> quarantined_record(const LmdbTransaction& transaction,
                                                std::string_view id) {
  const auto value = transaction.get(Table::quarantine, quarantine_key(id, QuarantinePart::task));
  if (!value || !*value) return std::nullopt;
  const auto sealed = unseal(Table::tasks, id, **value);
  if (!sealed) return std::nullopt;
  auto task = wire::decode_journaled_task(as_bytes(sealed->body));
  return task ? std::optional{*std::move(task)} : std::nullopt;
}

std::vector<DamagedTask> quarantined_tasks(const LmdbTransaction& transaction) {
  std::vector<DamagedTask> damaged;
  // A read that fails is told by the tables that matter; what is here is lost already.
  static_cast<void>(
      transaction.each(Table::quarantine, [&](std::string_view key, std::string_view value) {
        if (key.size() != kIdBytes + 1 || key.back() != static_cast<char>(QuarantinePart::reason)) {
          return true;
        }
        const auto id = key.substr(0, kIdBytes);
        const auto why = unseal(Table::quarantine, key, value);
        damaged.push_back({*parse_id_key(id),
                           why ? std::string(why->body) : "damaged, as is the note that says how",
                           quarantined_record(transaction, id)});
        return true;
      }));
  return damaged;
}

}  // namespace

Result<JournalContents, JournalFault> LmdbJournal::scan(
    const std::function<void(JournaledTask, std::vector<std::string> frames)>& visit) const {
  const auto transaction = LmdbTransaction::begin(parts_->environment, Access::read);
  if (!transaction) return fail(fault_of(transaction.error(), "read"));
  auto read = read_all(*transaction, Table::tasks,
                       [&](std::string_view key, std::string_view body) -> std::string {
                         auto task = wire::decode_journaled_task(as_bytes(body));
                         if (!task) return task.error().text;
                         const auto payload = sealed_value(*transaction, Table::payloads, key);
                         auto frames = payload ? parse_payload(*payload) : std::nullopt;
                         if (!frames) return "its payload is missing or damaged";
                         visit(*std::move(task), *std::move(frames));
                         return "";
                       });
  JournalContents contents;
  if (read) {
    read = read_all(*transaction, Table::sources, [&](std::string_view, std::string_view body) {
      return keep(wire::decode_source_book(as_bytes(body)), contents.sources);
    });
  }
  if (read) {
    read = read_all(*transaction, Table::jobs, [&](std::string_view, std::string_view body) {
      return keep(wire::decode_job_book(as_bytes(body)), contents.jobs);
    });
  }
  if (read) {
    read = read_all(*transaction, Table::meta,
                    [&](std::string_view key, std::string_view body) -> std::string {
                      if (key != kFleetKey) return "";
                      auto fleet = wire::decode_fleet_book(as_bytes(body));
                      if (!fleet) return fleet.error().text;
                      contents.fleet = *std::move(fleet);
                      return "";
                    });
  }
  if (!read) return fail(read.error());
  contents.damaged = quarantined_tasks(*transaction);
  return contents;
}

JournalStats LmdbJournal::stats() const {
  const auto transaction = LmdbTransaction::begin(parts_->environment, Access::read);
  JournalStats stats;
  stats.bytes_max = parts_->environment.bytes_max();
  if (!transaction) return stats;
  stats.tasks = transaction->count(Table::tasks).value_or(0);
  stats.used_bytes = transaction->used_bytes();
  return stats;
}

}  // namespace framefleet::broker
