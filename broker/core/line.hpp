#pragma once
// A line of things that know their neighbours in it: whoever stands in it takes no memory for that.
// Links, owns nothing. Not thread-safe.

#include <utility>

namespace framefleet::broker {

/// `kBefore`, `kBehind`: where a thing keeps its neighbours; null while it stands in no such line.
template <class Thing, Thing* Thing::*kBefore, Thing* Thing::*kBehind>
class Line {
 public:
  Thing* first() const { return first_; }
  Thing* last() const { return last_; }
  bool empty() const { return first_ == nullptr; }

  void push_back(Thing& thing) { insert_behind(last_, thing); }
  /// Null: to the front. Requires: `thing` stands in no such line.
  void insert_behind(Thing* earlier, Thing& thing) {
    Thing* const later = earlier == nullptr ? first_ : earlier->*kBehind;
    thing.*kBefore = earlier;
    thing.*kBehind = later;
    (earlier == nullptr ? first_ : earlier->*kBehind) = &thing;
    (later == nullptr ? last_ : later->*kBefore) = &thing;
  }
  /// Requires: it stands in this line.
  void remove(Thing& thing) {
    Thing* const earlier = std::exchange(thing.*kBefore, nullptr);
    Thing* const later = std::exchange(thing.*kBehind, nullptr);
    (earlier == nullptr ? first_ : earlier->*kBehind) = later;
    (later == nullptr ? last_ : later->*kBefore) = earlier;
  }

 private:
  Thing* first_{nullptr};
  Thing* last_{nullptr};
};

}  // namespace framefleet::broker
