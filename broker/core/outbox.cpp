#include "broker/core/outbox.hpp"

#include "shared/base/joining.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {

void Outbox::add(SendTo&& message) {
  const auto far = std::min(messages_.size(), kLookBack);
  const auto back = messages_.rbegin();
  const auto last =
      std::find_if(back, back + static_cast<std::ptrdiff_t>(far),
                   [&](const SendTo& earlier) { return earlier.peer == message.peer; });
  const bool is_there = last != back + static_cast<std::ptrdiff_t>(far);
  if (is_there && join(last->message, message.message)) return;
  messages_.push_back(std::move(message));
}

}  // namespace framefleet::broker
