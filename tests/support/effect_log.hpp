#pragma once
// What a core of a client wanted done, by type: the base of the fixtures that drive one.

#include "shared/base/effects.hpp"

#include <variant>
#include <vector>

namespace framefleet::test {

template <class Effects>
struct EffectLog {
  /// The effects of this type since they were cleared, in order.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& effect : effects) {
      if (const auto* one = std::get_if<T>(&effect)) found.push_back(*one);
    }
    return found;
  }
  /// The messages of this type that were to be sent.
  template <class T>
  std::vector<T> sent() const {
    std::vector<T> found;
    for (const auto& send : all<Send>()) {
      if (const auto* message = std::get_if<T>(&send.message)) found.push_back(*message);
    }
    return found;
  }

  Effects effects;
};

}  // namespace framefleet::test
