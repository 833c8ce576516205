#pragma once
// What framefleet-producer says on its progress fd: one JSON object per line, here as plain values.
// Pure; a line that is no such object is an error with a text, never an exception.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace framefleet::cli {

/// How many pictures stand where. Everything but `pictures` and `stored_before` is of this run
/// alone.
struct Counters {
  std::optional<std::uint64_t> pictures;  ///< The whole plan; nothing while its end is unknown.
  std::uint64_t stored_before{0};         ///< Stored by an earlier run of the same job.
  std::uint64_t ok{0};
  std::uint64_t failed{0};
  std::uint64_t expired{0};
  std::uint64_t superseded{0};
  std::uint64_t cancelled{0};
  std::uint64_t lost{0};
  std::uint64_t rejected{0};   ///< Refused by the broker; never admitted, never stored.
  std::uint64_t in_flight{0};  ///< Submitted and not yet settled.

  /// Outcomes of this run in the store.
  std::uint64_t settled() const { return ok + failed + expired + superseded + cancelled + lost; }
  /// Ended otherwise than `ok`, in this run.
  std::uint64_t not_ok() const { return settled() - ok + rejected; }
  /// Nothing more is to be done for these.
  std::uint64_t done() const { return stored_before + settled() + rejected; }
  /// Of the plan; nothing while its end is unknown.
  std::optional<std::uint64_t> left() const {
    if (!pictures) return std::nullopt;
    return *pictures > done() ? *pictures - done() : 0;
  }

  friend bool operator==(const Counters&, const Counters&) = default;
};

struct PlanEvent {
  std::string job;
  std::optional<std::uint64_t> pictures;
  std::uint64_t skipped{0};  ///< Files of the sources that are not pictures.
  friend bool operator==(const PlanEvent&, const PlanEvent&) = default;
};

struct ProgressEvent {
  Counters counters;
  Duration elapsed{};
  friend bool operator==(const ProgressEvent&, const ProgressEvent&) = default;
};

struct TaskFailedEvent {
  std::string task;
  std::string origin;  ///< The path, or the frame of a video: what a person knows the picture by.
  std::string status;
  std::string reason;
  std::string text;
  friend bool operator==(const TaskFailedEvent&, const TaskFailedEvent&) = default;
};

struct EndEvent {
  Counters counters;
  Duration elapsed{};
  std::uint64_t submitted{0};
  std::uint64_t admitted{0};
  bool interrupted{false};
  friend bool operator==(const EndEvent&, const EndEvent&) = default;
};

using ProducerEvent = std::variant<PlanEvent, ProgressEvent, TaskFailedEvent, EndEvent>;

/// One line, without its newline. Missing counters are 0; unknown fields are ignored; an unknown
/// event, a field of another type or anything that is not an object is an error.
Result<ProducerEvent, std::string> parse_producer_event(std::string_view line);

}  // namespace framefleet::cli
