#pragma once
// The row of one outcome with the rows that belong to it, as the tables have them: what is bound to
// statements and what a line of results.ndjson is spelled from. Text is clean (text.hpp), numbers
// are those that SQLite gives back. Values only; knows no database.

#include "sink/stores/result_store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::sink {

/// A picture of an outcome that is on disk already.
struct PictureRow {
  std::string kind;
  std::string path;
  std::uint64_t bytes{0};
};

/// Numbers that are not finite are not kept.
struct DetectionRow {
  std::string label;
  std::optional<double> score;
  std::optional<double> x;
  std::optional<double> y;
  std::optional<double> width;
  std::optional<double> height;
  std::optional<std::string> extra;  ///< A JSON object without line breaks.
};

struct DetectorRunRow {
  std::string detector;
  std::string version;
  double elapsed{0};  ///< Seconds, as all durations here.
  std::vector<DetectionRow> detections;
};

struct AttemptRow {
  std::int64_t attempt{0};
  std::string worker;
  std::string reason;
  std::string text;
};

struct OutcomeRow {
  std::int64_t id{0};  ///< 0: not inserted yet.
  std::string task;
  std::string job;
  std::string source;
  std::int64_t epoch{0};
  std::int64_t sequence{0};
  std::string task_class;
  std::string origin;
  std::string detect;
  std::string status;
  std::string reason;
  std::string text;
  bool damaged{false};
  std::int64_t attempts{0};
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  std::optional<std::string> captured_at;
  std::string stored_at;
  double queued{0};
  double leased{0};
  std::optional<double> worked;
  std::optional<double> decode;
  std::optional<double> annotate;
  std::string worker;
  std::string build;
  bool pruned{false};
  bool annotated{false};
  std::optional<std::string> revived_from;
  std::optional<std::string> revived_as;
  std::vector<DetectorRunRow> runs;
  std::vector<PictureRow> pictures;
  std::vector<AttemptRow> history;
};

/// No text that a peer made is longer in the tables; what a dead letter asked for is never cut.
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kDetectBytesMax = 8192;

/// A name as the tables have it: clean, and cut to kNameBytesMax.
std::string name_text(std::string_view given);

/// What is to be inserted for an outcome, but for its `id` and for `extra` of its detections, which
/// is clean text and perhaps no JSON yet.
OutcomeRow row_of(const OutcomeToStore& given, const std::string& stored_at,
                  std::span<const PictureRow> pictures);

}  // namespace framefleet::sink
