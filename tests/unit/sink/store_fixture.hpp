#pragma once
// What the tests of the stores share: outcomes as a sink would hand them over, and a second pair of
// eyes on the files.

#include "sink/stores/database.hpp"
#include "sink/stores/sqlite_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::test {

inline constexpr std::int64_t kNoon = 1714564800000;  ///< 2024-05-01T12:00:00.000Z

inline TaskId task_number(std::uint64_t sequence) { return {0xABCDEF0123456789U, 1, sequence, 0}; }

inline sink::OutcomeToStore failed_outcome(std::uint64_t sequence, std::string_view picture) {
  sink::OutcomeToStore given;
  given.outcome.id = task_number(sequence);
  given.outcome.source = "photos";
  given.outcome.job = "job-1";
  given.outcome.status = Status::failed;
  given.outcome.reason = Reason::not_a_picture;
  given.outcome.text = "starts with \"hello\"";
  given.outcome.attempts = 1;
  given.outcome.history = {{1, "worker-1", Reason::not_a_picture, "starts with \"hello\""}};
  given.outcome.worker = "worker-1";
  given.description.origin = "/photos/note.jpg";
  given.description.detect = {"faces"};
  given.picture = {picture};
  return given;
}

/// An ok outcome with two detectors, one of which found something.
inline sink::OutcomeToStore ok_outcome(std::uint64_t sequence,
                                       const std::string& origin = "/photos/dog.jpg") {
  sink::OutcomeToStore given;
  given.outcome.id = task_number(sequence);
  given.outcome.source = "photos";
  given.outcome.job = "job-1";
  given.outcome.attempts = 2;
  given.outcome.history = {{1, "worker-0", Reason::worker_lost, "gone"}};
  given.outcome.worker = "worker-1";
  given.outcome.build = "0.1.0";
  given.outcome.queued = std::chrono::milliseconds(250);
  given.outcome.leased = std::chrono::milliseconds(40);
  given.outcome.worked = std::chrono::milliseconds(30);
  given.description.origin = origin;
  given.description.detect = {"faces?min_size=40", "edges"};
  given.description.captured_at_ms = kNoon - 5000;
  given.record.width = 640;
  given.record.height = 480;
  given.record.decode = std::chrono::milliseconds(4);
  given.record.reports = {{"faces",
                           "haar-1",
                           std::chrono::milliseconds(20),
                           {{"face", 0.87F, {10, 20.5F, 30, 40}, R"({ "eyes": [[1,2],[3,4]] })"},
                            {"face", 1, {100, 120, 33, 44}, ""}}},
                          {"edges", "canny-1", std::chrono::milliseconds(6), {}}};
  return given;
}

inline sink::OutcomeToStore annotated_outcome(std::uint64_t sequence, const std::string& origin,
                                              std::string_view bytes) {
  auto given = ok_outcome(sequence, origin);
  given.record.artefacts = {{"annotated", "jpg"}};
  given.artefacts = {bytes};
  return given;
}

inline sink::SqliteStoreOptions store_options(const std::filesystem::path& folder) {
  sink::SqliteStoreOptions options;
  options.folder = folder;
  options.now_ms = [] { return kNoon; };
  options.build = "0.1.0";
  return options;
}

inline std::unique_ptr<sink::SqliteStore> open_store(sink::SqliteStoreOptions options) {
  auto store = sink::SqliteStore::open(std::move(options));
  if (!store) FAIL(store.error().text);
  return std::move(*store);
}

inline std::vector<SettledTask> commit(sink::ResultStore& store,
                                       const std::vector<sink::OutcomeToStore>& outcomes) {
  auto stored = store.commit(outcomes);
  if (!stored) FAIL(stored.error().text);
  return std::move(*stored);
}

/// A reader's connection to the store of `folder`.
inline std::unique_ptr<sink::Database> read_database(const std::filesystem::path& folder) {
  auto database = sink::Database::open(folder / "results.sqlite", sink::Access::read);
  if (!database) FAIL(database.error().text);
  return std::move(*database);
}

inline std::int64_t number(const std::filesystem::path& folder, const std::string& sql) {
  const auto database = read_database(folder);
  const auto value = database->number(sql);
  INFO(sql << ": " << database->error().text);
  REQUIRE(value.has_value());
  return *value;
}

inline std::string text(const std::filesystem::path& folder, const std::string& sql) {
  const auto database = read_database(folder);
  const auto value = database->text(sql);
  INFO(sql << ": " << database->error().text);
  REQUIRE(value.has_value());
  return *value;
}

/// "" for a file that is not there.
inline std::string contents(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return {};
  std::string bytes(size, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  return bytes;
}

inline void write_file(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace framefleet::test
