// Folders that are watched and lists that grow, in real folders and pipes: the kernel's events are
// there when the call that made them returns, so that nothing has to be waited for.

#include "producer/sources/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A folder that is watched by one source, as the shell does it.
struct Watched {
  explicit Watched(PlanOptions options = {}) : photos(folder.path() / "photos") {
    fs::create_directories(photos);
    given = std::move(options);
    given.watch = true;
  }

  void open() {
    plan.reset();
    auto made = plan_sources({photos.string()}, given);
    INFO((made ? "" : made.error().text));
    REQUIRE(made);
    plan = std::make_unique<Plan>(std::move(*made));
    next = 0;
  }
  ImageSource& source() { return *plan->sources.at(0); }
  Growth grow() { return source().growing()->grow(now); }

  /// What came since the last call, as the core would list and read it: bytes by sequence.
  std::map<std::uint64_t, std::string> pictures() {
    while (grow().grew) {
    }
    std::map<std::uint64_t, std::string> read;
    for (auto s = source().next_sequence(next); s; s = source().next_sequence(*s + 1)) {
      next = *s + 1;
      const auto picture = source().read(*s);
      REQUIRE(picture);
      if (*picture) read[*s] = (*picture)->unreadable.empty() ? (*picture)->bytes : "unreadable";
    }
    return read;
  }

  test::TemporaryFolder folder;
  fs::path photos;
  PlanOptions given;
  std::unique_ptr<Plan> plan;
  std::uint64_t next{0};
  Time now{};
};

using Pictures = std::map<std::uint64_t, std::string>;

}  // namespace

TEST_CASE("A watched folder has what is there, and then what comes, numbered on") {
  Watched w;
  write(w.photos / "b.jpg", "b");
  write(w.photos / "a.jpg", "a");
  w.open();
  CHECK_FALSE(w.source().count());
  CHECK(w.pictures() == Pictures{{0, "a"}, {1, "b"}});
  CHECK(w.pictures().empty());
  write(w.photos / "0.jpg", "first by name, last to come");
  write(w.photos / "notes.txt", "no picture");
  write(w.photos / ".hidden.jpg", "h");
  CHECK(w.pictures() == Pictures{{2, "first by name, last to come"}});
}

TEST_CASE("A watched folder may be empty at first; one that is not there is an error") {
  Watched w;
  w.open();
  CHECK(w.pictures().empty());
  write(w.photos / "a.jpg", "a");
  CHECK(w.pictures() == Pictures{{0, "a"}});
  const auto none = plan_sources({(w.folder.path() / "none").string()}, w.given);
  REQUIRE_FALSE(none);
  CHECK(none.error().exit_code == exit_code::kNoInput);
}

TEST_CASE("A file is taken when it is closed or moved in, not while it is written") {
  Watched w;
  w.open();
  const int fd = ::open((w.photos / "slow.jpg").c_str(), O_WRONLY | O_CREAT, 0644);
  REQUIRE(::write(fd, "half", 4) == 4);
  CHECK(w.pictures().empty());
  REQUIRE(::write(fd, " and half", 9) == 9);
  CHECK(w.pictures().empty());
  ::close(fd);
  CHECK(w.pictures() == Pictures{{0, "half and half"}});
  write(w.folder.path() / "elsewhere.jpg", "moved");
  fs::rename(w.folder.path() / "elsewhere.jpg", w.photos / "moved.jpg");
  CHECK(w.pictures() == Pictures{{1, "moved"}});
}

TEST_CASE("A file that is being written when the watch begins is taken when it is closed") {
  Watched w;
  const int fd = ::open((w.photos / "slow.jpg").c_str(), O_WRONLY | O_CREAT, 0644);
  REQUIRE(::write(fd, "half", 4) == 4);
  w.open();
  CHECK(w.pictures().empty());
  REQUIRE(::write(fd, " and half", 9) == 9);
  ::close(fd);
  CHECK(w.pictures() == Pictures{{0, "half and half"}});
}

