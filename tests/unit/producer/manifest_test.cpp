#include "producer/sources/manifest.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace framefleet;
using namespace framefleet::producer;

namespace {

using Sequences = std::vector<std::uint64_t>;

FileState file(const std::string& path, std::uint64_t size = 10, std::int64_t mtime_ns = 1) {
  return {path, size, mtime_ns};
}

/// One run: opens the manifest, numbers the files of one source, saves.
SourceNumbers run(const test::TemporaryFolder& folder, const std::vector<FileState>& files,
                  std::uint32_t fresh_epoch = 100) {
  auto manifest = Manifest::open(folder.path(), "job");
  REQUIRE(manifest);
  auto numbers = manifest->number_files("/photos", "job/photos", fresh_epoch, files);
  REQUIRE(manifest->save());
  return numbers;
}

SourceNumbers run_whole(const test::TemporaryFolder& folder, const FileState& state,
                        std::uint32_t fresh_epoch) {
  auto manifest = Manifest::open(folder.path(), "job");
  REQUIRE(manifest);
  auto numbers = manifest->number_whole("/walk.avi", "job/walk.avi", fresh_epoch, state);
  REQUIRE(manifest->save());
  return numbers;
}

std::filesystem::path manifest_file(const test::TemporaryFolder& folder) {
  return folder.path() / "job.manifest";
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("files keep their sequences from run to run") {
  const test::TemporaryFolder folder;
  const auto first = run(folder, {file("/a"), file("/b"), file("/c")}, 100);
  CHECK(first.name == "job/photos");
  CHECK(first.epoch == 100);
  CHECK(first.sequences == Sequences{0, 1, 2});
  const auto again = run(folder, {file("/c"), file("/a"), file("/b")}, 200);
  CHECK(again.epoch == 100);
  CHECK(again.sequences == Sequences{2, 0, 1});
}

TEST_CASE("a changed file and a new one get new sequences, the others keep theirs") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b"), file("/c")});
  CHECK(run(folder, {file("/a", 11), file("/aa"), file("/b", 10, 2), file("/c")}).sequences ==
        Sequences{3, 4, 5, 2});
  CHECK(run(folder, {file("/a", 11), file("/aa"), file("/b", 10, 2), file("/c")}).sequences ==
        Sequences{3, 4, 5, 2});
  // Back to what it was is another change: what the number 0 stood for may have been stored since.
  CHECK(run(folder, {file("/a")}).sequences == Sequences{6});
}

TEST_CASE("a file that changes every day does not make the manifest grow") {
  const test::TemporaryFolder folder;
  for (std::int64_t day = 1; day <= 5; ++day) run(folder, {file("/a", 10, day)});
  const auto text = text_of(manifest_file(folder));
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("a file that vanished keeps its sequence for the day it comes back") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b"), file("/c")});
  CHECK(run(folder, {file("/a"), file("/c"), file("/d")}).sequences == Sequences{0, 2, 3});
  CHECK(run(folder, {file("/b")}).sequences == Sequences{1});
}

TEST_CASE("paths of any bytes survive the manifest") {
  const test::TemporaryFolder folder;
  const std::vector<FileState> odd = {file("/tab\there"),   file("/line\nbreak"),
                                      file("/back\\slash"), file("/\\x41"),
                                      file("/latin \xE9"),  file("/\r")};
  const auto first = run(folder, odd);
  CHECK(run(folder, odd).sequences == first.sequences);
}

TEST_CASE("a manifest without changes is not written again") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a")});
  std::filesystem::permissions(manifest_file(folder), std::filesystem::perms::owner_read);
  const auto before = text_of(manifest_file(folder));
  const auto written_at = std::filesystem::last_write_time(manifest_file(folder));
  run(folder, {file("/a")});
  CHECK(text_of(manifest_file(folder)) == before);
  CHECK(std::filesystem::last_write_time(manifest_file(folder)) == written_at);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "job.manifest.tmp"));
}

