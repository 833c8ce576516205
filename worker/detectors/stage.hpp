#pragma once
// What a worker is doing with a picture right now: the words in which a pool thread tells its
// owner, who holds each stage to its time budget.

#include <cstdint>
#include <string_view>

namespace framefleet::worker {

enum class Stage : std::uint8_t { decode, detect, annotate };
std::string_view to_string(Stage stage);

/// Told of every stage as it begins, by the thread that works; asked by it whether to go on.
class StageObserver {
 public:
  virtual ~StageObserver() = default;
  /// `detector`: its name in Stage::detect, else empty; valid during the call.
  virtual void entered(Stage stage, std::string_view detector) = 0;
  /// True when nobody waits for the answer any more: asked between stages and by what waits.
  virtual bool abandoned() const = 0;
};

/// For callers without a clock to keep (tests, tools).
class NoObserver final : public StageObserver {
 public:
  void entered(Stage, std::string_view) override {}
  bool abandoned() const override { return false; }
};

}  // namespace framefleet::worker
