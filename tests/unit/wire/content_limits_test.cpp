// The caps of the two documents that travel inside messages: task description and result record.

#include "tests/support/catch.hpp"
#include "tests/unit/wire/tree.hpp"

#include "shared/wire/codec.hpp"

#include <limits>
#include <span>

using namespace framefleet;
using namespace framefleet::test;
using Kind = wire::CodecError::Kind;

namespace {

/// "" if it may travel, else why not.
std::string refusal(const TaskDescription& task) {
  const auto bytes = wire::encode_task(task);
  return bytes ? "" : bytes.error().text;
}

std::string refusal(const ResultRecord& record) {
  const auto bytes = wire::encode_record(record);
  return bytes ? "" : bytes.error().text;
}

}  // namespace

TEST_CASE("a task description has its caps") {
  CHECK(refusal(TaskDescription{}) == "");
  TaskDescription task;
  task.captured_at_ms = -1;
  CHECK(refusal(task) == "task.captured_at_ms: is negative");
  task.captured_at_ms = 253'402'300'800'000;
  CHECK(refusal(task) == "task.captured_at_ms: 253402300800000 is over 253402300799999");
  task.captured_at_ms = 0;
  task.detect.assign(65, "d");
  CHECK(refusal(task) == "task.detect: 65 items, over 64");
  task.detect = {std::string(1025, 'd')};
  CHECK(refusal(task) == "task.detect[0]: 1025 bytes, over 1024");
  task.detect.assign(8, std::string(1024, 'd'));
  CHECK(wire::encode_task(task).error() ==
        wire::CodecError{Kind::too_large, "task: over 8192 bytes"});
  task.detect.clear();
  task.origin = "bad \xFF name";
  CHECK(wire::decode_task(*wire::encode_task(task))->origin == "bad \xEF\xBF\xBD name");
}

TEST_CASE("a result record has its caps, and its numbers are numbers") {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  const auto with_detection = [](const Detection& detection) {
    ResultRecord record;
    record.reports = {{"faces", "1", {}, {detection}}};
    return record;
  };
  CHECK(refusal(with_detection({"face", 1, {}, ""})) == "");
  CHECK(refusal(with_detection({"face", kNone, {}, ""})) ==
        "record.reports[0].detections[0].score: is not a finite number");
  CHECK(refusal(with_detection({"face", kInfinite, {}, ""})) ==
        "record.reports[0].detections[0].score: is not a finite number");
  CHECK(refusal(with_detection({"face", 1, {0, 0, -kInfinite, 0}, ""})) ==
        "record.reports[0].detections[0].box: is not a finite number");
  CHECK(refusal(with_detection({"face", 1, {}, std::string(4097, 'x')})) ==
        "record.reports[0].detections[0].extra: 4097 bytes, over 4096");

  ResultRecord record;
  for (const char* kind : {"", "../etc", "a/b", "Upper", ".", "a b"}) {
    record.artefacts = {{kind, "jpg"}};
    CHECK_THAT(refusal(record), Catch::StartsWith("record.artefacts[0].kind: is not 1 to 32"));
  }
  record.artefacts.assign(16, {"annotated", "jpg"});
  CHECK(refusal(record) == "record.artefacts: 16 items, over 15");

  record = with_detection({"face", 1, {}, ""});
  record.reports[0].detections.resize(24'000);
  CHECK(wire::encode_record(record).error() ==
        wire::CodecError{Kind::too_large, "record: over 262144 elements"});
  record.reports[0].detections.assign(2'000, {"face", 1, {}, std::string(4000, 'x')});
  CHECK(wire::encode_record(record).error() ==
        wire::CodecError{Kind::too_large, "record: over 4194304 bytes"});
}

TEST_CASE("scores and boxes may come as any number that a float can hold") {
  const auto score = [](Tree value) {
    const auto bytes = pack(map(
        {text("version"), whole(1), text("width"), whole(1), text("height"), whole(1),
         text("decode_us"), whole(1), text("reports"),
         list(
             {map({text("detector"), text("d"), text("version"), text(""), text("elapsed_us"),
                   whole(0), text("detections"),
                   list({map({text("label"), text(""), text("score"), std::move(value), text("box"),
                              list({whole(1), negative(-2), real(0.5), whole(4)})})})})})}));
    const auto record = wire::decode_record(std::as_bytes(std::span(bytes)));
    if (!record) return record.error().text;
    return std::to_string(record->reports[0].detections[0].score);
  };
  CHECK(score(whole(1)) == "1.000000");
  CHECK(score(negative(-3)) == "-3.000000");
  CHECK(score(real(0.25)) == "0.250000");
  const auto refused = "record.reports[0].detections[0].score: is not a finite number";
  CHECK(score(real(1e39)) == refused);
  CHECK(score(real(std::numeric_limits<double>::infinity())) == refused);
  CHECK(score(real(std::numeric_limits<double>::quiet_NaN())) == refused);
}
