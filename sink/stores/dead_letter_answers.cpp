#include "sink/stores/dead_letter_answers.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/detector_list.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace framefleet::sink {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kRowsDefault = 1000;
/// Of a purge: each transaction is short, whatever the number of letters.
constexpr std::size_t kLettersPerTransaction = 256;
/// Of one answer to a purge: nothing else is stored meanwhile.
constexpr std::uint64_t kPurgedLettersMax = 4096;
constexpr std::uint64_t kPurgedBytesMax = std::uint64_t{256} << 20U;
/// Of a document; a store of larger ones is asked with SQL.
constexpr std::uint64_t kDocumentBytesMax = std::uint64_t{64} << 20U;
/// Payload frames of a report, the document among them.
constexpr std::size_t kFramesMax = 16;
/// Tasks that a text for people names.
constexpr std::size_t kNamedMax = 4;

constexpr std::string_view kLetter =
    "SELECT o.id, o.task, o.source, o.origin, o.job, o.class, o.reason, o.text, o.attempts, "
    "o.stored_at, "
    "(SELECT coalesce(sum(length(bytes)), 0) FROM dead_letter_rows WHERE outcome = o.id), "
    "(SELECT coalesce(sum(bytes_dropped), 0) FROM dead_letter_rows WHERE outcome = o.id), "
    "o.revived_from, o.revived_as, o.detect, o.annotated, o.captured_at, "
    "coalesce(strftime('%s', o.captured_at) * 1000 + substr(o.captured_at, 21, 3), 0), "
    "o.worker, o.build FROM outcomes o ";
enum Column : int {
  kId,
  kTask,
  kSource,
  kOrigin,
  kJob,
  kClass,
  kReason,
  kText,
  kAttempts,
  kStoredAt,
  kBytes,
  kBytesDropped,
  kRevivedFrom,
  kRevivedAs,
  kDetect,
  kAnnotated,
  kCapturedAt,
  kCapturedAtMs,
  kWorker,
  kBuild,
};

std::uint64_t count_at(const Statement& row, int column) {
  return static_cast<std::uint64_t>(row.integer(column));
}

std::string spelled(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string letters_text(std::uint64_t count) {
  return fmt::format("{} dead letter{}", count, count == 1 ? "" : "s");
}

ControlAnswer answer_of(Reason reason, std::string text) { return {reason, std::move(text), {}}; }

}  // namespace

/// {"dead_letters":[…],"total":N,"bytes":N}, row by row, so that only its text is in memory.
class DeadLetterAnswers::Document {
 public:
  explicit Document(std::uint64_t frame_bytes_max)
      : bytes_max_(std::min(frame_bytes_max, kDocumentBytesMax)) {}

  /// A row that does not fit is left out, as are all after it.
  void add(const Json& row) {
    const auto text = spelled(row);
    full_ = full_ || text_.size() + text.size() + kEndBytes > bytes_max_;
    if (full_) return;
    if (count_++ > 0) text_ += ',';
    text_ += text;
  }
  std::uint64_t count() const { return count_; }
  bool full() const { return full_; }
  std::string finish(const DeadLetterTotals& totals) && {
    text_ += fmt::format(R"(],"total":{},"bytes":{}}})", totals.letters, totals.bytes);
    return std::move(text_);
  }

 private:
  static constexpr std::size_t kEndBytes = 64;

  const std::uint64_t bytes_max_;
  std::string text_{R"({"dead_letters":[)"};
  std::uint64_t count_{0};
  bool full_{false};
};

DeadLetterAnswers::DeadLetterAnswers(Database& database, DeadLetters& letters)
    : database_(database),
      letters_(letters),
      newest_(database, std::string(kLetter) +
                            "INDEXED BY failed_outcomes WHERE o.status = 'failed' AND o.pruned = 0 "
                            "ORDER BY o.id DESC LIMIT ?1"),
      one_(database,
           std::string(kLetter) + "WHERE o.task = ?1 AND o.status = 'failed' AND o.pruned = 0"),
      history_(database,
               "SELECT attempt, worker, reason, text FROM attempt_rows WHERE outcome = ?1 "
               "ORDER BY id"),
      frames_(database,
              "SELECT bytes FROM dead_letter_rows WHERE outcome = ?1 AND bytes IS NOT NULL "
              "ORDER BY frame"),
      ended_as_(database, "SELECT status FROM outcomes WHERE task = ?1") {}

bool DeadLetterAnswers::usable() const {
  return newest_.usable() && one_.usable() && history_.usable() && frames_.usable() &&
         ended_as_.usable();
}

