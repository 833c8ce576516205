#pragma once
// What operators are told about dead letters, and what becomes of them on demand: list, show,
// export, purge (docs/OPERATIONS.md has the documents' keys). Threads, lifetime: those of the
// database. Errors: StoreError for the database's own; what an operator got wrong is an answer with
// a reason.

#include "sink/stores/dead_letters.hpp"
#include "sink/stores/result_store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace framefleet::sink {

class DeadLetterAnswers {
 public:
  /// Both outlive this object.
  DeadLetterAnswers(Database& database, DeadLetters& letters);

  bool usable() const;
  /// Requires: no transaction is open. No frame of the answer is longer than `frame_bytes_max`: a
  /// document ends earlier, and the text says so; a larger picture is not exported.
  Result<ControlAnswer, StoreError> answer(const Control& control, std::uint64_t frame_bytes_max);

 private:
  class Document;
  struct Letter {
    std::int64_t outcome{0};  ///< outcomes.id; 0: there is none.
    std::uint64_t bytes_dropped{0};
  };
  enum class Detail : std::uint8_t { row, full };
  using Answer = Result<ControlAnswer, StoreError>;

  Answer list(std::uint64_t limit, std::uint64_t frame_bytes_max);
  Answer show(const std::vector<TaskId>& tasks, Detail detail, std::uint64_t frame_bytes_max);
  Answer export_one(const std::vector<TaskId>& tasks, std::uint64_t frame_bytes_max);
  Answer purge(const std::vector<TaskId>& tasks);
  Answer purge_all();

  /// Adds the letter that `row` stands at. False: an error.
  bool add(Document& document, Statement& row, Detail detail);
  /// Appends the frames of a letter; none where they are not kept. False: an error.
  bool read_frames(std::int64_t outcome, std::vector<std::string>& frames);
  /// Why these are no dead letters, for people; "" for none of them. Nothing: an error.
  std::optional<std::string> why_none(std::span<const TaskId> missing);
  /// The dead letter of a task, added to the document if there is one. Nothing: an error.
  std::optional<Letter> find(const TaskId& task, Document* document, Detail detail);
  /// A bounded number of them; what is left is said.
  template <class Next>
  Answer drop_each(Next next);

  Database& database_;
  DeadLetters& letters_;
  Statement newest_;
  Statement one_;
  Statement history_;
  Statement frames_;
  Statement ended_as_;
};

}  // namespace framefleet::sink
