#include "sink/stores/report.hpp"

#include "tests/unit/sink/store_fixture.hpp"

namespace framefleet::test {
namespace {

TEST_CASE("the report of a job counts what is stored for it") {
  const TemporaryFolder folder;
  auto now_ms = kNoon;
  auto options = store_options(folder.path());
  options.now_ms = [&] { return now_ms; };
  const auto store = open_store(options);
  std::vector<sink::OutcomeToStore> outcomes;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    outcomes.push_back(ok_outcome(i));
    outcomes.back().record.reports[0].elapsed = std::chrono::milliseconds(i);
  }
  outcomes[0].record.damaged = true;
  outcomes[1] = annotated_outcome(2, "dog.jpg", "pixels");
  commit(*store, outcomes);
  now_ms += 90'500;
  auto of_other_job = ok_outcome(100);
  of_other_job.outcome.job = "job-2";
  auto superseded = ok_outcome(101);
  superseded.outcome.task_class = TaskClass::live;
  superseded.outcome.status = Status::superseded;
  commit(*store, {failed_outcome(30, "x"), failed_outcome(31, "y"), of_other_job, superseded});

  // While the store is still open.
  const auto report = sink::read_report(folder.path() / "results.sqlite", "job-1", 1);
  REQUIRE(report);
  CHECK(report->count(Status::ok) == 20);
  CHECK(report->count(Status::failed) == 2);
  CHECK(report->count(Status::superseded) == 1);
  CHECK(report->total() == 23);
  CHECK(report->damaged == 1);
  CHECK(report->failed_total == 2);
  REQUIRE(report->failed.size() == 1);
  CHECK(report->failed[0].task == to_string(task_number(30)));
  CHECK(report->failed[0].origin == "/photos/note.jpg");
  CHECK(report->failed[0].reason == "not_a_picture");
  CHECK(report->failed[0].text == "starts with \"hello\"");
  CHECK(report->pictures == 1);
  CHECK(report->first_stored_at == "2024-05-01T12:00:00.000Z");
  CHECK(report->last_stored_at == "2024-05-01T12:01:30.500Z");
  CHECK(report->wall == std::chrono::milliseconds(90'500));

  REQUIRE(report->detectors.size() == 2);
  CHECK(report->detectors[0].detector == "edges");
  CHECK(report->detectors[0].pictures == 20);
  CHECK(report->detectors[0].detections == 0);
  CHECK(report->detectors[0].mean_ms == Approx(6));
  const auto& faces = report->detectors[1];
  CHECK(faces.detections == 40);
  // 1, 3, 4, …, 20 and 20 (the annotated picture's).
  CHECK(faces.mean_ms == Approx((210.0 - 2 + 20) / 20));
  CHECK(faces.median_ms == Approx(11));
  CHECK(faces.p95_ms == Approx(20));

  CHECK(sink::read_report(folder.path() / "results.sqlite", "")->total() == 24);
  CHECK(sink::stored_count(folder.path() / "results.sqlite", "job-1") == 23);
  CHECK(sink::stored_count(folder.path() / "results.sqlite", "job-2") == 1);
  CHECK(sink::stored_count(folder.path() / "results.sqlite", "job-3") == 0);
  CHECK(sink::stored_count(folder.path() / "results.sqlite", "") == 24);
}

TEST_CASE("what pictures cost is read from what ended ok") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  std::vector<sink::OutcomeToStore> outcomes;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    outcomes.push_back(ok_outcome(i));
    outcomes.back().outcome.worked = std::chrono::milliseconds(10 * i);
    ResultRecord& record = outcomes.back().record;
    record.width = 1000;
    record.height = 500;
    record.decode = std::chrono::milliseconds(i);
    record.annotate = i == 20 ? std::chrono::milliseconds(4) : Duration::zero();
  }
  outcomes.push_back(failed_outcome(30, "x"));
  commit(*store, outcomes);

  const auto cost = sink::read_cost(folder.path() / "results.sqlite", "job-1");
  REQUIRE(cost);
  CHECK(cost->megapixels == Approx(0.5));
  CHECK(cost->all.pictures == 20);
  CHECK(cost->all.mean_ms == Approx(105));
  CHECK(cost->all.p95_ms == Approx(190));
  CHECK(cost->decode.mean_ms == Approx(10.5));
  CHECK(cost->annotate.pictures == 1);
  CHECK(cost->annotate.mean_ms == Approx(4));
  REQUIRE(cost->detectors.size() == 2);
  CHECK(cost->detectors[0].detector == "edges");
  CHECK(sink::read_cost(folder.path() / "results.sqlite", "job-2")->all.pictures == 0);
}

TEST_CASE("the report of a job without outcomes is empty") {
  const TemporaryFolder folder;
  { const auto store = open_store(store_options(folder.path())); }
  const auto report = sink::read_report(folder.path() / "results.sqlite", "job-1");
  REQUIRE(report);
  CHECK(report->total() == 0);
  CHECK(report->detectors.empty());
  CHECK(report->first_stored_at.empty());
  CHECK(report->wall == Duration::zero());
}

TEST_CASE("a report says what is wrong with the file it should read") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  const auto missing = sink::read_report(file, "job-1");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().exit_code == exit_code::kNoInput);
  CHECK(missing.error().text.find(file.string()) != std::string::npos);
  write_file(file, std::string(5000, 'x'));
  const auto not_ours = sink::stored_count(file, "job-1");
  REQUIRE_FALSE(not_ours);
  CHECK(not_ours.error().text.find("is not a framefleet store") != std::string::npos);
}

}  // namespace
}  // namespace framefleet::test