DeadLetterAnswers::Answer DeadLetterAnswers::answer(const Control& control,
                                                    std::uint64_t frame_bytes_max) {
  switch (control.verb) {
    case ControlVerb::dead_list:
      return control.tasks.empty() ? list(control.limit, frame_bytes_max)
                                   : show(control.tasks, Detail::row, frame_bytes_max);
    case ControlVerb::dead_show:
      return show(control.tasks, Detail::full, frame_bytes_max);
    case ControlVerb::dead_export:
      return export_one(control.tasks, frame_bytes_max);
    case ControlVerb::dead_purge:
      return control.tasks.empty() ? purge_all() : purge(control.tasks);
    case ControlVerb::status:
    case ControlVerb::workers:
    case ControlVerb::sources:
    case ControlVerb::jobs:
    case ControlVerb::drain_worker:
    case ControlVerb::drain_idlest:
    case ControlVerb::drain_broker:
    case ControlVerb::pause:
    case ControlVerb::resume:
    case ControlVerb::reload_sources:
    case ControlVerb::cancel_job:
    case ControlVerb::cancel_task:
      break;
  }
  return answer_of(Reason::malformed, "a store knows about dead letters alone");
}

DeadLetterAnswers::Answer DeadLetterAnswers::list(std::uint64_t limit,
                                                  std::uint64_t frame_bytes_max) {
  Document document(frame_bytes_max);
  bool done = newest_.start(limit == 0 ? kRowsDefault : limit);
  while (done && !document.full() && newest_.next()) done = add(document, newest_, Detail::row);
  done = done && !newest_.failed();
  newest_.reset();
  if (!done) return fail(database_.failure());
  const auto totals = letters_.totals();
  auto text = letters_text(totals.letters);
  if (document.count() < totals.letters) {
    text = fmt::format("the newest {} of {}", document.count(), text);
    if (document.full()) text += "; more do not fit into one answer";
  }
  ControlAnswer answer = answer_of(Reason::none, std::move(text));
  answer.frames.push_back(std::move(document).finish(totals));
  return answer;
}

DeadLetterAnswers::Answer DeadLetterAnswers::show(const std::vector<TaskId>& tasks, Detail detail,
                                                  std::uint64_t frame_bytes_max) {
  if (tasks.empty()) return answer_of(Reason::malformed, "name the tasks to show");
  Document document(frame_bytes_max);
  std::vector<TaskId> missing;
  for (const auto& task : tasks) {
    const auto letter = find(task, &document, detail);
    if (!letter) return fail(database_.failure());
    if (letter->outcome == 0) missing.push_back(task);
  }
  auto absent = why_none(missing);
  if (!absent) return fail(database_.failure());
  if (missing.size() == tasks.size()) return answer_of(Reason::not_found, std::move(*absent));
  auto text = letters_text(document.count());
  if (document.full()) text += "; more do not fit into one answer";
  if (!absent->empty()) text += "; " + *absent;
  ControlAnswer answer = answer_of(Reason::none, std::move(text));
  answer.frames.push_back(std::move(document).finish(letters_.totals()));
  return answer;
}

DeadLetterAnswers::Answer DeadLetterAnswers::export_one(const std::vector<TaskId>& tasks,
                                                        std::uint64_t frame_bytes_max) {
  if (tasks.size() != 1) return answer_of(Reason::malformed, "name the one task to export");
  const auto id = to_string(tasks.front());
  Document document(frame_bytes_max);
  const auto letter = find(tasks.front(), &document, Detail::full);
  if (!letter) return fail(database_.failure());
  if (letter->outcome == 0) {
    auto absent = why_none(tasks);
    if (!absent) return fail(database_.failure());
    return answer_of(Reason::not_found, std::move(*absent));
  }
  const bool cut = document.full();
  ControlAnswer answer;
  answer.frames.push_back(std::move(document).finish(letters_.totals()));
  if (!read_frames(letter->outcome, answer.frames)) return fail(database_.failure());
  if (answer.frames.size() == 1) {
    return answer_of(Reason::not_found,
                     letter->bytes_dropped == 0
                         ? id + " failed without a picture"
                         : fmt::format("the picture of {} is not kept any more: {} bytes were "
                                       "dropped by the cap or a purge",
                                       id, letter->bytes_dropped));
  }
  const bool fits = !cut && answer.frames.size() <= kFramesMax &&
                    std::all_of(answer.frames.begin(), answer.frames.end(),
                                [&](const auto& frame) { return frame.size() <= frame_bytes_max; });
  if (fits) return answer;
  return answer_of(Reason::too_large_payload,
                   "the dead letter " + id + " is larger than what the broker takes now");
}

/// `next` gives outcomes until 0; nothing: an error.
template <class Next>
DeadLetterAnswers::Answer DeadLetterAnswers::drop_each(Next next) {
  std::uint64_t letters = 0;
  std::uint64_t bytes = 0;
  bool more = true;
  const auto has_room = [&] { return letters < kPurgedLettersMax && bytes < kPurgedBytesMax; };
  while (more && has_room()) {
    Transaction transaction(database_);
    if (!transaction.begin()) return fail(database_.failure());
    letters_.begin();
    for (std::size_t i = 0; has_room() && i < kLettersPerTransaction; ++i) {
      const auto outcome = next();
      if (!outcome) return fail(database_.failure());
      more = *outcome != 0;
      if (!more) break;
      const auto dropped = letters_.drop(*outcome);
      if (!dropped) return fail(database_.failure());
      if (*dropped > 0) ++letters;
      bytes += *dropped;
    }
    if (!transaction.commit()) return fail(database_.failure());
    letters_.committed();
    database_.return_pages();
    if (!database_.checkpoint_if_grown()) return fail(database_.failure());
  }
  auto text = fmt::format("dropped the pictures of {}, {} bytes", letters_text(letters), bytes);
  const auto left = more ? letters_.totals().bytes : 0;
  if (left > 0) text += fmt::format("; {} bytes are still kept: purge again", left);
  return answer_of(Reason::none, std::move(text));
}