TEST_CASE("a manifest cut anywhere never leads to a number being used twice") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b"), file("/c")});
  const auto whole = text_of(manifest_file(folder));
  const std::vector<FileState> files = {file("/a"), file("/b"), file("/c")};
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO("cut after " << length << " bytes");
    write(manifest_file(folder), whole.substr(0, length));
    const auto numbers = run(folder, files, 200);
    REQUIRE(numbers.sequences.size() == 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
      const bool kept = numbers.epoch == 100 && numbers.sequences[i] == i;
      const bool new_id = numbers.epoch == 200 || numbers.sequences[i] >= 3;
      REQUIRE((kept || new_id));
    }
  }
}

TEST_CASE("a torn last line is dropped and costs its own file alone") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b"), file("/c")});
  const auto whole = text_of(manifest_file(folder));
  write(manifest_file(folder), whole.substr(0, whole.size() - 2));
  CHECK(run(folder, {file("/a"), file("/b"), file("/c")}).sequences == Sequences{0, 1, 3});
}

TEST_CASE("a left-over of an interrupted save is ignored") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a")});
  write(folder.path() / "job.manifest.tmp", "framefleet manifest 1\nsource\t1\t9");
  CHECK(run(folder, {file("/a"), file("/b")}).sequences == Sequences{0, 1});
}

TEST_CASE("a damaged manifest is refused with the line and the way out") {
  const test::TemporaryFolder folder;
  const std::string head = "framefleet manifest 1\nsource\t7\t2\t/photos\tjob/photos\n";
  const auto bad_line = GENERATE(as<std::string>{}, "0\t1\t1", "x\t1\t1\t/a", "0\t-1\t1\t/a",
                                 "2\t1\t1\t/a", "0\t1\t1\t/a\t", "0\t1\t1\t/a\\x4", "",
                                 "source\t7\t2\t/photos\tother", "source\t7\t2\t/video\t");
  write(manifest_file(folder), head + bad_line + "\n");
  INFO(bad_line);
  const auto manifest = Manifest::open(folder.path(), "job");
  REQUIRE_FALSE(manifest);
  CHECK(manifest.error().exit_code == exit_code::kDiskError);
  CHECK_THAT(manifest.error().text, Catch::Contains("job.manifest: line 3 is damaged; delete"));
}

TEST_CASE("two files of one number are refused") {
  const test::TemporaryFolder folder;
  write(manifest_file(folder),
        "framefleet manifest 1\nsource\t7\t2\t/p\tp\n1\t1\t1\t/a\n1\t1\t1\t/b\n");
  CHECK_FALSE(Manifest::open(folder.path(), "job"));
}

TEST_CASE("something else under the manifest's name is refused") {
  const test::TemporaryFolder folder;
  write(manifest_file(folder), "[job]\nname = 1\n");
  CHECK_FALSE(Manifest::open(folder.path(), "job"));
}

TEST_CASE("a video that changed is a new epoch, one that did not keeps its own") {
  const test::TemporaryFolder folder;
  CHECK(run_whole(folder, file("/walk.avi"), 100).epoch == 100);
  CHECK(run_whole(folder, file("/walk.avi"), 200).epoch == 100);
  CHECK(run_whole(folder, file("/walk.avi", 10, 2), 300).epoch == 300);
  // The clock went back: the epoch does not.
  CHECK(run_whole(folder, file("/walk.avi", 10, 3), 50).epoch == 301);
  CHECK(run_whole(folder, file("/walk.avi", 10, 3), 50).epoch == 301);
}

TEST_CASE("a video whose line was torn off is a new epoch") {
  const test::TemporaryFolder folder;
  run_whole(folder, file("/walk.avi"), 100);
  const auto whole = text_of(manifest_file(folder));
  write(manifest_file(folder), whole.substr(0, whole.size() - 1));
  CHECK(run_whole(folder, file("/walk.avi"), 100).epoch == 101);
}