TEST_CASE(
    "Where nobody says who writes a file, it is complete when it is the same after two seconds") {
  if (::geteuid() != 0) {
    std::fprintf(stderr, "SKIPPED: files of other users in a watched folder: needs root\n");
    return;
  }
  Watched w;
  fs::permissions(w.folder.path(), fs::perms::all);
  fs::permissions(w.photos, fs::perms::all);
  write(w.photos / "a.jpg", "a");
  write(w.photos / "b.jpg", "b");
  REQUIRE(::seteuid(65534) == 0);  // who may not take a lease on root's files
  w.open();
  CHECK(w.pictures().empty());
  CHECK(w.source().growing()->look_at() == w.now + 2s);
  REQUIRE(::seteuid(0) == 0);
  std::ofstream growing(w.photos / "b.jpg", std::ios::app);
  growing << "more" << std::flush;
  w.now += 2s;
  CHECK(w.pictures() == Pictures{{0, "a"}});
  w.now += 2s;
  CHECK(w.pictures() == Pictures{{1, "bmore"}});
  growing.close();  // as it was: not a second time
  CHECK(w.pictures().empty());
}

TEST_CASE("Links are finished when they are made") {
  Watched w;
  write(w.folder.path() / "original.jpg", "linked");
  w.open();
  fs::create_hard_link(w.folder.path() / "original.jpg", w.photos / "hard.jpg");
  fs::create_symlink(w.folder.path() / "original.jpg", w.photos / "soft.jpg");
  CHECK(w.pictures() == Pictures{{0, "linked"}, {1, "linked"}});
}

TEST_CASE("New sub-folders are watched, with what was put into them before they were") {
  Watched w;
  w.open();
  fs::create_directories(w.photos / "2024" / "05");
  write(w.photos / "2024" / "05" / "early.jpg", "early");
  CHECK(w.pictures() == Pictures{{0, "early"}});
  write(w.photos / "2024" / "05" / "late.jpg", "late");
  CHECK(w.pictures() == Pictures{{1, "late"}});
  fs::create_directories(w.folder.path() / "outside");
  write(w.folder.path() / "outside" / "x.jpg", "x");
  fs::rename(w.folder.path() / "outside", w.photos / "inside");
  CHECK(w.pictures() == Pictures{{2, "x"}});
  write(w.photos / "inside" / "y.jpg", "y");
  CHECK(w.pictures() == Pictures{{3, "y"}});
}

TEST_CASE("A file in a new sub-folder that is still written is waited for") {
  Watched w;
  w.open();
  fs::create_directories(w.photos / "new");
  const int fd = ::open((w.photos / "new" / "slow.jpg").c_str(), O_WRONLY | O_CREAT, 0644);
  REQUIRE(::write(fd, "half", 4) == 4);
  CHECK(w.pictures().empty());
  ::close(fd);
  CHECK(w.pictures() == Pictures{{0, "half"}});
}

TEST_CASE("A folder that is moved away is watched no longer") {
  Watched w;
  fs::create_directories(w.photos / "sub");
  w.open();
  fs::rename(w.photos / "sub", w.folder.path() / "away");
  CHECK(w.pictures().empty());
  write(w.folder.path() / "away" / "a.jpg", "a");
  CHECK(w.pictures().empty());
  fs::rename(w.folder.path() / "away", w.photos / "back");
  CHECK(w.pictures() == Pictures{{0, "a"}});
}

TEST_CASE("A file that is written again is another picture, one that is only opened is not") {
  Watched w;
  w.open();
  write(w.photos / "a.jpg", "one");
  CHECK(w.pictures() == Pictures{{0, "one"}});
  ::close(::open((w.photos / "a.jpg").c_str(), O_WRONLY));
  CHECK(w.pictures().empty());
  write(w.photos / "a.jpg", "second");
  CHECK(w.pictures() == Pictures{{1, "second"}});
  CHECK_FALSE(*w.source().read(0));  // its bytes are another picture's now
}

TEST_CASE("What is renamed before it is looked at is one picture") {
  Watched w;
  w.open();
  write(w.photos / "part.jpg", "a");
  fs::rename(w.photos / "part.jpg", w.photos / "a.jpg");
  CHECK(w.pictures() == Pictures{{0, "a"}});
}

