#include "producer/sources/source_name.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet::producer;

TEST_CASE("text that travels is valid UTF-8 without control characters") {
  CHECK(printable("photos/Zürich 東京 \xF0\x9F\x93\xB7.jpg") ==
        "photos/Zürich 東京 \xF0\x9F\x93\xB7.jpg");
  CHECK(printable("a\tb\x7F") == "a\\x09b\\x7F");
  CHECK(printable("latin1 \xE9.jpg") == "latin1 \\xE9.jpg");
  CHECK(printable("cut \xE6\x9D") == "cut \\xE6\\x9D");
  CHECK(printable("overlong \xC0\xAF \xE0\x80\xAF") == "overlong \\xC0\\xAF \\xE0\\x80\\xAF");
  CHECK(printable("surrogate \xED\xA0\x80") == "surrogate \\xED\\xA0\\x80");
  CHECK(printable("beyond \xF4\x90\x80\x80") == "beyond \\xF4\\x90\\x80\\x80");
}

TEST_CASE("a source is named after its job and its argument") {
  CHECK(source_name("trip", "photos") == "trip/photos");
  CHECK(source_name("", "photos") == "photos");
}

TEST_CASE("a long name is cut between characters and stays different from its like") {
  const std::string path = std::string(238, 'x') + "ü" + std::string(100, 'y');
  const auto name = source_name("", path);
  CHECK(name.size() <= kSourceNameBytesMax);
  CHECK(printable(name) == name);
  CHECK(name != source_name("", path + "z"));
  CHECK(source_name("", std::string(256, 'x')) == std::string(256, 'x'));
}

TEST_CASE("one folder has one spelling") {
  CHECK(normal_argument("./photos//summer/") == "photos/summer");
  CHECK(normal_argument("/") == "/");
  CHECK(normal_argument("synthetic:?count=3") == "synthetic:?count=3");
  CHECK(canonical_argument("-") == "-");
  CHECK(canonical_argument("/a/./b/") == "/a/b");
  CHECK(canonical_argument("b").front() == '/');
}

TEST_CASE("a job is the same for the same sources and detectors, however they are spelled") {
  const auto job = job_of({"photos/", "walk.avi"}, {"faces", "edges"});
  CHECK(job.size() == 8);
  CHECK(job.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(job_of({"walk.avi", "./photos"}, {"edges", "faces", "faces"}) == job);
  CHECK(job_of({"photos"}, {"faces", "edges"}) != job);
  CHECK(job_of({"photos/", "walk.avi"}, {"faces?min_size=40", "edges"}) != job);
  CHECK(job_of({"faces"}, {}) != job_of({}, {"faces"}));
}

TEST_CASE("a plain name can be a file's name") {
  CHECK(is_plain_name("cam-1_a.b"));
  CHECK(is_plain_name(std::string(64, 'a')));
  for (const auto* bad : {"", ".hidden", "..", "a/b", "a b", "ü"}) CHECK_FALSE(is_plain_name(bad));
  CHECK_FALSE(is_plain_name(std::string(65, 'a')));
}
