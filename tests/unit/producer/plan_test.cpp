#include "producer/sources/plan.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace framefleet;
using namespace framefleet::producer;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

Plan plan_of(const std::vector<std::string>& arguments, const PlanOptions& options = {}) {
  auto plan = plan_sources(arguments, options);
  INFO((plan ? "" : plan.error().text));
  REQUIRE(plan);
  return std::move(*plan);
}

Error error_of(const std::vector<std::string>& arguments, const PlanOptions& options = {}) {
  const auto plan = plan_sources(arguments, options);
  REQUIRE_FALSE(plan);
  return plan.error();
}

/// Everything a source gives: bytes by sequence; "unreadable" in front of the reason.
std::map<std::uint64_t, std::string> all_of(ImageSource& source) {
  std::map<std::uint64_t, std::string> pictures;
  for (auto s = source.next_sequence(0); s; s = source.next_sequence(*s + 1)) {
    const auto picture = source.read(*s);
    REQUIRE(picture);
    REQUIRE(*picture);
    const auto& read = **picture;
    CHECK((read.bytes.empty() || read.unreadable.empty()));
    pictures[*s] = read.unreadable.empty() ? read.bytes : "unreadable " + read.unreadable;
  }
  CHECK(source.count() == pictures.size());
  return pictures;
}

using Pictures = std::map<std::uint64_t, std::string>;

/// Permission bits do not stop root: the effective user is "nobody" while this lives.
class WithoutRoot {
 public:
  WithoutRoot() { dropped_ = ::geteuid() == 0 && ::seteuid(65534) == 0; }
  ~WithoutRoot() {
    if (dropped_ && ::seteuid(0) != 0) std::abort();
  }
  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;

 private:
  bool dropped_{false};
};

}  // namespace

TEST_CASE("each folder is a source, and single files are one source together") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  write(folder.path() / "in/b.jpg", "B");
  write(folder.path() / "in/a.jpg", "A");
  write(folder.path() / "x.jpg", "X");
  write(folder.path() / "y.dat", "Y");
  const auto plan = plan_of({root + "/x.jpg", root + "/in/", root + "/y.dat",
                             "synthetic:?count=2&name=cam", root + "/in/a.jpg"},
                            {"trip", {}, 9, 1 << 20, nullptr});
  REQUIRE(plan.sources.size() == 3);
  CHECK(plan.sources[0]->name() == "trip/files");
  CHECK(all_of(*plan.sources[0]) == Pictures{{0, "X"}, {1, "Y"}, {2, "A"}});
  CHECK(plan.sources[1]->name() == "trip/" + root + "/in");
  CHECK(all_of(*plan.sources[1]) == Pictures{{0, "A"}, {1, "B"}});
  CHECK(plan.sources[2]->name() == "trip/cam");
  CHECK(all_of(*plan.sources[2]).size() == 2);
  for (const auto& source : plan.sources) CHECK(source->epoch() == 9);
}

TEST_CASE("a picture that cannot be read travels with the reason") {
  const test::TemporaryFolder folder;
  write(folder.path() / "a.jpg", "A");
  fs::create_symlink("nowhere", folder.path() / "b.jpg");
  write(folder.path() / "c.jpg", "too large");
  PlanOptions options;
  options.picture_bytes_max = 5;
  const auto plan = plan_of({folder.path().string()}, options);
  const auto name = folder.path().string();
  CHECK(all_of(*plan.sources.at(0)) ==
        Pictures{{0, "A"},
                 {1, "unreadable cannot read " + name + "/b.jpg: No such file or directory"},
                 {2, "unreadable cannot read " + name +
                         "/c.jpg: it is larger than the limit of 5 bytes"}});
}

TEST_CASE("a file that may not be read is a picture, a folder that may not be read is counted") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  fs::permissions(folder.path(), fs::perms(0755));
  write(folder.path() / "a.jpg", "A");
  write(folder.path() / "secret/b.jpg", "B");
  fs::permissions(folder.path() / "a.jpg", fs::perms::none);
  fs::permissions(folder.path() / "secret", fs::perms::none);
  {
    const WithoutRoot nobody;
    const auto plan = plan_of({root});
    CHECK(all_of(*plan.sources.at(0)) ==
          Pictures{{0, "unreadable cannot read " + root + "/a.jpg: Permission denied"}});
    CHECK(plan.skipped.unreadable_folders == 1);
    CHECK(plan.skipped.unreadable_folder_texts ==
          std::vector<std::string>{root + "/secret: Permission denied"});
    const auto error = error_of({root + "/secret"});
    CHECK(error.exit_code == exit_code::kNoInput);
    CHECK_THAT(error.text, Catch::Contains("Permission denied"));
  }
  fs::permissions(folder.path() / "secret", fs::perms::owner_all);
}

