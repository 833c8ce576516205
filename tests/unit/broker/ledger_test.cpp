#include "broker/core/ledger.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;

TEST_CASE("the ledger books by source, by job and in all") {
  Ledger ledger;
  ledger.admitted("cam", "monday");
  ledger.admitted("cam", "tuesday");
  ledger.rejected("other", "monday");
  ledger.settled("cam", "monday", Status::ok);
  ledger.settled("cam", "tuesday", Status::failed);

  CHECK(ledger.total().submitted == 3);
  CHECK(ledger.total().admitted == 2);
  CHECK(ledger.total().rejected == 1);
  CHECK(ledger.total().settled_in_all() == 2);
  CHECK(ledger.by_source().at("cam").submitted == 2);
  CHECK(ledger.by_source().at("cam").rejected == 0);
  CHECK(ledger.by_source().at("other").submitted == 1);
  CHECK(ledger.by_job().at("monday").submitted == 2);
  CHECK(ledger.by_job().at("tuesday").settled.at(static_cast<std::size_t>(Status::failed)) == 1);
}

TEST_CASE("every status has its own count") {
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    Ledger ledger;
    ledger.settled("cam", "", static_cast<Status>(i));
    CHECK(ledger.total().settled.at(i) == 1);
    CHECK(ledger.total().settled_in_all() == 1);
  }
}