TEST_CASE(
    "What is removed before it is read ends as unreadable, what is removed later is forgotten") {
  Watched w;
  w.open();
  write(w.photos / "a.jpg", "a");
  CHECK(w.grow().grew);
  fs::remove(w.photos / "a.jpg");
  CHECK(w.pictures() == Pictures{{0, "unreadable"}});
  write(w.photos / "b.jpg", "b");
  CHECK(w.pictures() == Pictures{{1, "b"}});
  fs::remove(w.photos / "b.jpg");
  CHECK(w.pictures().empty());
  CHECK_FALSE(w.source().next_sequence(0));
}

TEST_CASE("More events than the kernel keeps are made up for by a search") {
  Watched w;
  w.open();
  std::ifstream limit_file("/proc/sys/fs/inotify/max_queued_events");
  int limit = 0;
  if (!(limit_file >> limit) || limit > 20'000) {
    std::fprintf(stderr, "SKIPPED: overflow of a watch: max_queued_events is %d\n", limit);
    return;
  }
  write(w.photos / "a.txt", "no picture");
  for (int i = 0; i < limit; i += 4) {  // two events each
    fs::rename(w.photos / "a.txt", w.photos / "b.txt");
    fs::rename(w.photos / "b.txt", w.photos / "a.txt");
  }
  fs::create_directories(w.photos / "sub");
  write(w.photos / "sub" / "unheard.jpg", "unheard");
  Pictures all;
  for (int i = 0; i < 50; ++i) all.merge(w.pictures());
  CHECK(all == Pictures{{0, "unheard"}});
  write(w.photos / "sub" / "heard.jpg", "heard");
  CHECK(w.pictures() == Pictures{{1, "heard"}});
}

TEST_CASE("A watched folder that goes away ends its source and says so") {
  Watched w;
  write(w.photos / "a.jpg", "a");
  w.open();
  w.pictures();
  fs::remove_all(w.photos);
  Growth growth = w.grow();
  for (int i = 0; i < 3 && !growth.over; ++i) growth = w.grow();
  CHECK(growth.over);
  CHECK(growth.trouble == "the watched folder " + w.photos.string() + " is no longer there");
}

TEST_CASE("The manifest goes on to number what comes, and a next run knows it") {
  test::TemporaryFolder jobs;
  Watched w({.job = "job", .manifest_folder = jobs.path(), .fresh_epoch = 7});
  write(w.photos / "a.jpg", "a");
  w.open();
  CHECK(w.pictures() == Pictures{{0, "a"}});
  write(w.photos / "b.jpg", "b");
  write(w.photos / "c.jpg", "c");
  CHECK(w.pictures() == Pictures{{1, "b"}, {2, "c"}});
  fs::remove(w.photos / "b.jpg");
  write(w.photos / "a.jpg", "another");
  CHECK(w.pictures() == Pictures{{3, "another"}});

  w.given.fresh_epoch = 8;
  w.open();
  CHECK(w.source().epoch() == 7);
  CHECK(w.pictures() == Pictures{{2, "c"}, {3, "another"}});
  write(w.photos / "b.jpg", "b");
  CHECK(w.pictures() == Pictures{{4, "b"}});
}

TEST_CASE("What the manifest cannot be told is not given a number until it can") {
  test::TemporaryFolder jobs;
  Watched w({.job = "job", .manifest_folder = jobs.path()});
  w.open();
  const auto manifest = jobs.path() / "job.manifest";
  fs::rename(manifest, jobs.path() / "away");
  write(w.photos / "a.jpg", "a");
  const auto growth = w.grow();
  CHECK_FALSE(growth.grew);
  CHECK_FALSE(growth.over);
  CHECK(growth.trouble == "cannot write " + manifest.string() + ": No such file or directory");
  const Time again = w.source().growing()->look_at();
  CHECK(again == w.now + 5s);
  fs::rename(jobs.path() / "away", manifest);
  CHECK(w.pictures().empty());
  w.now = again;
  CHECK(w.pictures() == Pictures{{1, "a"}});  // 0 may be on the disk, and is not given again
}