TEST_CASE("a picture tells people where it came from and when it was taken") {
  const test::TemporaryFolder folder;
  write(folder.path() / "caf\xE9.jpg", "A");
  const auto plan = plan_of({folder.path().string()});
  const auto picture = plan.sources.at(0)->read(0);
  REQUIRE(picture);
  CHECK((*picture)->origin == folder.path().string() + "/caf\\xE9.jpg");
  CHECK((*picture)->bytes == "A");
  CHECK((*picture)->captured_at_ms > 1'600'000'000'000);
  CHECK_FALSE(plan.sources[0]->read(1)->has_value());
}

TEST_CASE("what stands there twice is taken once") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  write(folder.path() / "in/a.jpg", "A");
  const auto plan = plan_of(
      {root + "/in", root + "/./in/", root + "/in/a.jpg", root + "/in//a.jpg", root + "/in/../in"});
  REQUIRE(plan.sources.size() == 2);
  CHECK(plan.skipped.repeated == 3);
}

TEST_CASE("a list on standard input joins the single files") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  write(folder.path() / "a.jpg", "A");
  write(folder.path() / "b.jpg", "B");
  std::istringstream list(root + "/b.jpg\n" + root + "/gone.jpg\n" + root + "/a.jpg\n");
  PlanOptions options;
  options.list = &list;
  const auto plan = plan_of({root + "/a.jpg", "-"}, options);
  REQUIRE(plan.sources.size() == 1);
  CHECK(plan.sources[0]->name() == "files");
  CHECK(plan.skipped.repeated == 1);
  CHECK(all_of(*plan.sources[0]) ==
        Pictures{{0, "A"},
                 {1, "B"},
                 {2, "unreadable cannot read " + root + "/gone.jpg: No such file or directory"}});
}

TEST_CASE("a pattern is a source, unless a file has its name") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  write(folder.path() / "a[1].jpg", "bracket");
  write(folder.path() / "a1.jpg", "one");
  const auto literal = plan_of({root + "/a[1].jpg"});
  CHECK(all_of(*literal.sources.at(0)) == Pictures{{0, "bracket"}});
  const auto pattern = plan_of({root + "/*1.jpg"});
  CHECK(all_of(*pattern.sources.at(0)) == Pictures{{0, "one"}});
  CHECK(pattern.sources[0]->name() == root + "/*1.jpg");
}

TEST_CASE("a run that finds nothing to work on is refused with what was there instead") {
  const test::TemporaryFolder folder;
  const auto root = folder.path().string();
  write(folder.path() / "in/notes.txt", "");
  write(folder.path() / "in/.hidden.jpg", "");
  write(folder.path() / "in/walk.avi", "");
  const auto error = error_of({root + "/in"});
  CHECK(error.exit_code == exit_code::kNoInput);
  CHECK_THAT(error.text, Catch::Contains(root + "/in holds no pictures") &&
                             Catch::Contains("1 video(s)") && Catch::Contains("1 file(s) not") &&
                             Catch::Contains("1 hidden"));
  fs::create_directory(folder.path() / "empty");
  CHECK(error_of({root + "/empty"}).text == root + "/empty holds no pictures");
  CHECK_THAT(error_of({root + "/*.gif"}).text, Catch::Contains("matches no pictures"));
  CHECK(error_of({root + "/*.gif"}).exit_code == exit_code::kNoInput);
}

