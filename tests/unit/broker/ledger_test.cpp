#include "broker/core/ledger.hpp"

#include "tests/support/catch.hpp"

namespace framefleet::broker {

TEST_CASE("every source has its account, and the total is their sum") {
  Ledger ledger;
  ledger.admitted("cam");
  ledger.admitted("cam");
  ledger.rejected("other-cam");
  ledger.settled("cam", Status::ok);
  ledger.settled("cam", Status::failed);

  const auto& cam = ledger.by_source().at("cam");
  CHECK(cam.submitted == 2);
  CHECK(cam.admitted == 2);
  CHECK(cam.rejected == 0);
  CHECK(cam.settled.at(0) == 1);
  CHECK(cam.settled.at(1) == 1);
  CHECK(cam.settled_in_all() == 2);
  CHECK(ledger.by_source().at("other-cam").rejected == 1);
  CHECK(ledger.total().submitted == 3);
  CHECK(ledger.total().settled_in_all() == 2);
}

TEST_CASE("the account of a source that is gone is added to the others'") {
  Ledger ledger;
  ledger.admitted("a");
  ledger.settled("a", Status::ok);
  ledger.rejected("b");
  ledger.fold("a");
  ledger.fold("b");
  ledger.fold("never there");

  REQUIRE(ledger.by_source().size() == 1);
  const auto& other = ledger.by_source().at("other");
  CHECK(other.submitted == 2);
  CHECK(other.admitted == 1);
  CHECK(other.rejected == 1);
  CHECK(other.settled.at(0) == 1);
  CHECK(ledger.total().submitted == 2);
}

}  // namespace framefleet::broker
