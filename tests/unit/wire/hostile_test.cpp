// Bytes that nobody honest sends. A decoder that reads out of bounds shows it under the sanitizers;
// what is checked here is that the answer is always one of "refused" and "read, and sound".

#include "tests/support/catch.hpp"
#include "tests/unit/wire/tree.hpp"
#include "tests/unit/wire/wire_cases.hpp"

#include "shared/wire/codec.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>
#include <span>

namespace {
std::size_t largest_allocation = 0;
}

// This program's allocator remembers the largest request, so that a test can see what a claimed
// size made the decoder ask for. Never inlined: GCC 14 would see a free() of what new gave.
[[gnu::noinline]] void* operator new(std::size_t count) {
  largest_allocation = std::max(largest_allocation, count);
  if (void* memory = std::malloc(count)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t count, const std::nothrow_t& /*tag*/) noexcept {
  largest_allocation = std::max(largest_allocation, count);
  return std::malloc(count);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*count*/) noexcept {
  std::free(memory);
}

using namespace framefleet;
using namespace framefleet::test;
using namespace std::string_literals;

TEST_CASE("a document that ends early is refused, at whichever byte") {
  for (const auto& wired : wire_cases()) {
    INFO(wired.name);
    for (std::size_t length = 0; length < wired.bytes.size(); ++length) {
      INFO("cut to " << length << " bytes");
      const auto error = wired.read(wired.bytes.substr(0, length));
      CHECK_FALSE(error.empty());
      CHECK(error != "other");
    }
  }
}

TEST_CASE("a byte behind the end is refused") {
  for (const auto& wired : wire_cases()) {
    CHECK_THAT(wired.read(wired.bytes + '\xC0'), Catch::Contains("bytes follow its end"));
  }
}

TEST_CASE("any single byte may be any other: it is refused or read as a sound value") {
  for (const auto& wired : wire_cases()) {
    INFO(wired.name);
    for (std::size_t place = 0; place < wired.bytes.size(); ++place) {
      auto bytes = wired.bytes;
      for (int value = 0; value<256; value += wired.bytes.size()> 200 ? 5 : 1) {
        bytes[place] = static_cast<char>(value);
        if (!wired.is_stable(bytes)) FAIL_CHECK("byte " << place << " as " << value);
      }
    }
  }
}

TEST_CASE("random bytes are refused or read as a sound value") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto cases = wire_cases();
  for (int round = 0; round < 20'000; ++round) {
    const auto& wired = cases[random() % cases.size()];
    auto bytes = wired.bytes;
    for (auto changes = 1 + random() % 8; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (!wired.is_stable(bytes)) FAIL_CHECK(wired.name << " in round " << round);
  }
}

TEST_CASE("a size that is only claimed is refused at once and takes no memory") {
  constexpr std::size_t kAllowed = 16 * 1024;
  const auto huge =
      GENERATE("\xDD\xFF\xFF\xFF\xFF"s, "\xDF\xFF\xFF\xFF\xFF"s, "\xC6\xFF\xFF\xFF\xFF"s,
               "\xDB\xFF\xFF\xFF\xFF"s, "\xC9\xFF\xFF\xFF\xFF\x01"s, "\xDD\x00\x10\x00\x00"s,
               "\xDC\x10\x01"s, "\xDE\x00\x41"s);
  for (const auto& wired : wire_cases()) {
    INFO(wired.name);
    // Alone, and as the value of a key, behind a sound type.
    const std::string alone = huge;
    const auto nested = "\x82\xA4type"s + pack(text(wired.name)) + "\xA5tasks"s + huge;
    for (const auto& bytes : {alone, nested}) {
      largest_allocation = 0;
      const auto error = wired.read(bytes);
      CHECK(largest_allocation <= kAllowed);
      CHECK_FALSE(error.empty());
    }
  }
}

TEST_CASE(
    "a document of tiny elements takes memory in proportion to its bytes, not to their claim") {
  // As many nothings as fit, where a list of big entries is expected: the first is refused.
  const auto header = pack(
      map({text("type"), text("outcome"), text("outcomes"), list(std::vector<Tree>(4000, nil()))}));
  largest_allocation = 0;
  const auto read = wire::decode(std::as_bytes(std::span(header)), {});
  CHECK(read.error().text == "outcome.outcomes[0]: is not a map");
  CHECK(largest_allocation <= 64 * header.size());
}
