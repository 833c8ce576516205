#pragma once
// Messages of every type by a recipe: each one that the wire carries, with names, ids and leases of
// a world so small that they meet. Forged ones are among them: sources of others, leases of other
// brokers, ids that nobody made.
//
// Invariants: wire::encode takes what is made (fuzz_messages asserts it). Threads: one.

#include "tests/fuzz/recipe.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::test {

/// Of the broker that the messages are for; leases of the one before and of the next are made too.
inline constexpr std::uint32_t kMadeIncarnation = 5;

/// The alternative of Message that `type` counts to, modulo their number.
Message made_message(Recipe& recipe, std::size_t type);

TaskId made_task_id(Recipe& recipe);
/// Names of workers, sinks, producers, jobs.
std::string made_name(Recipe& recipe);

/// Sizes of the payload frames of a message whose entries have `frames` and no bytes yet: fills the
/// latter in, and answers all of them in order.
std::vector<std::uint64_t> give_frames(Recipe& recipe, Message& message);

/// How many messages of each type were seen, by alternative; printed when the process ends.
class Census {
 public:
  explicit Census(std::string title) : title_(std::move(title)) {}
  ~Census();
  Census(const Census&) = delete;
  Census& operator=(const Census&) = delete;
  void saw(const Message& message) { ++counts_[message.index()]; }

 private:
  std::string title_;
  std::uint64_t counts_[std::variant_size_v<Message>]{};
};

}  // namespace framefleet::test
