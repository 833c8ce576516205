#pragma once
// Commands for the table tests: what to do is `kind`, the rest is read as that needs it. Small
// ranges, so that commands meet the same tasks, workers and times again and again.

#include "shared/base/task_id.hpp"

#include <rapidcheck.h>

#include <cstdint>
#include <ostream>
#include <vector>

namespace framefleet::test {

struct TableCommand {
  int kind{0};
  std::uint64_t task{0};
  std::uint64_t other{0};
  std::int64_t time{0};  ///< Milliseconds.

  friend std::ostream& operator<<(std::ostream& out, const TableCommand& command) {
    return out << "{" << command.kind << ", task " << command.task << ", other " << command.other
               << ", time " << command.time << "}";
  }
};

/// Up to some 500 of them: what goes wrong in a table goes wrong between several entries.
inline std::vector<TableCommand> some_commands(int kinds) {
  const auto command = rc::gen::build<TableCommand>(
      rc::gen::set(&TableCommand::kind, rc::gen::inRange(0, kinds)),
      rc::gen::set(&TableCommand::task, rc::gen::inRange<std::uint64_t>(0, 12)),
      rc::gen::set(&TableCommand::other, rc::gen::inRange<std::uint64_t>(0, 6)),
      rc::gen::set(&TableCommand::time, rc::gen::inRange<std::int64_t>(0, 50)));
  // The ranges do not grow with the size, so only the list does.
  return *rc::gen::scale(5.0, rc::gen::container<std::vector<TableCommand>>(
                                  rc::gen::resize(rc::kNominalSize, command)));
}

/// Tasks of three sources.
inline TaskId task_of(std::uint64_t number) { return {number % 3 + 1, 1, number, 0}; }

}  // namespace framefleet::test
