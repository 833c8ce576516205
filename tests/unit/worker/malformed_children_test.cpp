// The malformed pictures once more, through real child processes of both kinds: each order ends
// once, with the verdict that it must have, within a bound of processor time and memory, and the
// child that decided lives on to decide about all the others.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/bmp_tiff.hpp"
#include "tests/unit/worker/malformed_pictures.hpp"
#include "worker/pool/process_pool.hpp"

#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

using test::MalformedPicture;
using test::Verdict;

const std::string kFolder = FRAMEFLEET_BINARY_DIR;

/// Of a child, the sandbox and the answer included.
#if defined(__SANITIZE_ADDRESS__)
constexpr double kCpuSecondsMax = 12.0;
#else
constexpr double kCpuSecondsMax = 3.0;
#endif
constexpr std::uint64_t kPeakBytesMax = 1'500'000'000;

std::vector<pid_t> children_of(pid_t parent) {
  const std::string process = "/proc/" + std::to_string(parent);
  std::ifstream list(process + "/task/" + std::to_string(parent) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

/// As the kernel counts it, in hundredths of a second. Requires: it is alive.
double cpu_seconds(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat(std::istreambuf_iterator<char>(file), {});
  REQUIRE(stat.rfind(')') != std::string::npos);
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;  // As in proc(5), from the state on.
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// One child, and what it costs.
class Court {
 public:
  Court(const std::string& program, FormatSet formats) {
    PoolOptions options;
    options.decode_timeout = std::chrono::minutes{10};  // What counts here is processor time.
    options.workbench.limits.formats = formats;
    IsolationOptions isolation;
    isolation.program = kFolder + "/" + program;
    isolation.detectors = {"stub"};
    auto pool = ProcessPool::open(options, isolation);
    REQUIRE(pool.has_value());
    pool_ = std::move(*pool);
    REQUIRE(decide(test::written(test::plain_tiff(1, 8))).size() == 1);
    const auto zygotes = children_of(::getpid());
    REQUIRE(zygotes.size() == 1);
    const auto children = children_of(zygotes[0]);
    REQUIRE(children.size() == 1);
    child_ = children[0];
  }

  void operator()(const MalformedPicture& malformed) {
    INFO(malformed.name);
    const double before = cpu_seconds(child_);
    const auto done = decide(malformed.bytes);
    const double spent = cpu_seconds(child_) - before;
    ++met_;
    if (spent > dearest_) {
      dearest_ = spent;
      dearest_name_ = malformed.name;
    }
    REQUIRE(done.size() == 1);
    if (test::agrees(done[0].result, malformed.verdict) && spent <= kCpuSecondsMax) return;
    INFO((done[0].result ? "pixels" : done[0].result.error().text));
    FAIL_CHECK("decided wrongly, or in " << spent << " s of processor time");
  }

  /// That it was one child all along, and what it took.
  void adjourn(const char* what) const {
    const auto stats = pool_->stats();
    CHECK(stats.ends.empty());
    CHECK(stats.denied_syscalls == 0);
    CHECK(stats.child_memory_peak <= kPeakBytesMax);
    std::printf(
        "%s: %zu pictures by one child, the dearest %.2f s of processor time (%s); peak "
        "%.0f MB\n",
        what, met_, dearest_, dearest_name_.c_str(),
        static_cast<double>(stats.child_memory_peak) / 1e6);
  }

 private:
  /// A minute at most: a test that hangs should fail, not hang.
  std::vector<WorkDone> decide(const std::string& bytes) {
    WorkOrder order;
    order.ticket = ++ticket_;
    order.id = {7, 1, ticket_, 0};
    order.task.detect = {"stub"};
    order.frames = {test::bytes_of(bytes)};
    REQUIRE(pool_->start(std::move(order)));
    pollfd bell{pool_->notify_fd(), POLLIN, 0};
    while (::poll(&bell, 1, 60'000) == 1) {
      if (auto done = pool_->take_done(); !done.empty()) return done;
    }
    return {};
  }

  std::unique_ptr<ProcessPool> pool_;
  pid_t child_{0};
  std::uint64_t ticket_{0};
  std::size_t met_{0};
  double dearest_{0};
  std::string dearest_name_;
};

TEST_CASE("one child decides about all malformed JPEGs, PNGs and WebPs") {
  Court court("framefleet-worker", ImageLimits{}.formats);
  test::make_bent_pictures(test::picture_seeds(), [&](const auto& each) { court(each); });
  test::make_picture_bombs([&](const auto& each) { court(each); });
  court.adjourn("JPEG, PNG, WebP");
}

TEST_CASE("one child of the second kind decides about all malformed BMPs and TIFFs") {
  Court court("framefleet-worker-imgcodecs", FormatSet::all());
  test::make_bent_pictures(test::bmp_tiff_seeds(), [&](const auto& each) { court(each); });
  test::make_lying_bmps_and_tiffs([&](const auto& each) { court(each); });
  court.adjourn("BMP, TIFF");
}

}  // namespace
}  // namespace framefleet::worker