DeadLetterAnswers::Answer DeadLetterAnswers::purge(const std::vector<TaskId>& tasks) {
  std::vector<std::int64_t> outcomes;
  std::vector<TaskId> missing;
  for (const auto& task : tasks) {
    const auto letter = find(task, nullptr, Detail::row);
    if (!letter) return fail(database_.failure());
    if (letter->outcome == 0) {
      missing.push_back(task);
    } else {
      outcomes.push_back(letter->outcome);
    }
  }
  const auto absent = why_none(missing);
  if (!absent) return fail(database_.failure());
  if (outcomes.empty()) return answer_of(Reason::not_found, *absent);
  std::size_t next = 0;
  auto answer = drop_each([&]() -> std::optional<std::int64_t> {
    return next < outcomes.size() ? outcomes[next++] : 0;
  });
  if (answer && !absent->empty()) answer->text += "; " + *absent;
  return answer;
}

DeadLetterAnswers::Answer DeadLetterAnswers::purge_all() {
  return drop_each([this] { return letters_.oldest_kept(); });
}

bool DeadLetterAnswers::add(Document& document, Statement& row, Detail detail) {
  Json letter{{"task", row.text(kTask)},
              {"source", row.text(kSource)},
              {"origin", row.text(kOrigin)},
              {"job", row.text(kJob)},
              {"class", row.text(kClass)},
              {"reason", row.text(kReason)},
              {"text", row.text(kText)},
              {"attempts", count_at(row, kAttempts)},
              {"stored_at", row.text(kStoredAt)},
              {"bytes", count_at(row, kBytes)},
              {"bytes_dropped", count_at(row, kBytesDropped)},
              {"revived_from", row.text(kRevivedFrom)},
              {"revived_as", row.text(kRevivedAs)}};
  if (detail == Detail::full) {
    letter["detect"] = split_detectors(row.text(kDetect));
    letter["annotate"] = row.integer(kAnnotated) != 0;
    letter["captured_at"] = row.text(kCapturedAt);
    letter["captured_at_ms"] = count_at(row, kCapturedAtMs);
    letter["worker"] = row.text(kWorker);
    letter["build"] = row.text(kBuild);
    auto& history = letter["history"] = Json::array();
    bool done = history_.start(row.integer(kId));
    while (done && history_.next()) {
      history.push_back({{"attempt", count_at(history_, 0)},
                         {"worker", history_.text(1)},
                         {"reason", history_.text(2)},
                         {"text", history_.text(3)}});
    }
    done = done && !history_.failed();
    history_.reset();
    if (!done) return false;
  }
  document.add(letter);
  return true;
}

bool DeadLetterAnswers::read_frames(std::int64_t outcome, std::vector<std::string>& frames) {
  bool done = frames_.start(outcome);
  while (done && frames_.next()) frames.emplace_back(frames_.text(0));
  done = done && !frames_.failed();
  frames_.reset();
  return done;
}

std::optional<std::string> DeadLetterAnswers::why_none(std::span<const TaskId> missing) {
  std::string text;
  for (const auto& task : missing.first(std::min(missing.size(), kNamedMax))) {
    const auto id = to_string(task);
    if (!ended_as_.start(id)) return std::nullopt;
    if (!text.empty()) text += "; ";
    if (!ended_as_.next()) {
      text += "the store has no row of " + id;
    } else if (ended_as_.text(0) == "failed") {
      text += "retention has removed the dead letter of " + id;
    } else {
      text += fmt::format("{} is no dead letter but {}", id, ended_as_.text(0));
    }
    const bool failed = ended_as_.failed();
    ended_as_.reset();
    if (failed) return std::nullopt;
  }
  if (missing.size() > kNamedMax) {
    text += fmt::format("; and {} more", missing.size() - kNamedMax);
  }
  return text;
}

std::optional<DeadLetterAnswers::Letter> DeadLetterAnswers::find(const TaskId& task,
                                                                 Document* document,
                                                                 Detail detail) {
  const auto id = to_string(task);
  Letter letter;
  bool done = one_.start(id);
  if (done && one_.next()) {
    letter = {one_.integer(kId), count_at(one_, kBytesDropped)};
    done = document == nullptr || add(*document, one_, detail);
  }
  done = done && !one_.failed();
  one_.reset();
  return done ? std::optional(letter) : std::nullopt;
}

}  // namespace framefleet::sink
