#pragma once
// Operators' questions that others answer: the sink those about dead letters, producers the one to
// read their cameras again. The broker asks under a number of its own, and hands the answer on; of
// several producers it waits for all and makes one answer of theirs. Takes events, appends effects.
// Threads: one.

#include "broker/core/effects.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace framefleet::broker {

class ForwardedControls {
 public:
  struct Producer {
    PeerId peer;
    std::string name;
  };

  /// `sink`: none while none is in service.
  void ask_sink(PeerId client, const Control& control, PeerId sink, Effects& out);
  void ask_producers(PeerId client, const Control& control, const std::vector<Producer>& producers,
                     Effects& out);
  void heard(PeerId from, const Report& report, Effects& out);
  /// Of a client that left nobody waits for the answer; of others that left none will come.
  void forget(PeerId peer, Effects& out);

 private:
  struct Question {
    PeerId client;
    std::uint64_t asker{0};                // what the client called it
    PeerId sink;                           // none: it is the producers' to answer
    std::map<PeerId, std::string> silent;  // producers by name, as long as they say nothing
    Reason reason{Reason::none};           // of the first that could not
    std::string text{};                    // of all that answered
  };
  using Questions = std::map<std::uint64_t, Question>;

  bool has_room(PeerId client, const Control& control, Effects& out) const;
  static void note(Question& question, PeerId producer, Reason reason, const std::string& text);
  /// Once all have spoken.
  Questions::iterator answer(Questions::iterator question, Effects& out);

  Questions questions_;  // by the number that we ask under
  std::uint64_t numbers_{0};
};

}  // namespace framefleet::broker
