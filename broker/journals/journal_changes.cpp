#include "broker/journals/journal_changes.hpp"

#include "broker/journals/record_seal.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/wire/journal_codec.hpp"

#include <fmt/format.h>

#include <span>
#include <utility>

namespace framefleet::broker {
namespace {

JournalFault unwritable(const wire::CodecError& error) {
  return {JournalFault::Kind::broken, "cannot write the journal: " + error.text};
}

/// Runs what yields results until the first one that failed.
template <class Values, class Write>
Result<void, JournalFault> for_each(const Values& values, const Write& write) {
  for (const auto& value : values) {
    if (auto written = write(value); !written) return written;
  }
  return {};
}

}  // namespace

JournalFault fault_of(const LmdbError& error, std::string_view doing) {
  return {error.is_full() ? JournalFault::Kind::full : JournalFault::Kind::broken,
          fmt::format("cannot {} the journal: {}", doing, error.text())};
}

Result<std::string_view, JournalFault> sealed_value(const LmdbTransaction& transaction, Table table,
                                                    std::string_view key) {
  const auto value = transaction.get(table, key);
  if (!value) return fail(fault_of(value.error(), "read"));
  const auto unsealed = *value ? unseal(table, key, **value) : std::nullopt;
  if (!unsealed) {
    return fail(JournalFault{JournalFault::Kind::broken,
                             fmt::format("cannot read the journal: {} '{}' is {}", to_string(table),
                                         key, *value ? "damaged" : "missing")});
  }
  return unsealed->body;
}

Result<JournalState, JournalFault> read_state(const LmdbTransaction& transaction) {
  const auto body = sealed_value(transaction, Table::meta, kStateKey);
  if (!body) return fail(body.error());
  const auto state = parse_state(*body);
  if (!state) {
    return fail(JournalFault{JournalFault::Kind::broken, "the journal's state has another shape"});
  }
  return *state;
}

Result<void, JournalFault> JournalChanges::apply(const JournalBatch& batch) {
  const auto change = [this](const auto& one) {
    return std::visit([this](const auto& kind) { return apply(kind); }, one);
  };
  if (auto changed = for_each(batch.changes, change); !changed) return changed;
  return apply(batch.books);
}

Result<void, JournalFault> JournalChanges::apply(const JournalAdmission& admission) {
  const auto key = id_key(admission.task.id);
  const auto before = transaction_.get(Table::tasks, key);
  if (!before) return fail(fault_of(before.error(), "read"));
  if (!*before) ++state_.tasks;
  if (auto put = put_task(admission.task); !put) return put;
  failpoint("journal.admission.record");
  const auto bytes = kSealBytes + payload_bytes(admission.frames);
  const auto room = transaction_.put_room(Table::payloads, key, bytes);
  if (!room) return fail(fault_of(room.error(), "write"));
  put_payload(admission.frames, *room + kSealBytes);
  seal(Table::payloads, key, transaction_.number(), {*room, bytes});
  failpoint("journal.admission.payload");
  return forget_quarantined(key);
}

Result<void, JournalFault> JournalChanges::apply(const JournalAttempt& attempt) {
  const auto before = transaction_.get(Table::tasks, id_key(attempt.task.id));
  if (!before) return fail(fault_of(before.error(), "read"));
  if (!*before) {
    return fail(JournalFault{JournalFault::Kind::broken,
                             fmt::format("cannot write the journal: an attempt of task {}, which "
                                         "it does not have",
                                         to_string(attempt.task.id))});
  }
  auto put = put_task(attempt.task);
  failpoint("journal.attempt.record");
  return put;
}

Result<void, JournalFault> JournalChanges::apply(const JournalEnd& end) {
  const auto key = id_key(end.task);
  const auto removed = transaction_.remove(Table::tasks, key);
  if (!removed) return fail(fault_of(removed.error(), "write"));
  if (!*removed) return forget_quarantined(key);
  --state_.tasks;
  failpoint("journal.end.record");
  const auto payload = transaction_.remove(Table::payloads, key);
  if (!payload) return fail(fault_of(payload.error(), "write"));
  failpoint("journal.end.payload");
  return {};
}

Result<void, JournalFault> JournalChanges::apply(const JournaledBooks& books) {
  const auto remove = [this](Table table, std::string_view key) -> Result<void, JournalFault> {
    const auto removed = transaction_.remove(table, key);
    if (!removed) return fail(fault_of(removed.error(), "write"));
    return {};
  };
  const auto write = [this](Table table, std::string_view key,
                            const auto& book) -> Result<void, JournalFault> {
    const auto body = wire::encode_journaled(book);
    if (!body) return fail(unwritable(body.error()));
    return put(table, key, *body);
  };
  failpoint("journal.books.before");
  auto done = for_each(books.sources_gone,
                       [&](std::uint64_t hash) { return remove(Table::sources, hash_key(hash)); });
  if (done) {
    done = for_each(books.jobs_gone,
                    [&](const std::string& name) { return remove(Table::jobs, name); });
  }
  if (done) {
    done = for_each(books.sources, [&](const SourceBook& book) {
      return write(Table::sources, hash_key(book.hash), book);
    });
  }
  if (done) {
    done = for_each(books.jobs,
                    [&](const JobBook& book) { return write(Table::jobs, book.name, book); });
  }
  if (done && books.fleet) done = write(Table::meta, kFleetKey, *books.fleet);
  failpoint("journal.books.after");
  return done;
}

Result<void, JournalFault> JournalChanges::apply(const TokenKey& key) {
  return put(Table::meta, kTokenKeyKey, std::string(key.begin(), key.end()));
}

Result<void, JournalFault> JournalChanges::quarantine(const DamagedTask& damaged) {
  const auto key = id_key(damaged.id);
  const auto task = move_part(Table::tasks, key, QuarantinePart::task);
  if (!task) return fail(task.error());
  if (*task) --state_.tasks;
  const auto payload = move_part(Table::payloads, key, QuarantinePart::payload);
  if (!payload) return fail(payload.error());
  return put(Table::quarantine, quarantine_key(key, QuarantinePart::reason), damaged.text);
}

Result<void, JournalFault> JournalChanges::finish() {
  return put(Table::meta, kStateKey, state_body(state_));
}

Result<void, JournalFault> JournalChanges::put(Table table, std::string_view key,
                                               std::string_view body) {
  const auto value = sealed(table, key, transaction_.number(), body);
  if (auto put = transaction_.put(table, key, value); !put) {
    return fail(fault_of(put.error(), "write"));
  }
  return {};
}

Result<void, JournalFault> JournalChanges::put_task(const JournaledTask& task) {
  const auto body = wire::encode_journaled(task);
  if (!body) return fail(unwritable(body.error()));
  return put(Table::tasks, id_key(task.id), *body);
}

Result<void, JournalFault> JournalChanges::forget_quarantined(std::string_view id) {
  const auto count = transaction_.count(Table::quarantine);
  if (!count) return fail(fault_of(count.error(), "read"));
  if (*count == 0) return {};
  for (const auto part : {QuarantinePart::task, QuarantinePart::payload, QuarantinePart::reason}) {
    const auto removed = transaction_.remove(Table::quarantine, quarantine_key(id, part));
    if (!removed) return fail(fault_of(removed.error(), "write"));
  }
  return {};
}

Result<bool, JournalFault> JournalChanges::move_part(Table table, std::string_view id,
                                                     QuarantinePart part) {
  const auto value = transaction_.get(table, id);
  if (!value) return fail(fault_of(value.error(), "read"));
  if (!*value) return false;
  const std::string bytes(**value);  // A write may move the page that the view points into.
  if (auto put = transaction_.put(Table::quarantine, quarantine_key(id, part), bytes); !put) {
    return fail(fault_of(put.error(), "write"));
  }
  const auto removed = transaction_.remove(table, id);
  if (!removed) return fail(fault_of(removed.error(), "write"));
  return true;
}

}  // namespace framefleet::broker
