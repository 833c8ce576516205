#include "broker/core/task.hpp"

#include "shared/base/assert.hpp"

#include <limits>

namespace framefleet::broker {

TaskTexts::TaskTexts(std::string_view digest, std::string_view description) {
  FRAMEFLEET_ASSERT(digest.size() <= std::numeric_limits<std::uint8_t>::max());
  FRAMEFLEET_ASSERT(description.size() <= std::numeric_limits<std::uint32_t>::max());
  if (digest.empty() && description.empty()) return;
  chars_ = std::make_unique_for_overwrite<char[]>(digest.size() + description.size());
  digest.copy(chars_.get(), digest.size());
  description.copy(chars_.get() + digest.size(), description.size());
  digest_bytes_ = static_cast<std::uint8_t>(digest.size());
  description_bytes_ = static_cast<std::uint32_t>(description.size());
}

}  // namespace framefleet::broker
