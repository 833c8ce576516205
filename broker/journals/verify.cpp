#include "broker/journals/verify.hpp"

#include "broker/journals/child_report.hpp"
#include "broker/journals/journal_folder.hpp"
#include "broker/journals/page_tables.hpp"
#include "broker/journals/page_walk.hpp"
#include "broker/journals/record_seal.hpp"

#include "shared/wire/journal_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

namespace framefleet::broker {
namespace {

/// Reading a thousand pages takes milliseconds; a disk may be busy.
constexpr Duration kSilenceMax = std::chrono::seconds(60);
/// Of each kind, in a report.
constexpr std::size_t kNamedMax = 10'000;

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class Verification {
 public:
  Verification(const PageFile& file, const MetaPage& meta, const std::function<void()>& alive)
      : meta_(meta), walk_(file, meta, alive) {}

  JournalFindings run() {
    const auto roots = table_roots(walk_, meta_);
    for (std::size_t i = 0; i < kTableCount; ++i) {
      if (!roots[i]) problem(fmt::format("it has no table '{}'", to_string(static_cast<Table>(i))));
    }
    // A table that a file of another maker does not have; what else is wrong with it says nothing.
    if (!roots[static_cast<std::size_t>(Table::meta)]) return std::move(findings_);
    // Tasks before payloads, which are held against them.
    for (const auto table : {Table::meta, Table::tasks, Table::payloads, Table::sources,
                             Table::jobs, Table::quarantine}) {
      const auto& root = roots[static_cast<std::size_t>(table)];
      if (!root) continue;
      walk_.tree(to_string(table), *root, [&](const WalkedEntry& entry) { check(table, entry); });
    }
    walk_.free_pages();
    conclude();
    return std::move(findings_);
  }

 private:
  void check(Table table, const WalkedEntry& entry) {
    if (table == Table::quarantine) {
      if (entry.key.size() == kIdBytes + 1 &&
          entry.key.back() == static_cast<char>(QuarantinePart::reason)) {
        ++findings_.quarantined;
      }
      return;
    }
    const auto unsealed = unseal(table, entry.key, entry.value);
    const std::string why =
        unsealed ? wrong_with(table, entry.key, unsealed->body, unsealed->transaction)
                 : "its checksum is wrong";
    if (table == Table::tasks || table == Table::payloads) return check_part(table, entry, why);
    if (!why.empty()) problem(fmt::format("a record of {}: {}", to_string(table), why));
    if (table == Table::sources) ++findings_.sources;
    if (table == Table::jobs) ++findings_.jobs;
  }

  /// A task is whole if both of its parts are; which of them come first is known.
  void check_part(Table table, const WalkedEntry& entry, const std::string& why) {
    const auto id = parse_id_key(entry.key);
    if (!id) return problem(fmt::format("a key of {} is no id", to_string(table)));
    if (table == Table::tasks) {
      ++entries_;
      unpaired_.insert(*id);
      if (!why.empty()) damaged(*id, "its record: " + why);
      return;
    }
    if (unpaired_.erase(*id) == 0) return damaged(*id, "it has a payload and no record");
    if (!why.empty()) damaged(*id, "its payload: " + why);
  }

  std::string wrong_with(Table table, std::string_view key, std::string_view body,
                         std::uint64_t transaction) {
    switch (table) {
      case Table::meta:
        return wrong_with_meta(key, body, transaction);
      case Table::tasks: {
        const auto task = wire::decode_journaled_task(as_bytes(body));
        return task ? "" : task.error().text;
      }
      case Table::payloads:
        return parse_payload(body) ? "" : "its frames do not add up";
      case Table::sources: {
        const auto book = wire::decode_source_book(as_bytes(body));
        return book ? "" : book.error().text;
      }
      case Table::jobs: {
        const auto book = wire::decode_job_book(as_bytes(body));
        return book ? "" : book.error().text;
      }
      case Table::quarantine:
        break;
    }
    return "";
  }

  std::string wrong_with_meta(std::string_view key, std::string_view body,
                              std::uint64_t transaction) {
    if (key == kFormatKey) {
      const auto format = parse_format(body);
      findings_.format = format.value_or(0);
      if (format == kFormatVersion) return "";
      return format ? fmt::format("the journal has format {}, this build reads {}", *format,
                                  kFormatVersion)
                    : "it is no journal of framefleet";
    }
    if (key == kStateKey) {
      state_ = parse_state(body);
      if (!state_) return "the state has another shape";
      if (transaction == meta_.transaction) return "";
      return fmt::format("the first page says commit {}, the state {}", meta_.transaction,
                         transaction);
    }
    if (key == kTokenKeyKey) {
      return body.size() == std::tuple_size_v<TokenKey> ? "" : "the key of tokens has another size";
    }
    if (key != kFleetKey) return "";
    const auto fleet = wire::decode_fleet_book(as_bytes(body));
    return fleet ? "" : fleet.error().text;
  }

  void conclude() {
    for (const auto& id : unpaired_) damaged(id, "its payload is missing");
    if (findings_.format == 0) problem("it does not say that it is a journal of framefleet");
    if (!state_) {
      problem("it does not say how many tasks it has");
    } else if (state_->tasks != entries_) {
      problem(fmt::format("it should have {} tasks and has {}: {}", state_->tasks, entries_,
                          state_->tasks > entries_
                              ? fmt::format("{} are missing", state_->tasks - entries_)
                              : fmt::format("{} too many", entries_ - state_->tasks)));
    }
    if (state_) findings_.incarnation = state_->incarnation;
    for (const auto& text : walk_.problems()) problem(text);
    findings_.tasks = entries_ - std::min(entries_, damaged_records_);
  }

  void damaged(const TaskId& id, std::string why) {
    if (!unhealthy_.insert(id).second) return;
    if (why.rfind("it has a payload", 0) != 0) ++damaged_records_;
    if (findings_.damaged.size() < kNamedMax) {
      findings_.damaged.push_back({id, std::move(why)});
    } else {
      problem(fmt::format("more than {} tasks are damaged", kNamedMax));
    }
  }
  void problem(std::string text) {
    if (findings_.problems.size() < kNamedMax) findings_.problems.push_back(std::move(text));
  }

  const MetaPage meta_;
  PageWalk walk_;
  JournalFindings findings_;
  std::optional<JournalState> state_;
  std::uint64_t entries_{0};
  std::uint64_t damaged_records_{0};
  std::set<TaskId> unpaired_;
  std::set<TaskId> unhealthy_;
};

/// The state that counts, if the first two pages agree about which it is.
Result<MetaPage, std::string> current_state(const PageFile& file) {
  const auto& [first, second] = file.metas();
  if (!first || !second) return fail(std::string("one of its first two pages is damaged"));
  const auto& newer = first->transaction < second->transaction ? *second : *first;
  const auto& older = first->transaction < second->transaction ? *first : *second;
  // A number that lost a bit would hide the newest commits.
  for (const auto& meta : {newer, older}) {
    const auto written = commit_of_state(file, meta);
    if (written && *written != meta.transaction) {
      return fail(fmt::format("one of its first two pages says commit {} and means {}",
                              meta.transaction, *written));
    }
  }
  return newer;
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

std::string write_findings(const JournalFindings& findings) {
  auto text = fmt::format("{} {} {} {} {} {}\n", findings.format, findings.incarnation,
                          findings.tasks, findings.quarantined, findings.sources, findings.jobs);
  for (const auto& task : findings.damaged) {
    text += fmt::format("damaged {} {}\n", to_string(task.id), one_line(task.text));
  }
  for (const auto& problem : findings.problems) {
    text += fmt::format("problem {}\n", one_line(problem));
  }
  return text;
}

JournalFindings read_findings(const std::string& text) {
  std::istringstream lines(text);
  JournalFindings findings;
  lines >> findings.format >> findings.incarnation >> findings.tasks >> findings.quarantined >>
      findings.sources >> findings.jobs;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string kind;
    std::string id;
    words >> kind;
    if (kind == "damaged") words >> id;
    words.get();
    std::getline(words, line);
    const auto task = parse_task_id(id);
    if (kind == "problem") findings.problems.push_back(line);
    if (task) findings.damaged.push_back({*task, line});
  }
  return findings;
}

}  // namespace

JournalFindings verify(const std::filesystem::path& path, const std::function<void()>& alive) {
  JournalFindings findings;
  const auto file = PageFile::open(path);
  if (!file) {
    findings.problems.push_back(file.error());
    return findings;
  }
  const auto meta = current_state(*file);
  if (!meta) {
    findings.problems.push_back(meta.error());
    return findings;
  }
  return Verification(*file, *meta, alive).run();
}

JournalFindings verify_in_child(const std::filesystem::path& folder) {
  const auto report = report_of_child(
      [&](const Report& tell) {
        tell(write_findings(verify(JournalFolder::file_in(folder), [&] { tell(""); })));
      },
      kSilenceMax);
  if (report) return read_findings(*report);
  JournalFindings findings;
  findings.problems.push_back(report.error());
  return findings;
}

Error unusable(const std::filesystem::path& folder, const JournalFindings& findings) {
  const auto& problems = findings.problems;
  if (findings.format > kFormatVersion) {
    return {
        fmt::format("the journal {} has format {}, and this build reads {}; start the build that "
                    "wrote it, or name another folder",
                    folder.string(), findings.format, kFormatVersion),
        exit_code::kDiskError};
  }
  return {fmt::format("the journal {} is damaged: {}{}; save what is whole with 'framefleet "
                      "journal salvage {} NEWDIR', and use NEWDIR",
                      folder.string(), problems.empty() ? "" : problems.front(),
                      problems.size() > 1 ? fmt::format(" (and {} more)", problems.size() - 1) : "",
                      folder.string()),
          exit_code::kDiskError};
}

}  // namespace framefleet::broker
