#include "cli/cost_table.hpp"

#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

namespace framefleet::cli {
namespace {

sink::Cost measured() {
  sink::Cost cost;
  cost.megapixels = 0.92;
  cost.all = {.pictures = 400, .mean_ms = 25, .p95_ms = 31.25};
  cost.decode = {.pictures = 400, .mean_ms = 5, .p95_ms = 6.5};
  cost.detectors = {{"corners", 200, 900, 10, 9, 12.04}, {"faces", 400, 31, 15, 14, 22}};
  return cost;
}

}  // namespace

TEST_CASE("the cost of pictures is a table of their work and one of the cameras that it allows") {
  CHECK(render_cost(measured(), {.workers = 2, .cameras = 20}) ==
        "400 pictures of 0.92 megapixels in the mean, 2 workers side by side\n"
        "\n"
        "work       pictures  mean ms  p95 ms  share\n"
        "decode          400     5.00    6.50   20 %\n"
        "corners         200     10.0    12.0   20 %\n"
        "faces           400     15.0    22.0   60 %\n"
        "all of it       400     25.0    31.2  100 %\n"
        "\n"
        "A slot works on 40.0 of them per second. Busy for 80 % of its time, so that live frames "
        "need not wait:\n"
        "\n"
        "cameras of    1 fps  5 fps  10 fps  15 fps  25 fps\n"
        "on one slot    32.0   6.40    3.20    2.13    1.28\n"
        "slots for 20      1      4       7      10      16\n");
}

TEST_CASE("the cost of pictures as a document has seconds and the same slots") {
  const auto document = nlohmann::json::parse(render_cost_json(measured(), {.cameras = 3}));
  CHECK(document["pictures"] == 400);
  CHECK(document["mean_seconds"] == Approx(0.025));
  CHECK(document["work"].size() == 3);
  CHECK(document["work"][1]["name"] == "corners");
  CHECK(document["work"][1]["share"] == Approx(0.2));
  CHECK(document["by_rate"][4]["frames_per_second"] == 25);
  CHECK(document["by_rate"][4]["on_one_slot"] == Approx(1.28));
  CHECK(document["by_rate"][4]["slots"] == 3);
}

TEST_CASE("slots are enough for the cameras at four fifths of their time") {
  CHECK(slots_for(20, 5, 30) == 4);   // 3.75
  CHECK(slots_for(8, 10, 10) == 1);   // exactly one
  CHECK(slots_for(1, 1, 0.01) == 1);  // never none
}

}  // namespace framefleet::cli
