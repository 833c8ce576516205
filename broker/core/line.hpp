#pragma once
// A line of things that know their neighbours in it: whoever stands in it takes no memory for that.
// Links, owns nothing. Not thread-safe.

#include <utility>

namespace framefleet::broker {

/// `Before`, `Behind`: where a thing keeps its neighbours; null while it stands in no such line.
template <class Thing, Thing* Thing::*Before, Thing* Thing::*Behind>
class Line {
 public:
  Thing* first() const { return first_; }
  Thing* last() const { return last_; }
  bool empty() const { return first_ == nullptr; }

  void push_back(Thing& thing) { insert_behind(last_, thing); }
  /// Null: to the front. Requires: `thing` stands in no such line.
  void insert_behind(Thing* earlier, Thing& thing) {
    Thing* const later = earlier == nullptr ? first_ : earlier->*Behind;
    thing.*Before = earlier;
    thing.*Behind = later;
    (earlier == nullptr ? first_ : earlier->*Behind) = &thing;
    (later == nullptr ? last_ : later->*Before) = &thing;
  }
  /// Requires: it stands in this line.
  void remove(Thing& thing) {
    Thing* const earlier = std::exchange(thing.*Before, nullptr);
    Thing* const later = std::exchange(thing.*Behind, nullptr);
    (earlier == nullptr ? first_ : earlier->*Behind) = later;
    (later == nullptr ? last_ : later->*Before) = earlier;
  }

 private:
  Thing* first_{nullptr};
  Thing* last_{nullptr};
};

}  // namespace framefleet::broker
