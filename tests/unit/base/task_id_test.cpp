#include "shared/base/task_id.hpp"

#include "tests/support/catch.hpp"

#include <cstddef>
#include <string>

using framefleet::parse_task_id;
using framefleet::TaskId;
using framefleet::to_string;

TEST_CASE("a task id survives being printed and read") {
  for (const auto& id : {TaskId{}, TaskId{1, 2, 3, 0}, TaskId{~0ULL, ~0U, ~0ULL, 65535}}) {
    CHECK(parse_task_id(to_string(id)) == id);
  }
  CHECK(to_string(TaskId{0xABC, 7, 42, 0}) == "0000000000000abc-7-42");
  CHECK(to_string(TaskId{0xABC, 7, 42, 3}) == "0000000000000abc-7-42.3");
}

TEST_CASE("an id has one spelling: everything else is refused") {
  for (const auto* text :
       {"", "abc-7-42", "0000000000000abc-7-", "0000000000000abc--42", "0000000000000ABC-7-42",
        "0000000000000abc-07-42", "0000000000000abc-7-042", "0000000000000abc-7-42.0",
        "0000000000000abc-7-42.", "0000000000000abc-7-42 ", "0000000000000abc-4294967296-1",
        "0000000000000abc-1-18446744073709551616", "0000000000000abc-+1-1"}) {
    INFO(text);
    CHECK_FALSE(parse_task_id(text).has_value());
  }
}

TEST_CASE("each of a source's digits is looked at") {
  CHECK(parse_task_id("0123456789abcdef-7-42") == TaskId{0x0123456789ABCDEF, 7, 42, 0});
  const std::string good = "0123456789abcdef-7-42";
  for (std::size_t at = 0; at < 16; ++at) {
    for (const char wrong : {'g', 'A', '/', ':', '`', '-', ' ', '\0', '\x80', '\xFF'}) {
      auto text = good;
      text[at] = wrong;
      INFO(text);
      CHECK_FALSE(parse_task_id(text).has_value());
    }
  }
}
