#include "shared/base/reason.hpp"

#include "tests/support/catch.hpp"

#include <set>

using namespace framefleet;

TEST_CASE("every reason has a row of its own, a code and a text") {
  std::set<std::string_view> codes;
  for (const auto& row : reason_table()) {
    CHECK(&entry(row.reason) == &row);
    CHECK(codes.insert(row.code).second);
    CHECK_FALSE(row.text.empty());
    // A metric's label and a word in a table: nothing to be quoted.
    CHECK(row.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(parse_reason(row.code) == row.reason);
  }
  CHECK_FALSE(parse_reason("because").has_value());
}
