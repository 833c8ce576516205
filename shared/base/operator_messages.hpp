#pragma once
// How an operator looks at the fleet and steers it: one question, one report (docs/PROTOCOL.md,
// "Operating"). Questions about dead letters go on to the sink. Plain values.

#include "shared/base/reason.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/task_messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

enum class ControlVerb : std::uint8_t {
  status,
  workers,
  sources,
  jobs,
  drain_worker,  ///< `name`: every worker of that name finishes and leaves.
  drain_idlest,  ///< The same for `limit` workers of the broker's choice, among `names`.
  drain_broker,
  pause,   ///< Nothing is assigned; of the source `name` alone where one is given.
  resume,  ///< The inverse of `pause` with the same `name`.
  cancel_job,
  cancel_task,
  dead_list,
  dead_show,
  dead_export,
  dead_purge,
  reload_sources,  ///< Producers, those called `name`, read their cameras again.
};
inline constexpr std::size_t kControlVerbCount = 16;
std::string_view to_string(ControlVerb verb);
/// Whether a verb changes something: it is written down, and matters how often it is carried out.
bool is_deed(ControlVerb verb);

/// client → broker, and on to the sink for the verbs about dead letters, to producers for
/// reload_sources.
struct Control {
  std::uint64_t asker{0};  ///< Chosen by the client; the broker sets its own when it asks the sink.
  ControlVerb verb{ControlVerb::status};
  std::string name;           ///< Of a worker, a source or a job; "": all, where a verb allows it.
  std::vector<TaskId> tasks;  ///< cancel_task, dead_*: which; dead_list, dead_purge: none is all.
  /// dead_list: rows at most, the newest; 0: 1000. drain_idlest: workers; 0: one.
  std::uint64_t limit{0};
  std::vector<std::string> names{};  ///< drain_idlest: of workers to choose from; none: all.
  friend bool operator==(const Control&, const Control&) = default;
};

/// The answer. Payload frame 0 is a JSON document, for verbs that show something; dead_export adds
/// the payload frames of the dead letter.
struct Report {
  std::uint64_t asker{0};
  Reason reason{Reason::none};  ///< none: done.
  std::string text;             ///< For people: what was done, or why not.
  Payload payload;
  friend bool operator==(const Report&, const Report&) = default;
};

}  // namespace framefleet