TEST_CASE("sources of one job have names of their own, and keep them") {
  const test::TemporaryFolder folder;
  for (int turn = 0; turn < 2; ++turn) {
    auto manifest = Manifest::open(folder.path(), "job");
    REQUIRE(manifest);
    // Two working folders, each with a folder "photos".
    CHECK(manifest->number_files("/a/photos", "job/photos", 1, {}).name == "job/photos");
    CHECK(manifest->number_files("/b/photos", "job/photos", 1, {}).name == "job/photos~2");
    REQUIRE(manifest->save());
  }
}

TEST_CASE("a job that is being worked on is refused with the process that holds it") {
  const test::TemporaryFolder folder;
  auto first = Manifest::open(folder.path(), "job");
  REQUIRE(first);
  const auto second = Manifest::open(folder.path(), "job");
  REQUIRE_FALSE(second);
  CHECK(second.error().exit_code == exit_code::kUnavailable);
  CHECK_THAT(second.error().text, Catch::Contains("process " + std::to_string(::getpid())));
  CHECK(Manifest::open(folder.path(), "other"));
  first = fail(Error{});
  CHECK(Manifest::open(folder.path(), "job"));
}

TEST_CASE("a manifest folder that cannot be made is refused") {
  const test::TemporaryFolder folder;
  write(folder.path() / "file", "");
  const auto manifest = Manifest::open(folder.path() / "file" / "below", "job");
  REQUIRE_FALSE(manifest);
  CHECK(manifest.error().exit_code == exit_code::kCannotCreate);
}

TEST_CASE("a manifest that cannot be written is a disk error") {
  const test::TemporaryFolder folder;
  auto manifest = Manifest::open(folder.path(), "job");
  REQUIRE(manifest);
  manifest->number_files("/photos", "job/photos", 1, {file("/a")});
  std::filesystem::create_directory(folder.path() / "job.manifest.tmp");
  const auto saved = manifest->save();
  REQUIRE_FALSE(saved);
  CHECK(saved.error().exit_code == exit_code::kDiskError);
}

TEST_CASE("without a folder nothing is remembered") {
  Manifest manifest;
  CHECK(manifest.number_files("/photos", "photos", 5, {file("/a"), file("/b")}).sequences ==
        Sequences{0, 1});
  CHECK(manifest.save());
}

TEST_CASE("a hundred thousand changed files are numbered in one pass") {
  Manifest manifest;
  std::vector<FileState> files;
  for (int i = 0; i < 100'000; ++i) files.push_back(file("/photos/" + std::to_string(i)));
  manifest.number_files("/photos", "photos", 1, files);
  for (auto& each : files) ++each.mtime_ns;
  const auto numbers = manifest.number_files("/photos", "photos", 1, files);
  CHECK(numbers.sequences.front() == 100'000);
  CHECK(numbers.sequences.back() == 199'999);
}

TEST_CASE("what is appended after a line that was torn off stands on lines of its own") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b")});
  const auto path = folder.path() / "job.manifest";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  {
    auto manifest = Manifest::open(folder.path(), "job");
    REQUIRE(manifest);
    CHECK(manifest->number_files("/photos", "job/photos", 200, {file("/a")}).sequences ==
          Sequences{0});
    REQUIRE(manifest->save());
    manifest->let_go_of_files();
    CHECK(manifest->append("/photos", {file("/c"), file("/a", 20)}).value() == Sequences{2, 3});
    CHECK(manifest->append("/photos", {file("/d")}).value() == Sequences{4});
  }
  const auto numbers = run(folder, {file("/a", 20), file("/c"), file("/d"), file("/b")});
  CHECK(numbers.epoch == 100);
  CHECK(numbers.sequences == Sequences{3, 2, 4, 5});
}

TEST_CASE("the numbers of files that are forgotten are not given again") {
  const test::TemporaryFolder folder;
  run(folder, {file("/a"), file("/b")});
  {
    auto manifest = Manifest::open(folder.path(), "job");
    REQUIRE(manifest);
    const auto numbers =
        manifest->number_files("/photos", "job/photos", 200, {file("/b")}, Absent::is_forgotten);
    CHECK(numbers.sequences == Sequences{1});
    REQUIRE(manifest->save());
  }
  CHECK(run(folder, {file("/a"), file("/b")}).sequences == Sequences{2, 1});
}
