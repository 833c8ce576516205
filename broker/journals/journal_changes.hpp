#pragma once
// Writes the changes of one commit into one transaction.
// Threads: one. Errors: the first fault is kept; after it nothing more is written.

#include "broker/journals/journal.hpp"
#include "broker/journals/lmdb.hpp"

#include "shared/base/result.hpp"

#include <string>
#include <string_view>

namespace framefleet::broker {

/// What LMDB said, as the journal says it.
JournalFault fault_of(const LmdbError& error, std::string_view doing);

/// The value of a sealed record; a fault if it is damaged or not there.
Result<std::string_view, JournalFault> sealed_value(const LmdbTransaction& transaction, Table table,
                                                    std::string_view key);

/// The count of tasks and the incarnation, as `transaction` sees them.
Result<JournalState, JournalFault> read_state(const LmdbTransaction& transaction);

class JournalChanges {
 public:
  /// Requires: `transaction` outlives this object.
  JournalChanges(LmdbTransaction& transaction, JournalState state)
      : transaction_(transaction), state_(state) {}

  Result<void, JournalFault> apply(const JournalBatch& batch);
  Result<void, JournalFault> apply(const JournalAdmission& admission);
  Result<void, JournalFault> apply(const JournalAttempt& attempt);
  Result<void, JournalFault> apply(const JournalEnd& end);
  Result<void, JournalFault> apply(const JournaledBooks& books);
  Result<void, JournalFault> apply(const TokenKey& key);
  /// Takes a damaged task out of the tables of whole ones; `why` stays with its bytes.
  Result<void, JournalFault> quarantine(const DamagedTask& damaged);
  /// To be called last: the state that belongs to these changes.
  Result<void, JournalFault> finish();

  JournalState& state() { return state_; }

 private:
  Result<void, JournalFault> put(Table table, std::string_view key, std::string_view body);
  Result<void, JournalFault> put_task(const JournaledTask& task);
  Result<void, JournalFault> forget_quarantined(std::string_view id);
  /// The bytes under the id, if there are some, go into quarantine as they are.
  Result<bool, JournalFault> move_part(Table table, std::string_view id, QuarantinePart part);

  LmdbTransaction& transaction_;
  JournalState state_;
};

/// Everything in one transaction: what `change`(JournalChanges&, LmdbTransaction&) does, and the
/// state that belongs to it.
template <class Change>
Result<void, JournalFault> in_one_transaction(const LmdbEnvironment& environment,
                                              const Change& change) {
  auto transaction = LmdbTransaction::begin(environment, LmdbTransaction::Access::write);
  if (!transaction) return fail(fault_of(transaction.error(), "write"));
  const auto state = read_state(*transaction);
  if (!state) return fail(state.error());
  JournalChanges changes(*transaction, *state);
  if (auto changed = change(changes, *transaction); !changed) return changed;
  if (auto finished = changes.finish(); !finished) return finished;
  if (auto committed = transaction->commit(); !committed) {
    return fail(fault_of(committed.error(), "commit"));
  }
  return {};
}

}  // namespace framefleet::broker
