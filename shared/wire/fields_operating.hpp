#pragma once
// The keys of the messages between an operator, the broker and the sink (docs/PROTOCOL.md
// section 9).

#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"

namespace framefleet::wire {

template <class V, Of<Control> M>
void fields(V& v, M& m) {
  v.may("asker", m.asker, kAsker);
  v.must("verb", m.verb);
  v.may("name", m.name, Text{});
  v.may("tasks", m.tasks, ListOf<>{kControlTasksMax});
  v.may("limit", m.limit, Range{});
  v.may("names", m.names, ListOf<Text>{kControlTasksMax, Text{.bytes_min = 1}});
}

template <class V, Of<Report> M>
void fields(V& v, M& m) {
  v.may("asker", m.asker, kAsker);
  v.may("reason", m.reason);
  v.may("text", m.text, Prose{});
  v.payload(m.payload);
}

}  // namespace framefleet::wire
