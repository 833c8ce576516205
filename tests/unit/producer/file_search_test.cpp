#include "producer/sources/file_search.hpp"

#include "producer/sources/file_io.hpp"
#include "producer/sources/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

using namespace framefleet;
using namespace framefleet::producer;
namespace fs = std::filesystem;

namespace {

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

/// Paths found in the folder, relative to it.
std::vector<std::string> found_in(const fs::path& folder, Skipped& skipped) {
  const auto found = search_folder(folder.string(), skipped);
  REQUIRE(found);
  std::vector<std::string> names;
  for (const auto& file : *found) names.push_back(fs::path(file.path).lexically_relative(folder));
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("names say what is a picture and what is a video") {
  for (const auto* name : {"a.jpg", "b/A.JPEG", "x.y.Png", "a.webp", "a.TIF"}) {
    CHECK(is_picture_name(name));
    CHECK_FALSE(is_video_name(name));
  }
  for (const auto* name : {"a.AVI", "b/c.mp4"}) CHECK(is_video_name(name));
  for (const auto* name : {"jpg", "a.txt", "a.jpg/b", "a.", ""}) {
    CHECK_FALSE(is_picture_name(name));
    CHECK_FALSE(is_video_name(name));
  }
}

TEST_CASE("a folder is searched with its sub-folders in one fixed order") {
  const test::TemporaryFolder folder;
  for (const auto* name : {"b.jpg", "a/z.png", "a/b/y.webp", "C.JPG", "a.jpg"}) {
    touch(folder.path() / name);
  }
  Skipped skipped;
  CHECK(found_in(folder.path(), skipped) ==
        Names{"C.JPG", "a.jpg", "a/b/y.webp", "a/z.png", "b.jpg"});
}

TEST_CASE("what is no picture is left out and counted") {
  const test::TemporaryFolder folder;
  for (const auto* name : {"a.jpg", ".hidden.jpg", ".git/b.jpg", "notes.txt", "walk.avi"}) {
    touch(folder.path() / name);
  }
  REQUIRE(::mkfifo((folder.path() / "pipe.jpg").c_str(), 0600) == 0);
  Skipped skipped;
  CHECK(found_in(folder.path(), skipped) == Names{"a.jpg"});
  CHECK(skipped.hidden == 2);
  CHECK(skipped.other_extension == 1);
  CHECK(skipped.videos == 1);
  CHECK(skipped.special == 1);
}

TEST_CASE("links that go round in circles end, and each folder is read once") {
  const test::TemporaryFolder folder;
  touch(folder.path() / "x/a.jpg");
  touch(folder.path() / "y/b.jpg");
  fs::create_directory_symlink(folder.path(), folder.path() / "x/up");
  fs::create_directory_symlink("../y", folder.path() / "x/other");
  fs::create_directory_symlink("self", folder.path() / "self");
  Skipped skipped;
  CHECK(found_in(folder.path(), skipped) == Names{"x/a.jpg", "y/b.jpg"});
}

TEST_CASE("a linked folder outside is read under the link's name") {
  const test::TemporaryFolder folder;
  const test::TemporaryFolder outside;
  touch(outside.path() / "a.jpg");
  fs::create_directory_symlink(outside.path(), folder.path() / "link");
  Skipped skipped;
  CHECK(found_in(folder.path(), skipped) == Names{"link/a.jpg"});
}

TEST_CASE("a broken link named like a picture is found, since its absence must not be silent") {
  const test::TemporaryFolder folder;
  fs::create_symlink("nowhere", folder.path() / "gone.jpg");
  fs::create_symlink("nowhere", folder.path() / "gone.txt");
  Skipped skipped;
  CHECK(found_in(folder.path(), skipped) == Names{"gone.jpg"});
  CHECK(skipped.other_extension == 1);
}

TEST_CASE("patterns match files, folders and videos") {
  const test::TemporaryFolder folder;
  for (const auto* name : {"a1.jpg", "a2.jpg", "b1.png", "c/d.jpg", "v.avi", "n.txt"}) {
    touch(folder.path() / name);
  }
  const auto matched = [&](const std::string& pattern) {
    Skipped skipped;
    const auto matches = search_pattern((folder.path() / pattern).string(), skipped);
    REQUIRE(matches);
    Names names;
    for (const auto& file : matches->pictures) {
      names.push_back(fs::path(file.path).lexically_relative(folder.path()));
    }
    for (const auto& video : matches->videos) {
      names.push_back("video " + fs::path(video).filename().string());
    }
    return names;
  };
  CHECK(matched("*.jpg") == Names{"a1.jpg", "a2.jpg"});
  CHECK(matched("?1.*") == Names{"a1.jpg", "b1.png"});
  CHECK(matched("[!a]*.png") == Names{"b1.png"});
  CHECK(matched("*.{jpg,png}") == Names{"a1.jpg", "a2.jpg", "b1.png"});
  CHECK(matched("{a1,a?}.jpg") == Names{"a1.jpg", "a2.jpg"});
  CHECK(matched("*") == Names{"a1.jpg", "a2.jpg", "b1.png", "c/d.jpg", "video v.avi"});
  CHECK(matched("*/*.jpg") == Names{"c/d.jpg"});
  CHECK(matched("*.gif").empty());
}

TEST_CASE("two stars are refused with what to do instead") {
  Skipped skipped;
  const auto matches = search_pattern("photos/**/*.jpg", skipped);
  REQUIRE_FALSE(matches);
  CHECK(matches.error().exit_code == exit_code::kUsage);
  CHECK_THAT(matches.error().text, Catch::Contains("name the folder"));
}

TEST_CASE("a list has one path per line") {
  std::istringstream lines("a.jpg\r\n\nb c.jpg\nlast.jpg");
  CHECK(*read_list(lines) == Names{"a.jpg", "b c.jpg", "last.jpg"});
  std::istringstream empty("\n\n");
  CHECK(read_list(empty)->empty());
}

TEST_CASE("a list that cannot be one is refused with the entry's number") {
  std::istringstream zeros(std::string("a.jpg\nb\0c", 9));
  const auto mixed = read_list(zeros);
  REQUIRE_FALSE(mixed);
  CHECK_THAT(mixed.error().text, Catch::Contains("entry 2") && Catch::Contains("-print0"));
  std::istringstream binary(std::string(100'000, 'x'));
  const auto endless = read_list(binary);
  REQUIRE_FALSE(endless);
  CHECK(endless.error().exit_code == exit_code::kNoInput);
}

TEST_CASE("a file is read whole or the reason is told") {
  const test::TemporaryFolder folder;
  const auto path = (folder.path() / "a").string();
  const std::string bytes("\0\xFFjpeg", 6);
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK(read_file(path, 6)->bytes == bytes);
  CHECK(read_file(path, 6)->mtime_ms > 1'600'000'000'000);
  CHECK(read_file(path, 5).error() == "it is larger than the limit of 5 bytes");
  CHECK(read_file(folder.path().string(), 100).error() == "it is a folder");
  CHECK(read_file(path + "x", 100).error() == "No such file or directory");
  std::ofstream(path, std::ios::trunc).flush();
  CHECK(read_file(path, 6)->bytes.empty());
  // Says nothing of its size beforehand, and a pipe without a writer would block.
  CHECK(read_file("/proc/self/stat", 10).error() == "it is larger than the limit of 10 bytes");
  const auto pipe = (folder.path() / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_file(pipe, 100).error() == "it is not a regular file");
}
