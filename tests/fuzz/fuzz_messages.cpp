// A message of any type, by a recipe, and its header with some bytes changed. What must hold: the
// header is written, and read as an equal value; changed, it is a message or an error with words,
// and a message is written and read again. How often each type was read is printed at the end:
// noise alone (fuzz_wire) gets into few of them.
//
// Input: the type, the recipe of the message, then pairs of a place and a byte to put there.

#include "tests/fuzz/made_messages.hpp"
#include "tests/fuzz/target.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/codec.hpp"

#include <string>

using namespace framefleet;

namespace {

test::Census& read() {
  static test::Census census("types read");
  return census;
}

void change(test::Recipe& recipe, std::string& header) {
  const std::size_t high = recipe.byte();
  const std::size_t place = (high << 8U | recipe.byte()) % header.size();
  const auto how = recipe.byte();
  if (how % 8 == 7) {
    header.resize(place);
  } else if (how % 8 == 6) {
    header.insert(place, 1 + recipe.pick(8), static_cast<char>(how));
  } else {
    header[place] = static_cast<char>(recipe.byte());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::Recipe recipe(test::as_input(data, size));
  auto message = test::made_message(recipe, recipe.byte());
  const auto frame_bytes = test::give_frames(recipe, message);
  auto header = wire::encode(message, frame_bytes);
  FRAMEFLEET_ASSERT(header.has_value());
  const auto same = wire::decode(std::as_bytes(std::span(*header)), frame_bytes);
  FRAMEFLEET_ASSERT(same == message);
  read().saw(*same);

  while (!recipe.empty() && !header->empty()) {
    change(recipe, *header);
    const auto odd = wire::decode(std::as_bytes(std::span(*header)), frame_bytes);
    if (!odd) {
      FRAMEFLEET_ASSERT(!odd.error().text.empty());
      continue;
    }
    read().saw(*odd);
    const auto again = wire::encode(*odd, frame_bytes);
    FRAMEFLEET_ASSERT(again.has_value());
    FRAMEFLEET_ASSERT(wire::decode(std::as_bytes(std::span(*again)), frame_bytes) == *odd);
  }
  return 0;
}
