// The committed bytes of wire version 1. What was written once must be readable for ever (version N
// reads N-1), and what is written must not change by accident.
//
// To take over an intended change: FRAMEFLEET_REWRITE_GOLDEN=1 <this program>, then read the diff.

#include "tests/golden/wire_samples.hpp"
#include "tests/support/catch.hpp"

#include "shared/wire/codec.hpp"
#include "shared/wire/journal_codec.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace framefleet;

namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(FRAMEFLEET_SOURCE_DIR) / "tests/golden/wire/v1";

/// 32 bytes a line, in lower-case hexadecimal.
std::string to_hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
    if (i % 32 == 31 || i + 1 == bytes.size()) hex += '\n';
  }
  return hex;
}

std::string from_hex(const std::string& hex) {
  std::string digits;
  for (const char c : hex) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
  }
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// The committed bytes of `name`; with FRAMEFLEET_REWRITE_GOLDEN set, after writing `bytes` there.
std::string golden(const std::string& name, const std::string& bytes) {
  const auto path = kFolder / (name + ".hex");
  if (std::getenv("FRAMEFLEET_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << to_hex(bytes);
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  INFO(path);
  CHECK(file.good());
  return from_hex(text.str());
}

void check_golden(const test::MessageSample& sample) {
  const auto name = std::string(name_of(sample.message)) + sample.suffix;
  INFO(name);
  const auto written = wire::encode(sample.message, sample.frame_bytes);
  REQUIRE(written);
  const auto committed = golden("message_" + name, *written);
  CHECK(to_hex(*written) == to_hex(committed));
  const auto read = wire::decode(std::as_bytes(std::span(committed)), sample.frame_bytes);
  REQUIRE(read);
  CHECK((*read == sample.message));
}

/// A record of a journal and its committed bytes.
template <class T, class Decode>
void check_journaled(const std::string& name, const T& sample, const Decode& decode) {
  INFO(name);
  const auto written = wire::encode_journaled(sample);
  REQUIRE(written);
  const auto committed = golden(name, *written);
  CHECK(to_hex(*written) == to_hex(committed));
  CHECK((decode(std::as_bytes(std::span(committed))) == sample));
}

}  // namespace

TEST_CASE("every message is written and read as the golden bytes of version 1") {
  std::set<std::size_t> seen;
  for (const auto& sample : test::message_samples()) {
    seen.insert(sample.message.index());
    check_golden(sample);
  }
  CHECK(seen.size() == std::variant_size_v<Message>);
}

TEST_CASE("a message without the keys that came later keeps its bytes and its meaning") {
  for (const auto& sample : test::outgrown_message_samples()) check_golden(sample);
}

TEST_CASE("a task description is written and read as the golden bytes of version 1") {
  for (const auto& [name, sample] :
       {std::pair{"task", test::task_sample()}, std::pair{"task_2", test::zoned_task_sample()}}) {
    const auto written = wire::encode_task(sample);
    REQUIRE(written);
    const auto committed = golden(name, *written);
    CHECK(to_hex(*written) == to_hex(committed));
    CHECK((wire::decode_task(committed) == sample));
  }
}

TEST_CASE("a result record is written and read as the golden bytes of version 1") {
  const auto written = wire::encode_record(test::record_sample());
  REQUIRE(written);
  const auto committed = golden("record", *written);
  CHECK(to_hex(*written) == to_hex(committed));
  CHECK((wire::decode_record(std::as_bytes(std::span(committed))) == test::record_sample()));
}

TEST_CASE("the records of a journal are written and read as the golden bytes of version 1") {
  check_journaled("journaled_task", test::journaled_task_sample(), wire::decode_journaled_task);
  check_journaled("journaled_task_2", test::handed_out_task_sample(), wire::decode_journaled_task);
  check_journaled("journaled_task_3", test::cancelled_task_sample(), wire::decode_journaled_task);
  check_journaled("source_book", test::source_book_sample(), wire::decode_source_book);
  check_journaled("source_book_2", test::unkept_source_book_sample(), wire::decode_source_book);
  check_journaled("source_book_3", test::keyed_source_book_sample(), wire::decode_source_book);
  check_journaled("job_book", test::job_book_sample(), wire::decode_job_book);
  check_journaled("fleet_book", test::fleet_book_sample(), wire::decode_fleet_book);
}

TEST_CASE("a record of a later version is refused, and said to be one") {
  auto bytes = *wire::encode_journaled(test::fleet_book_sample());
  const auto at = bytes.find("version");
  REQUIRE(at != std::string::npos);
  bytes[at + 7] = 2;
  const auto read = wire::decode_fleet_book(std::as_bytes(std::span(bytes)));
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == wire::CodecError::Kind::unknown_version);
}
