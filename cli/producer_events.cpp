#include "cli/producer_events.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>

namespace framefleet::cli {
namespace {

using nlohmann::json;

/// Reads the fields of one object and remembers the first that has the wrong type.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  std::uint64_t count(const char* name) { return optional_count(name).value_or(0); }

  std::optional<std::uint64_t> optional_count(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_unsigned()) return wrong(name, "a count"), std::nullopt;
    return value->get<std::uint64_t>();
  }

  std::string text(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(name, "a text"), std::string{};
    return value->get<std::string>();
  }

  bool flag(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return wrong(name, "true or false"), false;
    return value->get<bool>();
  }

  Duration seconds(const char* name) {
    constexpr double kYear = 366.0 * 24 * 3600;
    const json* value = find(name);
    if (value == nullptr) return {};
    const double number = value->is_number() ? value->get<double>() : -1;
    if (!(number >= 0 && number <= kYear)) return wrong(name, "a number of seconds"), Duration{};
    return std::chrono::round<Duration>(std::chrono::duration<double>(number));
  }

  const std::string& error() const { return error_; }

 private:
  const json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  void wrong(const char* name, const char* expected) {
    if (error_.empty()) error_ = std::string("field '") + name + "' is not " + expected;
  }

  const json& object_;
  std::string error_;
};

Counters read_counters(Fields& fields) {
  return {.pictures = fields.optional_count("pictures"),
          .stored_before = fields.count("stored_before"),
          .ok = fields.count("ok"),
          .failed = fields.count("failed"),
          .expired = fields.count("expired"),
          .superseded = fields.count("superseded"),
          .cancelled = fields.count("cancelled"),
          .lost = fields.count("lost"),
          .rejected = fields.count("rejected"),
          .in_flight = fields.count("in_flight")};
}

std::optional<ProducerEvent> read_event(const std::string& event, Fields& fields) {
  if (event == "plan") {
    return PlanEvent{.job = fields.text("job"),
                     .pictures = fields.optional_count("pictures"),
                     .skipped = fields.count("skipped")};
  }
  if (event == "progress") {
    return ProgressEvent{.counters = read_counters(fields), .elapsed = fields.seconds("elapsed_s")};
  }
  if (event == "task_failed") {
    return TaskFailedEvent{.task = fields.text("task"),
                           .origin = fields.text("origin"),
                           .status = fields.text("status"),
                           .reason = fields.text("reason"),
                           .text = fields.text("text")};
  }
  if (event == "end") {
    return EndEvent{.counters = read_counters(fields),
                    .elapsed = fields.seconds("elapsed_s"),
                    .submitted = fields.count("submitted"),
                    .admitted = fields.count("admitted"),
                    .interrupted = fields.flag("interrupted")};
  }
  return std::nullopt;
}

}  // namespace

Result<ProducerEvent, std::string> parse_producer_event(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return fail(std::string("not a JSON object"));
  Fields fields(object);
  const std::string event = fields.text("event");
  auto read = read_event(event, fields);
  if (!read) return fail("unknown event '" + event + "'");
  if (!fields.error().empty()) return fail("event '" + event + "': " + fields.error());
  return *std::move(read);
}

}  // namespace framefleet::cli
