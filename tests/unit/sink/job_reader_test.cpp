// Exports read a job picture by picture.

#include "sink/stores/job_reader.hpp"

#include "tests/unit/sink/store_fixture.hpp"

namespace framefleet::test {
namespace {

std::vector<sink::StoredPicture> pictures_of(const std::filesystem::path& folder,
                                             const sink::JobFilter& filter) {
  const auto reader = sink::JobReader::open(folder / "results.sqlite", filter);
  REQUIRE(reader);
  std::vector<sink::StoredPicture> all;
  REQUIRE((*reader)->each([&](const sink::StoredPicture& picture) {
    all.push_back(picture);
    return Result<void, Error>{};
  }));
  return all;
}

TEST_CASE("a reader gives every picture of a job with what was found in it") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  auto other = ok_outcome(9);
  other.outcome.job = "job-2";
  auto damaged = ok_outcome(3, "walk.avi#12");
  damaged.record.damaged = true;
  damaged.record.reports.clear();
  commit(*store, {ok_outcome(1), failed_outcome(2, "x"), damaged, other});

  // While the store is open.
  const auto all = pictures_of(folder.path(), {"job-1", ""});
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == 1);
  CHECK(all[0].task == to_string(task_number(1)));
  CHECK(all[0].sequence == 1);
  CHECK(all[0].origin == "/photos/dog.jpg");
  CHECK(all[0].stem == "dog");
  CHECK(all[0].status == "ok");
  CHECK(all[0].width == 640);
  CHECK(all[0].height == 480);
  CHECK(all[0].looked);
  CHECK_FALSE(all[0].damaged);
  REQUIRE(all[0].detections.size() == 2);
  CHECK(all[0].detections[0].label == "face");
  CHECK(all[0].detections[0].score == 0.87);
  CHECK(all[0].detections[0].y == 20.5);
  CHECK(all[0].detections[0].width == 30);
  CHECK(all[0].detections[1].id > all[0].detections[0].id);
  CHECK(all[1].status == "failed");
  CHECK(all[1].reason == "not_a_picture");
  CHECK_FALSE(all[1].looked);
  CHECK(all[2].damaged);
  CHECK_FALSE(all[2].looked);  // no detector was there
  CHECK(pictures_of(folder.path(), {"", ""}).size() == 4);
  CHECK(pictures_of(folder.path(), {"job-3", ""}).empty());
}

TEST_CASE("what one detector found, nothing included, is told from what it did not look at") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1)});
  const auto edges = pictures_of(folder.path(), {"", "edges"});
  CHECK(edges.at(0).looked);
  CHECK(edges.at(0).detections.empty());
  CHECK(pictures_of(folder.path(), {"", "faces"}).at(0).detections.size() == 2);
  CHECK_FALSE(pictures_of(folder.path(), {"", "corners"}).at(0).looked);
}

TEST_CASE("a reader stays at its moment, and ends where its visitor does") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  auto car = ok_outcome(1);
  car.record.reports[1].detections = {{"car", 1, {1, 2, 3, 4}, ""}};
  commit(*store, {car});
  const auto reader = sink::JobReader::open(folder.path() / "results.sqlite", {});
  REQUIRE(reader);
  auto superseded = ok_outcome(101);
  superseded.outcome.task_class = TaskClass::live;
  superseded.outcome.status = Status::superseded;
  commit(*store, {ok_outcome(2), superseded});
  int seen = 0;
  const auto ended = (*reader)->each([&](const sink::StoredPicture&) -> Result<void, Error> {
    ++seen;
    return fail(Error{"enough", exit_code::kDiskError});
  });
  CHECK(seen == 1);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().text == "enough");
  CHECK((*reader)->each([&](const sink::StoredPicture&) {
    ++seen;
    return Result<void, Error>{};
  }));
  CHECK(seen == 2);
  CHECK((*reader)->labels() == std::vector<std::string>{"car", "face"});
  CHECK((*reader)->frames_in_gaps() == 0U);
  const auto later = sink::JobReader::open(folder.path() / "results.sqlite", {});
  CHECK((*later)->frames_in_gaps() == 1U);
  CHECK_FALSE(sink::JobReader::open(folder.path() / "gone.sqlite", {}));
}

}  // namespace
}  // namespace framefleet::test
