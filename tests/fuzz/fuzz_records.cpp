// Any bytes as a task description and as a result record. What must hold: each is read or refused
// with words; what was read is written again, and those bytes are read as an equal value.

#include "tests/fuzz/target.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/codec.hpp"

#include <string_view>

using namespace framefleet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = test::as_input(data, size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto task = wire::decode_task(text)) {
    const auto again = wire::encode_task(*task);
    FRAMEFLEET_ASSERT(again.has_value());
    FRAMEFLEET_ASSERT(wire::decode_task(*again) == *task);
  } else {
    FRAMEFLEET_ASSERT(!task.error().text.empty());
  }
  if (const auto record = wire::decode_record(input)) {
    const auto again = wire::encode_record(*record);
    FRAMEFLEET_ASSERT(again.has_value());
    FRAMEFLEET_ASSERT(wire::decode_record(std::as_bytes(std::span(*again))) == *record);
  } else {
    FRAMEFLEET_ASSERT(!record.error().text.empty());
  }
  return 0;
}
