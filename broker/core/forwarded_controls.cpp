#include "broker/core/forwarded_controls.hpp"

#include <utility>

namespace framefleet::broker {
namespace {

/// Open questions of all operators: far more than people ask at once, and one exported picture each
/// is what a broker can spare.
constexpr std::size_t kQuestionsMax = 64;

}  // namespace

bool ForwardedControls::has_room(PeerId client, const Control& control, Effects& out) const {
  if (questions_.size() < kQuestionsMax) return true;
  out.push_back(SendTo{client, Report{control.asker,
                                      Reason::sink_slow,
                                      "too many questions wait for their answers; ask again later",
                                      {}}});
  return false;
}

void ForwardedControls::ask_sink(PeerId client, const Control& control, PeerId sink, Effects& out) {
  if (!sink) {
    out.push_back(SendTo{client, Report{control.asker,
                                        Reason::no_sink,
                                        "no sink is in service, and it keeps the dead letters",
                                        {}}});
    return;
  }
  if (!has_room(client, control, out)) return;
  auto forwarded = control;
  forwarded.asker = ++numbers_;
  questions_[forwarded.asker] = {.client = client, .asker = control.asker, .sink = sink};
  out.push_back(SendTo{sink, std::move(forwarded)});
}

void ForwardedControls::ask_producers(PeerId client, const Control& control,
                                      const std::vector<Producer>& producers, Effects& out) {
  if (producers.empty()) {
    const auto text = control.name.empty() ? "no producer has cameras"
                                           : "no producer is called '" + control.name + "'";
    out.push_back(SendTo{client, Report{control.asker, Reason::not_found, text, {}}});
    return;
  }
  if (!has_room(client, control, out)) return;
  auto forwarded = control;
  forwarded.asker = ++numbers_;
  auto& question = questions_[forwarded.asker];
  question = {.client = client, .asker = control.asker, .sink = {}};
  for (const auto& producer : producers) {
    question.silent.emplace(producer.peer, producer.name);
    out.push_back(SendTo{producer.peer, forwarded});
  }
}

void ForwardedControls::note(Question& question, PeerId producer, Reason reason,
                             const std::string& text) {
  const auto silent = question.silent.extract(producer);
  if (silent.empty()) return;
  if (!question.text.empty()) question.text += "; ";
  question.text += silent.mapped() + ": " + text;
  if (question.reason == Reason::none) question.reason = reason;
}

ForwardedControls::Questions::iterator ForwardedControls::answer(Questions::iterator position,
                                                                 Effects& out) {
  auto& question = position->second;
  if (!question.silent.empty()) return std::next(position);
  out.push_back(SendTo{question.client,
                       Report{question.asker, question.reason, std::move(question.text), {}}});
  return questions_.erase(position);
}

void ForwardedControls::heard(PeerId from, const Report& report, Effects& out) {
  const auto position = questions_.find(report.asker);
  if (position != questions_.end() && position->second.sink == from) {
    auto forwarded = report;
    forwarded.asker = position->second.asker;
    out.push_back(SendTo{position->second.client, std::move(forwarded)});
    questions_.erase(position);
  } else if (position != questions_.end() && !position->second.sink) {
    note(position->second, from, report.reason, report.text);
    answer(position, out);
  }
  if (report.payload.id) out.push_back(ReleasePayload{report.payload.id});
}

void ForwardedControls::forget(PeerId peer, Effects& out) {
  for (auto position = questions_.begin(); position != questions_.end();) {
    auto& question = position->second;
    if (question.client == peer) {
      position = questions_.erase(position);
    } else if (question.sink == peer) {
      question.reason = Reason::no_sink;
      question.text = "the sink left before it answered";
      position = answer(position, out);
    } else if (question.silent.contains(peer)) {
      note(question, peer, Reason::not_found, "it left before it answered");
      position = answer(position, out);
    } else {
      ++position;
    }
  }
}

}  // namespace framefleet::broker