TEST_CASE("arguments that cannot be sources are refused with what to do") {
  const test::TemporaryFolder folder;
  const auto missing = error_of({"/nowhere/at all.jpg"});
  CHECK(missing.exit_code == exit_code::kNoInput);
  CHECK_THAT(missing.text, Catch::Contains("/nowhere/at all.jpg does not exist"));
  CHECK(error_of({}).exit_code == exit_code::kUsage);
  CHECK(error_of({""}).exit_code == exit_code::kUsage);
  CHECK(error_of({"rtsp://camera/1"}).exit_code == exit_code::kUsage);
  CHECK(error_of({"synthetic:?fps=x"}).exit_code == exit_code::kUsage);
  CHECK(error_of({"photos/**/a.jpg"}).exit_code == exit_code::kUsage);
  CHECK(error_of({"-"}).exit_code == exit_code::kUsage);
  std::istringstream nothing;
  PlanOptions empty_list;
  empty_list.list = &nothing;
  CHECK(error_of({"-"}, empty_list).exit_code == exit_code::kNoInput);
  const auto pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of({pipe.string()}).exit_code == exit_code::kNoInput);
  write(folder.path() / "bad.avi", "no video");
  PlanOptions with_capture;
  with_capture.capture_program = FRAMEFLEET_BINARY_DIR "/framefleet-capture";
  const auto no_video = error_of({(folder.path() / "bad.avi").string()}, with_capture);
  CHECK(no_video.exit_code == exit_code::kNoInput);
  CHECK_THAT(no_video.text, Catch::Contains("cannot open the video"));
  PlanOptions bad_job;
  bad_job.job = "a/b";
  CHECK(error_of({"synthetic:"}, bad_job).exit_code == exit_code::kUsage);
  PlanOptions no_job;
  no_job.manifest_folder = folder.path();
  CHECK(error_of({"synthetic:"}, no_job).exit_code == exit_code::kUsage);
}

TEST_CASE("the same command again works on the same sequences, and on what is new") {
  const test::TemporaryFolder folder;
  const auto photos = folder.path() / "photos";
  const auto single = (folder.path() / "single.jpg").string();
  for (const auto* name : {"a", "b", "c"}) write(photos / (std::string(name) + ".jpg"), name);
  write(single, "S");
  PlanOptions options;
  options.job = "trip";
  options.manifest_folder = folder.path() / "out";
  options.fresh_epoch = 100;
  const std::vector<std::string> arguments = {photos.string(), single, "synthetic:?count=1"};
  {
    const auto plan = plan_of(arguments, options);
    CHECK(all_of(*plan.sources.at(0)) == Pictures{{0, "a"}, {1, "b"}, {2, "c"}});
    CHECK(error_of(arguments, options).exit_code == exit_code::kUnavailable);
  }
  write(photos / "b.jpg", "changed");
  write(photos / "aa.jpg", "new");
  fs::remove(photos / "c.jpg");
  options.fresh_epoch = 200;
  const auto plan = plan_of({arguments[2], arguments[1], arguments[0] + "/"}, options);
  REQUIRE(plan.sources.size() == 3);
  CHECK(all_of(*plan.sources[2]) == Pictures{{0, "a"}, {3, "new"}, {4, "changed"}});
  CHECK(all_of(*plan.sources[1]) == Pictures{{0, "S"}});
  for (const auto& source : plan.sources) CHECK(source->epoch() == 100);
}

TEST_CASE("a manifest that was deleted makes new ids, never old ones for other pictures") {
  const test::TemporaryFolder folder;
  write(folder.path() / "photos/b.jpg", "b");
  PlanOptions options;
  options.job = "trip";
  options.manifest_folder = folder.path() / "out";
  options.fresh_epoch = 100;
  CHECK(plan_of({(folder.path() / "photos").string()}, options).sources.at(0)->epoch() == 100);
  fs::remove_all(options.manifest_folder);
  write(folder.path() / "photos/a.jpg", "a");
  options.fresh_epoch = 101;
  CHECK(plan_of({(folder.path() / "photos").string()}, options).sources.at(0)->epoch() == 101);
}

TEST_CASE("sources of one plan never share a name") {
  const test::TemporaryFolder folder;
  write(folder.path() / "a.jpg", "a");
  const auto root = folder.path().string();
  fs::create_directory_symlink(folder.path(), folder.path() / "link");
  const auto plan = plan_of({root, root + "/link", root + "/*.jpg", root + "/a.jpg",
                             "synthetic:", "synthetic:?seed=2&name=files"});
  std::set<std::string> names;
  for (const auto& source : plan.sources) names.insert(source->name());
  CHECK(plan.sources.size() == 6);
  CHECK(names.size() == 6);
}

TEST_CASE("the test pictures are read byte for byte") {
  if (!test::have_test_data("the test pictures are read byte for byte")) return;
  const auto plan = plan_of({test::test_data("data/photos").string()});
  REQUIRE(plan.sources.size() == 1);
  std::uintmax_t bytes_on_disk = 0;
  std::uint64_t files = 0;
  for (const auto& entry : fs::directory_iterator(test::test_data("data/photos"))) {
    bytes_on_disk += entry.file_size();
    ++files;
  }
  std::uintmax_t bytes = 0;
  const auto pictures = all_of(*plan.sources[0]);
  for (const auto& [sequence, picture] : pictures) bytes += picture.size();
  CHECK(pictures.size() == files);
  CHECK(bytes == bytes_on_disk);
}
