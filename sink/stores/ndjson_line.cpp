#include "sink/stores/ndjson_line.hpp"

#include "sink/stores/text.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>

namespace framefleet::sink {
namespace {

void spell(std::string& out, std::string_view text) { append_json_string(out, text); }

void spell(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void spell(std::string& out, bool value) { out += value ? "true" : "false"; }

/// Most numbers are whole, and these have one spelling.
void spell(std::string& out, double value) {
  constexpr double kWholeMax = 1e15;
  if (std::trunc(value) == value && std::abs(value) < kWholeMax) {
    spell(out, static_cast<std::int64_t>(value));
  } else {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), value);
  }
}

template <class Value>
void spell(std::string& out, const std::optional<Value>& value) {
  if (value) {
    spell(out, *value);
  } else {
    out += "null";
  }
}

/// `before` is what stands before the value: a comma or bracket, and the key.
template <class Value>
void append(std::string& out, std::string_view before, const Value& value) {
  out += before;
  spell(out, value);
}

/// `append_one(out, one)` appends the object without its opening brace.
template <class List, class AppendOne>
void append_list(std::string& out, std::string_view before, const List& list,
                 AppendOne append_one) {
  out += before;
  out += '[';
  for (const auto& one : list) {
    out += &one == list.data() ? "{" : ",{";
    append_one(out, one);
    out += '}';
  }
  out += ']';
}

void append_detection(std::string& out, const DetectionRow& row) {
  append(out, R"("label":)", row.label);
  append(out, R"(,"score":)", row.score);
  append(out, R"(,"x":)", row.x);
  append(out, R"(,"y":)", row.y);
  append(out, R"(,"width":)", row.width);
  append(out, R"(,"height":)", row.height);
  out += R"(,"extra":)";
  out += row.extra ? std::string_view(*row.extra) : "null";
}

void append_run(std::string& out, const DetectorRunRow& row) {
  append(out, R"("detector":)", row.detector);
  append(out, R"(,"version":)", row.version);
  append(out, R"(,"elapsed":)", row.elapsed);
  append_list(out, R"(,"detections":)", row.detections, append_detection);
}

void append_picture(std::string& out, const PictureRow& row) {
  append(out, R"("kind":)", row.kind);
  append(out, R"(,"path":)", row.path);
  append(out, R"(,"bytes":)", static_cast<std::int64_t>(row.bytes));
}

void append_attempt(std::string& out, const AttemptRow& row) {
  append(out, R"("attempt":)", row.attempt);
  append(out, R"(,"worker":)", row.worker);
  append(out, R"(,"reason":)", row.reason);
  append(out, R"(,"text":)", row.text);
}

}  // namespace

void append_line(std::string& out, const OutcomeRow& row) {
  append(out, R"({"task":)", row.task);
  append(out, R"(,"job":)", row.job);
  append(out, R"(,"source":)", row.source);
  append(out, R"(,"epoch":)", row.epoch);
  append(out, R"(,"sequence":)", row.sequence);
  append(out, R"(,"class":)", row.task_class);
  append(out, R"(,"origin":)", row.origin);
  append(out, R"(,"detect":)", row.detect);
  append(out, R"(,"status":)", row.status);
  append(out, R"(,"reason":)", row.reason);
  append(out, R"(,"text":)", row.text);
  append(out, R"(,"damaged":)", row.damaged);
  append(out, R"(,"attempts":)", row.attempts);
  append(out, R"(,"width":)", row.width);
  append(out, R"(,"height":)", row.height);
  append(out, R"(,"captured_at":)", row.captured_at);
  append(out, R"(,"stored_at":)", row.stored_at);
  append(out, R"(,"queued":)", row.queued);
  append(out, R"(,"leased":)", row.leased);
  append(out, R"(,"worked":)", row.worked);
  append(out, R"(,"decode":)", row.decode);
  append(out, R"(,"annotate":)", row.annotate);
  append(out, R"(,"worker":)", row.worker);
  append(out, R"(,"build":)", row.build);
  append(out, R"(,"pruned":)", row.pruned);
  append(out, R"(,"annotated":)", row.annotated);
  append(out, R"(,"revived_from":)", row.revived_from);
  append(out, R"(,"revived_as":)", row.revived_as);
  append_list(out, R"(,"detectors":)", row.runs, append_run);
  append_list(out, R"(,"pictures":)", row.pictures, append_picture);
  append_list(out, R"(,"history":)", row.history, append_attempt);
  out += "}\n";
}

}  // namespace framefleet::sink