TEST_CASE("What could not be given a number and is gone again is not looked for") {
  test::TemporaryFolder jobs;
  Watched w({.job = "job", .manifest_folder = jobs.path()});
  w.open();
  const auto manifest = jobs.path() / "job.manifest";
  fs::rename(manifest, jobs.path() / "away");
  write(w.photos / "a.jpg", "a");
  CHECK_FALSE(w.grow().trouble.empty());
  fs::remove(w.photos / "a.jpg");
  w.now = w.source().growing()->look_at();
  CHECK(w.grow().trouble.empty());
  CHECK(w.source().growing()->look_at() > w.now);
}

TEST_CASE("A list that is read as it comes is a source that ends with its pipe") {
  Watched w;
  write(w.photos / "a.jpg", "a");
  write(w.photos / "b.jpg", "b");
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const auto say = [&](const std::string& text) {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  w.given.list_fd = ends[0];
  auto plan = plan_sources({"-"}, w.given);
  REQUIRE(plan);
  w.plan = std::make_unique<Plan>(std::move(*plan));
  CHECK(w.pictures().empty());
  CHECK_FALSE(w.source().count());
  say((w.photos / "b.jpg").string() + "\r\n\n" + (w.photos / "a.").string());
  CHECK(w.pictures() == Pictures{{0, "b"}});
  say("jpg\n" + (w.photos / "none.jpg").string());
  CHECK(w.pictures() == Pictures{{1, "a"}});
  ::close(ends[1]);
  const auto growth = w.grow();
  CHECK(growth.over);
  CHECK(growth.trouble.empty());
  CHECK(w.pictures() == Pictures{{2, "unreadable"}});
  CHECK(w.source().count() == 3U);
  ::close(ends[0]);
}

TEST_CASE("A list that grows ends at an entry that is no path, with what came before it") {
  Watched w;
  write(w.photos / "a.jpg", "a");
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  w.given.list_fd = ends[0];
  auto plan = plan_sources({"-"}, w.given);
  REQUIRE(plan);
  w.plan = std::make_unique<Plan>(std::move(*plan));
  const auto text = (w.photos / "a.jpg").string() + "\n" + std::string(5000, 'x');
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  const auto growth = w.grow();
  CHECK(growth.over);
  CHECK(growth.trouble.find("after 1 pictures") != std::string::npos);
  CHECK(w.pictures() == Pictures{{0, "a"}});
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("What cannot be watched is refused with what to do") {
  Watched w;
  write(w.photos / "a.jpg", "a");
  const auto pattern = plan_sources({(w.photos / "*.jpg").string()}, w.given);
  REQUIRE_FALSE(pattern);
  CHECK(pattern.error().text.find("name the folder") != std::string::npos);
}

TEST_CASE("Where there is a manifest a list is read before it, and folders beside it are watched") {
  Watched w;
  write(w.photos / "a.jpg", "a");
  test::TemporaryFolder jobs;
  std::istringstream list((w.photos / "a.jpg").string() + "\n");
  w.given.list = &list;
  w.given.job = "job";
  w.given.manifest_folder = jobs.path();
  const auto plan = plan_sources({"-", w.photos.string()}, w.given);
  REQUIRE(plan);
  REQUIRE(plan->sources.size() == 2);
  CHECK(plan->sources[0]->growing() == nullptr);
  CHECK(plan->sources[0]->count() == 1);
  CHECK(plan->sources[1]->growing() != nullptr);
}

TEST_CASE("Shuffled, files are numbered in an order that their names have no part in") {
  Watched w;
  w.given.watch = false;
  for (char name = 'a'; name <= 'p'; ++name) {
    write(w.photos / (std::string(1, name) + ".jpg"), std::string(1, name));
  }
  const auto order = [&](std::optional<std::uint64_t> seed) {
    w.given.shuffle = seed;
    const auto plan = plan_sources({w.photos.string()}, w.given);
    REQUIRE(plan);
    std::string names;
    for (auto s = plan->sources[0]->next_sequence(0); s;
         s = plan->sources[0]->next_sequence(*s + 1)) {
      names += (*plan->sources[0]->read(*s))->bytes;
    }
    return names;
  };
  CHECK(order(std::nullopt) == "abcdefghijklmnop");
  CHECK(order(1) != order(std::nullopt));
  CHECK(order(1) == order(1));
  CHECK(order(1) != order(2));
  auto sorted = order(3);
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == "abcdefghijklmnop");
}
