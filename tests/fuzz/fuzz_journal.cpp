// Any bytes as each record of a broker's journal, as its keys and payloads, and as a page of its
// file. What must hold: each is read or refused with words; what was read is written again, and
// those bytes are read as an equal value.

#include "broker/journals/page_file.hpp"
#include "broker/journals/record_seal.hpp"
#include "broker/journals/tables.hpp"
#include "tests/fuzz/target.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/journal_codec.hpp"

#include <string>
#include <string_view>

using namespace framefleet;

namespace {

template <class Decode>
void round_trip(std::span<const std::byte> input, const Decode& decode) {
  const auto value = decode(input);
  if (!value) {
    FRAMEFLEET_ASSERT(!value.error().text.empty());
    return;
  }
  const auto again = wire::encode_journaled(*value);
  FRAMEFLEET_ASSERT(again.has_value());
  FRAMEFLEET_ASSERT(decode(std::as_bytes(std::span(*again))) == *value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = test::as_input(data, size);
  round_trip(input, wire::decode_journaled_task);
  round_trip(input, wire::decode_source_book);
  round_trip(input, wire::decode_job_book);
  round_trip(input, wire::decode_fleet_book);

  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(broker::unseal(broker::Table::tasks, text.substr(0, 22), text));
  static_cast<void>(broker::parse_format(text));
  static_cast<void>(broker::parse_state(text));
  if (const auto id = broker::parse_id_key(text)) FRAMEFLEET_ASSERT(broker::id_key(*id) == text);
  if (const auto frames = broker::parse_payload(text)) {
    std::size_t bytes = 0;
    for (const auto& frame : *frames) bytes += frame.size();
    FRAMEFLEET_ASSERT(bytes <= size);
  }
  constexpr std::size_t kPageBytes = 4096;
  if (size >= kPageBytes) {
    const auto page = broker::parse_page(text.substr(0, kPageBytes), 5);
    FRAMEFLEET_ASSERT(page || !page.error().empty());
  }
  return 0;
}
