#include "shared/base/detector_list.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;

TEST_CASE("a list of detectors is split at commas, empty entries left out") {
  using Specs = std::vector<std::string>;
  CHECK(split_detectors("faces?min_size=40&scale=1.1,edges") ==
        Specs{"faces?min_size=40&scale=1.1", "edges"});
  CHECK(split_detectors(",faces,,edges,") == Specs{"faces", "edges"});
  CHECK(split_detectors("").empty());
  CHECK(split_detectors(",").empty());
}

TEST_CASE("a task is routed by the names of its detectors, sorted, each once") {
  CHECK(detector_name("faces?min_size=40") == "faces");
  CHECK(detector_name("faces") == "faces");
  CHECK(detector_names({"faces?min_size=40", "edges", "faces?scale=1.2"}) ==
        std::vector<std::string>{"edges", "faces"});
}
