#include "broker/journals/journal_tools.hpp"

#include "broker/journals/child_report.hpp"
#include "broker/journals/journal_changes.hpp"
#include "broker/journals/journal_folder.hpp"
#include "broker/journals/lmdb.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <system_error>
#include <utility>

namespace framefleet::broker {
namespace {

namespace fs = std::filesystem;
using Access = LmdbTransaction::Access;

constexpr Duration kSilenceMax = std::chrono::hours(1);

Error unreadable(const fs::path& folder, std::string_view why) {
  return {fmt::format("cannot read the journal {}: {}; 'framefleet journal check' says more",
                      folder.string(), why),
          exit_code::kDiskError};
}

Result<void, Error> must_exist(const fs::path& folder) {
  if (fs::exists(JournalFolder::file_in(folder))) return {};
  return fail(
      Error{fmt::format("there is no journal at {}", folder.string()), exit_code::kNoInput});
}

/// An error as the report of a child; no error is the rest of it.
constexpr std::string_view kError = "error ";

Result<JournalOverview, JournalFault> read_overview(const fs::path& folder) {
  const auto environment = LmdbEnvironment::open(folder, LmdbEnvironment::Use::read, 0);
  if (!environment) return fail(fault_of(environment.error(), "open"));
  const auto transaction = LmdbTransaction::begin(*environment, Access::read);
  if (!transaction) return fail(fault_of(transaction.error(), "read"));
  const auto state = read_state(*transaction);
  if (!state) return fail(state.error());
  JournalOverview overview;
  overview.stats = {state->tasks, transaction->used_bytes(), environment->bytes_max()};
  overview.incarnation = state->incarnation;
  overview.sources = transaction->count(Table::sources).value_or(0);
  overview.jobs = transaction->count(Table::jobs).value_or(0);
  const auto read = transaction->each(Table::quarantine, [&](std::string_view key, auto) {
    if (key.size() == kIdBytes + 1 && key.back() == static_cast<char>(QuarantinePart::reason)) {
      ++overview.quarantined;
    }
    return true;
  });
  if (!read) return fail(fault_of(read.error(), "read"));
  return overview;
}

/// The copy is another file: its commits begin anew, and so do those who hold leases of it.
Result<void, JournalFault> make_a_journal_of(const fs::path& file) {
  const auto environment = LmdbEnvironment::open(file, LmdbEnvironment::Use::lone_file, 0);
  if (!environment) return fail(fault_of(environment.error(), "finish"));
  // There must be room for its own free pages beside what was copied.
  constexpr std::uint64_t kRoom = std::uint64_t{1} << 20U;
  const int grown = ::mdb_env_set_mapsize(environment->get(), environment->bytes_max() + kRoom);
  if (grown != 0) return fail(fault_of({grown}, "finish"));
  auto stamped = in_one_transaction(*environment, [](JournalChanges& changes, auto&) {
    changes.state().incarnation += kIncarnationsSkipped;
    return Result<void, JournalFault>{};
  });
  if (!stamped) return stamped;
  return in_one_transaction(*environment,
                            [](auto&, auto&) { return Result<void, JournalFault>{}; });
}

std::string copy(const fs::path& folder, const fs::path& file, int descriptor) {
  const auto environment = LmdbEnvironment::open(folder, LmdbEnvironment::Use::read, 0);
  if (!environment) return environment.error().text();
  if (const auto copied = environment->copy_to(descriptor); !copied) return copied.error().text();
  if (const auto made = make_a_journal_of(file); !made) return made.error().text;
  return ::fsync(descriptor) == 0 ? "" : std::generic_category().message(errno);
}

}  // namespace

Result<JournalFindings, Error> check_journal(const fs::path& folder) {
  if (auto there = must_exist(folder); !there) return fail(there.error());
  const auto claimed = JournalFolder::claim(folder, JournalFolder::Absent::refuse);
  if (!claimed) return fail(claimed.error());
  return verify_in_child(folder);
}

Result<JournalOverview, Error> overview(const fs::path& folder) {
  if (auto there = must_exist(folder); !there) return fail(there.error());
  const auto report = report_of_child(
      [&](const Report& tell) {
        const auto read = read_overview(folder);
        if (!read) return tell(std::string(kError) + read.error().text);
        tell(fmt::format("{} {} {} {} {} {} {}", read->stats.tasks, read->stats.used_bytes,
                         read->stats.bytes_max, read->incarnation, read->quarantined, read->sources,
                         read->jobs));
      },
      kSilenceMax);
  if (!report) return fail(unreadable(folder, report.error()));
  if (report->rfind(kError, 0) == 0) return fail(unreadable(folder, report->substr(kError.size())));
  JournalOverview overview;
  std::istringstream words(*report);
  words >> overview.stats.tasks >> overview.stats.used_bytes >> overview.stats.bytes_max >>
      overview.incarnation >> overview.quarantined >> overview.sources >> overview.jobs;
  return overview;
}

Result<void, Error> back_up(const fs::path& folder, const fs::path& file) {
  if (auto there = must_exist(folder); !there) return there;
  constexpr mode_t kMode = 0600;
  const FileDescriptor descriptor(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!descriptor) {
    return fail(Error{
        fmt::format("cannot create {}: {}", file.string(), std::generic_category().message(errno)),
        exit_code::kCannotCreate});
  }
  const auto report = report_of_child(
      [&](const Report& tell) {
        const auto wrong = copy(folder, file, descriptor.get());
        if (!wrong.empty()) tell(wrong);
      },
      kSilenceMax);
  if (report && report->empty()) return {};
  ::unlink(file.c_str());
  return fail(unreadable(folder, report ? *report : report.error()));
}

}  // namespace framefleet::broker
