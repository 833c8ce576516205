// What `framefleet compare` makes of the times that it took.

#include "cli/comparison.hpp"

#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

namespace framefleet::cli {
namespace {

using std::chrono::milliseconds;

/// 101 pictures: the loop takes 100 ms for each, the fleet 50 and starts a second later.
Comparison twice_as_fast() {
  Comparison comparison{101, 2, "edges", {}, {}};
  for (const int slower : {1, 2, 1}) {  // One round on a machine that is busy.
    comparison.loop.push_back({milliseconds(10'300 * slower), milliseconds(10'000 * slower)});
    comparison.fleet.push_back({milliseconds(6350 * slower), milliseconds(5000 * slower)});
  }
  return comparison;
}

TEST_CASE("a spread is the median between the lowest and the highest") {
  const auto odd = spread_of({3, 1, 2});
  CHECK(odd.median == 2);
  CHECK(odd.low == 1);
  CHECK(odd.high == 3);
  CHECK(spread_of({4, 1}).median == 2.5);
  CHECK(spread_of({7}).high == 7);
}

TEST_CASE("rates are told with and without the start, and ratios of each round by itself") {
  const auto json = nlohmann::json::parse(render_comparison_json(twice_as_fast()));
  CHECK(json["loop"]["pictures_per_s"]["median"] == Approx(10));
  CHECK(json["loop"]["pictures_per_s"]["low"] == Approx(5));
  CHECK(json["fleet"]["pictures_per_s"]["median"] == Approx(20));
  CHECK(json["fleet"]["pictures_per_s_with_start"]["median"] == Approx(101 / 6.35));
  CHECK(json["ratio"]["low"] == Approx(2));
  CHECK(json["ratio"]["high"] == Approx(2));
  CHECK(json["ratio_with_start"]["median"] == Approx(10.3 / 6.35));
  CHECK(json["loop"]["start_s"]["median"] == Approx(0.3));
  CHECK(json["fleet"]["start_s"]["median"] == Approx(1.35));
  CHECK(json["rounds"] == 3);
}

TEST_CASE("it is said from how many pictures on the fleet is done first") {
  auto comparison = twice_as_fast();
  CHECK(break_even(comparison) == Approx(22));  // 1.05 s at 50 ms a picture, and the first.
  CHECK(render_comparison(comparison)
            .find("From about 22 such pictures on the fleet is done first") != std::string::npos);
  for (auto& run : comparison.fleet) run.whole += std::chrono::seconds(10);
  CHECK(render_comparison(comparison)
            .find("too few pictures for the fleet's start-up: from about "
                  "222 on") != std::string::npos);
  for (auto& run : comparison.fleet) run.working *= 3;
  CHECK(break_even(comparison) == -1);
  CHECK(render_comparison(comparison).find("The fleet is not faster") != std::string::npos);
}

TEST_CASE("a comparison is a table for people") {
  CHECK(render_comparison(twice_as_fast()) ==
        "101 pictures, edges; 3 round(s) in turn, median (lowest to highest)\n"
        "\n"
        "                                          pictures/s          start-up counted start-up\n"
        "one process, one loop          10.00 (5.00 to 10.00)       9.81 (4.90 to 9.81)    300ms\n"
        "fleet of 2 worker(s)          20.00 (10.00 to 20.00)     15.91 (7.95 to 15.91)     1.4s\n"
        "fleet / loop                     2.00 (2.00 to 2.00)       1.62 (1.62 to 1.62)\n"
        "\n"
        "From about 22 such pictures on the fleet is done first.\n");
}

}  // namespace
}  // namespace framefleet::cli
