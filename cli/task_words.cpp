#include "cli/task_words.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::cli {

Result<std::vector<TaskId>, Error> parse_tasks(const std::vector<std::string>& words) {
  std::vector<TaskId> tasks;
  for (const auto& word : words) {
    const auto task = parse_task_id(word);
    if (!task) {
      return fail(Error{fmt::format("'{}' is no id of a task, as in 0123456789abcdef-1-42", word),
                        exit_code::kUsage});
    }
    tasks.push_back(*task);
  }
  return tasks;
}

Result<int, Error> carry_out_for(const OperatorOptions& options, ControlVerb verb,
                                 const std::vector<TaskId>& tasks) {
  constexpr std::size_t kTasksAtOnce = 256;  // far below what a header holds
  FRAMEFLEET_ASSERT(!tasks.empty());
  auto client = OperatorClient::open(options);
  if (!client) return fail(std::move(client.error()));
  for (std::size_t from = 0; from < tasks.size(); from += kTasksAtOnce) {
    const auto begin = tasks.begin() + static_cast<std::ptrdiff_t>(from);
    const auto count = std::min(kTasksAtOnce, tasks.size() - from);
    Control control;
    control.verb = verb;
    control.tasks.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    auto answer = (*client)->demand(std::move(control));
    if (!answer) return fail(std::move(answer.error()));
    print_answer(*answer);
  }
  return exit_code::kOk;
}

}  // namespace framefleet::cli
