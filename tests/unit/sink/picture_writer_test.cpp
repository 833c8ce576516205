#include "sink/stores/picture_writer.hpp"

#include "sink/stores/text.hpp"
#include "tests/unit/sink/store_fixture.hpp"

#include <algorithm>

namespace framefleet::test {
namespace {

using sink::picture_stem;

TEST_CASE("a picture is named after where it came from") {
  CHECK(picture_stem("/home/me/photos/dog.jpg") == "dog");
  CHECK(picture_stem("my dog.JPEG") == "my dog");
  CHECK(picture_stem("film.avi#12") == "film.avi#12");
  CHECK(picture_stem("photos\\windows\\cat.png") == "cat");
  CHECK(picture_stem("Gr\xC3\xBC\xC3\x9F"
                     "e.png") ==
        "Gr\xC3\xBC\xC3\x9F"
        "e");
  CHECK(picture_stem("archive.tar") == "archive.tar");
}

TEST_CASE("no origin makes a name that is dangerous or unusable") {
  CHECK(picture_stem("../../etc/x.jpg") == "x");
  CHECK(picture_stem("..") == "picture");
  CHECK(picture_stem("a/..") == "picture");
  CHECK(picture_stem("") == "picture");
  CHECK(picture_stem("///") == "picture");
  CHECK(picture_stem("-rf.jpg") == "_rf");
  CHECK(picture_stem(".hidden") == "_hidden");
  CHECK(picture_stem("two\nlines\x1b[31m.jpg") == "two_lines_[31m");
  CHECK(picture_stem("bad\xFF\xC3utf.jpg") == "bad__utf");
  CHECK(picture_stem("right\xE2\x80\xAEgpj.png") == "right_gpj");
  CHECK(picture_stem("synthetic:?count=3") == "synthetic__count=3");
  CHECK(picture_stem(std::string(5000, 'a')).size() == 100);
  const auto cut = picture_stem("x" + std::string(60, '\xC3') + std::string(600, '\xA9'));
  CHECK(sink::clean_text(cut, 1000) == cut);
  std::string umlauts("x");
  for (int i = 0; i < 100; ++i) umlauts += "\xC3\xA9";
  CHECK(picture_stem(umlauts).size() == 99);
}

TEST_CASE("kind and extension cannot leave the folder either") {
  const auto free = [](const std::string&) { return false; };
  CHECK(sink::choose_picture_path({"../up", "../x"}, "a.jpg", task_number(1), free) ==
        "___up/a.___x");
  CHECK(sink::choose_picture_path({"", ""}, "a.jpg", task_number(1), free) == "picture/a.picture");
}

TEST_CASE("a name that is taken is followed by the sequence, then by the id") {
  std::vector<std::string> taken;
  const auto is_taken = [&](const std::string& path) {
    return std::find(taken.begin(), taken.end(), path) != taken.end();
  };
  const std::vector<std::string> expected{
      "annotated/dog.jpg", "annotated/dog-7.jpg", "annotated/dog-abcdef0123456789-1-7.jpg",
      "annotated/dog-abcdef0123456789-1-7-2.jpg", "annotated/dog-abcdef0123456789-1-7-3.jpg"};
  for (const auto& path : expected) {
    CHECK(sink::choose_picture_path({"annotated", "jpg"}, "dog.jpg", task_number(7), is_taken) ==
          path);
    taken.push_back(path);
  }
}

TEST_CASE("pictures of one name are kept apart, and each row names its own") {
  const TemporaryFolder folder;
  {
    const auto store = open_store(store_options(folder.path()));
    commit(*store, {annotated_outcome(1, "/a/dog.jpg", "first"),
                    annotated_outcome(2, "/b/dog.png", "second")});
    commit(*store, {annotated_outcome(3, "/c/dog.jpg", "third"),
                    annotated_outcome(1, "/a/dog.jpg", "again")});
  }
  const auto& out = folder.path();
  CHECK(contents(out / "annotated" / "dog.jpg") == "first");
  CHECK(contents(out / "annotated" / "dog-2.jpg") == "second");
  CHECK(contents(out / "annotated" / "dog-3.jpg") == "third");
  CHECK(text(out, "SELECT group_concat(path || ' ' || bytes) FROM pictures") ==
        "annotated/dog.jpg 5,annotated/dog-2.jpg 6,annotated/dog-3.jpg 5");
  CHECK_FALSE(std::filesystem::exists(out / ".incoming" / "0"));
}

TEST_CASE("an origin outside the folder leaves its picture inside") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "deep" / "out";
  {
    const auto store = open_store(store_options(out));
    commit(*store, {annotated_outcome(1, "../../../../evil.jpg", "pixels")});
  }
  CHECK(contents(out / "annotated" / "evil.jpg") == "pixels");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "evil.jpg"));
}

TEST_CASE("a picture left by a crash before its commit is replaced, not kept beside the new one") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "annotated");
  std::filesystem::create_directories(folder.path() / ".incoming");
  write_file(folder.path() / "annotated" / "dog.jpg", "from before the crash");
  write_file(folder.path() / ".incoming" / "17", "half of a pict");
  const auto store = open_store(store_options(folder.path()));
  CHECK_FALSE(std::filesystem::exists(folder.path() / ".incoming"));
  commit(*store, {annotated_outcome(1, "dog.jpg", "new")});
  CHECK(contents(folder.path() / "annotated" / "dog.jpg") == "new");
}

TEST_CASE("a link in the place of a picture is replaced and not followed") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "out" / "annotated");
  write_file(folder.path() / "precious", "do not touch");
  std::filesystem::create_symlink(folder.path() / "precious",
                                  folder.path() / "out" / "annotated" / "dog.jpg");
  const auto store = open_store(store_options(folder.path() / "out"));
  commit(*store, {annotated_outcome(1, "dog.jpg", "pixels")});
  CHECK(contents(folder.path() / "precious") == "do not touch");
  CHECK(contents(folder.path() / "out" / "annotated" / "dog.jpg") == "pixels");
}

TEST_CASE("more pictures than may be open at once are all written") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 150; ++i) many.push_back(annotated_outcome(i, "dog.jpg", "pixels"));
  commit(*store, many);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "annotated")) {
    if (contents(entry.path()) == "pixels") ++files;
  }
  CHECK(files == 150);
  CHECK(store->stats().pictures == 150);
  CHECK(store->stats().picture_bytes == 900);
}

TEST_CASE("text from outside becomes valid, bounded UTF-8") {
  CHECK(sink::clean_text("plain", 100) == "plain");
  CHECK(sink::clean_text("\xC0\x80\xED\xA0\x80", 100).size() == 15);
  CHECK(sink::clean_text("\xF0\x9F\x90\xB6", 100) == "\xF0\x9F\x90\xB6");
  CHECK(sink::clean_text("\xF0\x9F\x90\xB6", 3).empty());
  CHECK(sink::clean_text("abcdef", 3) == "abc");
  CHECK(sink::iso_time(kNoon + 7) == "2024-05-01T12:00:00.007Z");
  CHECK_FALSE(sink::iso_time(-1));
  CHECK_FALSE(sink::iso_time(253402300800000));
}

}  // namespace
}  // namespace framefleet::test
