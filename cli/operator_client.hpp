#pragma once
// The operator's end of a conversation with the broker: asks one question at a time and waits for
// its report. Connects at the first question, keeps the connection, asks again when it was lost
// meanwhile (but a deed is never sent twice), and says goodbye at its end. Threads: one. Errors: 69
// with what to do, for people.

#include "cli/operator_options.hpp"

#include "shared/base/link.hpp"
#include "shared/base/operator_messages.hpp"
#include "shared/base/result.hpp"
#include "shared/transport/channel.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::cli {

/// What a report said.
struct Answer {
  Reason reason{Reason::none};
  std::string text;
  std::string document;                  ///< JSON; "" where the verb shows nothing.
  std::vector<transport::Frame> frames;  ///< dead_export: the pictures.
};

/// The address that is meant: that of the run's broker if a run is named. Errors: 66 when there is
/// no such run under way.
Result<std::string, Error> endpoint_of(const OperatorOptions& options);

/// The exit code for a refusal: 66 for not_found, 70 for what a sound client would not have asked,
/// else 69.
int exit_code_of(Reason reason);

/// Why the broker refuses, in one sentence: the reason's own text and what the broker says of it.
std::string explained(Reason reason, const std::string& text);

/// What the broker said of a deed, to stdout.
void print_answer(const Answer& answer);

class OperatorClient {
 public:
  /// Checks the address, and whether this user can reach the socket of an ipc one.
  static Result<std::unique_ptr<OperatorClient>, Error> open(const OperatorOptions& options);
  ~OperatorClient();
  OperatorClient(const OperatorClient&) = delete;
  OperatorClient& operator=(const OperatorClient&) = delete;

  /// What else a caller has to do while it waits for an answer: called every turn, says when it
  /// wants to be called again.
  using Meanwhile = std::function<Time()>;

  /// The report on `control` (its `asker` is set here). A refusal of the broker is an Answer with a
  /// reason; an Error means that there is no answer.
  Result<Answer, Error> ask(Control control, const Meanwhile& meanwhile = {});
  /// Asks without waiting for the answer: take_turn() brings it. Errors: it cannot travel (64).
  Result<void, Error> begin(Control control);
  /// One turn of the loop, until `until`, a message, or one of the descriptors: how the question
  /// that was begun ended, if it did.
  std::optional<Result<Answer, Error>> take_turn(Time until, std::span<const int> fds = {});
  /// The same as ask(), but a refusal is an Error too.
  Result<Answer, Error> demand(Control control, const Meanwhile& meanwhile = {});
  /// Keeps the connection for this long.
  void idle(Duration duration);

  /// Does what is due of the connection, without waiting; for loops that wait for something else.
  void keep_alive();
  Time next_deadline() const { return link_.next_deadline(); }

  const std::string& endpoint() const { return endpoint_; }

 private:
  using Effect = std::variant<Dial, HangUp, Send, ReleasePayload>;

  OperatorClient(std::string endpoint, Duration timeout,
                 std::unique_ptr<transport::Channel> channel);

  /// One turn of the loop, at most until `until`: the report on the open question, if it came.
  std::optional<Answer> turn(Time until, std::span<const int> fds = {});
  bool answer_can_come() const;
  std::optional<Answer> take(Message message);
  void put_question();
  /// The open question is a deed, and the connection that it was sent over is lost.
  bool deed_unanswered() const;
  void perform();
  Error no_answer() const;

  std::string endpoint_;
  Duration timeout_;
  std::unique_ptr<transport::Channel> channel_;
  Link link_;
  std::vector<Effect> effects_;
  std::optional<Control> question_;
  Time give_up_at_{kNever};                    ///< On the open question.
  std::optional<std::uint64_t> sent_at_loss_;  // link_.losses() when the question was sent
  std::uint64_t last_asker_{0};
  bool was_up_{false};
  bool troubled_{false};  // keys kept the connection from coming up, since it was up last
};

/// Asks for one deed with a connection of its own and prints what the broker says of it.
Result<int, Error> carry_out(const OperatorOptions& options, Control control);

}  // namespace framefleet::cli
