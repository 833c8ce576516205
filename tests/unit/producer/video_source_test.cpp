#include "producer/sources/video_source.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::producer;

namespace {

constexpr int kFrames = 24;
const VideoOptions kAsAccepted{VideoPace::as_accepted, FRAMEFLEET_BINARY_DIR "/framefleet-capture"};
const VideoOptions kOwnPace{VideoPace::own, kAsAccepted.capture_program};

/// A video whose frame i is grey 10 * i, so that each frame can be told from its pixels.
std::string write_video(const std::filesystem::path& path) {
  cv::VideoWriter writer(path.string(), cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 10,
                         cv::Size(160, 120));
  REQUIRE(writer.isOpened());
  for (int i = 0; i < kFrames; ++i)
    writer.write(cv::Mat(120, 160, CV_8UC3, cv::Scalar::all(10 * i)));
  return path.string();
}

/// Which frame of write_video() a picture is.
int frame_in(const Picture& picture) {
  const std::vector<char> bytes(picture.bytes.begin(), picture.bytes.end());
  const auto image = cv::imdecode(bytes, cv::IMREAD_GRAYSCALE);
  REQUIRE(image.size() == cv::Size(160, 120));
  return static_cast<int>(cv::mean(image)[0] / 10 + 0.5);
}

Picture read(VideoSource& source, std::uint64_t sequence) {
  auto picture = source.read(sequence);
  REQUIRE(picture);
  REQUIRE(*picture);
  return std::move(**picture);
}

/// To the capture processes that this process has started; how many.
int signal_children(int signal) {
  std::ifstream children("/proc/self/task/" + std::to_string(::gettid()) + "/children");
  int told = 0;
  for (pid_t pid = 0; children >> pid; ++told) ::kill(pid, signal);
  return told;
}
int kill_children() { return signal_children(SIGKILL); }

}  // namespace

TEST_CASE("what waits for a frame far behind can do something else meanwhile") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  auto options = kAsAccepted;
  options.patience = std::chrono::milliseconds(1);
  const auto source = VideoSource::open("job/a.avi", 7, path, options);
  REQUIRE(source);
  const auto wait_for = [&](std::uint64_t sequence) {
    while (!(*source)->ready(sequence)) continue;
  };
  wait_for(0);
  CHECK(frame_in(read(**source, 0)) == 0);
  REQUIRE(signal_children(SIGSTOP) == 1);  // it takes as long as we like
  for (int turn = 0; turn < 3; ++turn) CHECK_FALSE((*source)->ready(kFrames - 2));
  signal_children(SIGCONT);
  wait_for(kFrames - 2);
  CHECK((*source)->ready(kFrames - 2));
  CHECK(frame_in(read(**source, kFrames - 2)) == kFrames - 2);
  wait_for(3);  // from the film's begin
  CHECK(frame_in(read(**source, 3)) == 3);
  CHECK(frame_in(read(**source, 4)) == 4);  // unasked

  wait_for(5);
  CHECK(kill_children() == 1);  // its frame is there all the same
  CHECK(frame_in(read(**source, 5)) == 5);
  wait_for(6);
  CHECK(frame_in(read(**source, 6)) == 6);
  wait_for(kFrames);  // its end is waited for like a frame
  CHECK_FALSE(*(*source)->read(kFrames));
  CHECK((*source)->ready(kFrames));
}

TEST_CASE("the sequence of a video's picture is the number of its frame") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  const auto source = VideoSource::open("job/a.avi", 7, path, kAsAccepted);
  REQUIRE(source);
  CHECK((*source)->name() == "job/a.avi");
  CHECK((*source)->epoch() == 7);
  CHECK((*source)->count() == kFrames);
  std::uint64_t frames = 0;
  for (auto s = (*source)->next_sequence(0); s; s = (*source)->next_sequence(*s + 1)) {
    const auto picture = (*source)->read(*s);
    REQUIRE(picture);
    if (!*picture) break;
    CHECK(frame_in(**picture) == static_cast<int>(*s));
    CHECK((*picture)->origin == path + "#" + std::to_string(*s));
    ++frames;
  }
  CHECK(frames == kFrames);
  CHECK_FALSE((*source)->next_sequence(kFrames));
  CHECK((*source)->remark().empty());
}

TEST_CASE("a video is read as fast as it is taken, or at its own pace") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  CHECK((*VideoSource::open("a", 0, path, kAsAccepted))->interval() == Duration::zero());
  const auto paced = VideoSource::open("a", 0, path, kOwnPace);
  REQUIRE(paced);
  CHECK((*paced)->interval() == std::chrono::milliseconds(100));
  CHECK(frame_in(read(**paced, 3)) == 3);
}

TEST_CASE("a frame can be read again, later and earlier ones too, with the same bytes") {
  const test::TemporaryFolder folder;
  const auto source = VideoSource::open("a", 0, write_video(folder.path() / "a.avi"), kAsAccepted);
  REQUIRE(source);
  const auto late = read(**source, 20);
  CHECK(frame_in(late) == 20);
  CHECK(frame_in(read(**source, 3)) == 3);
  CHECK(frame_in(read(**source, 7)) == 7);
  CHECK(read(**source, 20).bytes == late.bytes);
  CHECK_FALSE((*source)->read(kFrames + 5)->has_value());
  CHECK(frame_in(read(**source, 0)) == 0);
}

TEST_CASE("a video that is cut ends where it can no longer be read, and says so") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const auto source = VideoSource::open("a", 0, path, kAsAccepted);
  REQUIRE(source);
  std::uint64_t frames = 0;
  while (true) {
    const auto picture = (*source)->read(frames);
    REQUIRE(picture);
    if (!*picture) break;
    ++frames;
    REQUIRE(frames < kFrames);
  }
  CHECK(frames > 0);
  CHECK((*source)->count() == frames);
  CHECK_FALSE((*source)->next_sequence(frames));
  CHECK((*source)->remark() ==
        path + ": " + std::to_string(frames) + " frames could be read; the file promises 24");
}

TEST_CASE("a frame that breaks off is left out, and that is said") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  file.seekp(static_cast<std::streamoff>(bytes.find("\xff\xd9", bytes.size() / 2)));
  file.write("\0\0", 2);
  file.close();
  const auto source = VideoSource::open("a", 0, path, kAsAccepted);
  REQUIRE(source);
  CHECK(frame_in(read(**source, kFrames - 2)) == kFrames - 1);
  CHECK_FALSE((*source)->read(kFrames - 1)->has_value());
  CHECK((*source)->count() == kFrames - 1);
  CHECK((*source)->remark() ==
        path + ": 23 frames could be read; the file promises 24; 1 damaged ones were left out");
}

TEST_CASE("a capture process that dies is started once more, and then the video ends") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  const auto program = folder.path() / "capture";
  std::filesystem::create_symlink(kAsAccepted.capture_program, program);
  const auto source = VideoSource::open("a", 0, path, {VideoPace::as_accepted, program});
  REQUIRE(source);
  CHECK(frame_in(read(**source, 3)) == 3);
  REQUIRE(kill_children() == 1);
  CHECK(frame_in(read(**source, 4)) == 4);
  CHECK((*source)->remark().empty());
  CHECK_FALSE((*source)->broke_off());
  REQUIRE(kill_children() == 1);
  std::filesystem::remove(program);
  std::filesystem::create_symlink("/bin/false", program);
  CHECK_FALSE((*source)->read(5)->has_value());
  CHECK((*source)->count() == 5);
  CHECK_THAT((*source)->remark(), Catch::Contains("5 frames could be read; the file promises 24; "
                                                  "then the capture process"));
  CHECK((*source)->broke_off());
}

TEST_CASE("a capture process that dies far behind is started once more without a wait") {
  const test::TemporaryFolder folder;
  const auto path = write_video(folder.path() / "a.avi");
  auto options = kAsAccepted;
  options.patience = std::chrono::milliseconds(1);
  const auto source = VideoSource::open("a", 0, path, options);
  REQUIRE(source);
  while (!(*source)->ready(0)) continue;
  CHECK(frame_in(read(**source, 0)) == 0);
  REQUIRE(signal_children(SIGSTOP) == 1);
  CHECK_FALSE((*source)->ready(kFrames - 2));
  REQUIRE(kill_children() == 1);
  CHECK_FALSE((*source)->ready(kFrames - 2));  // it is dead: another one is to be asked
  CHECK_FALSE((*source)->broke_off());
  while (!(*source)->ready(kFrames - 2)) continue;
  CHECK(frame_in(read(**source, kFrames - 2)) == kFrames - 2);
}

TEST_CASE("no capture process is left when a video is done with") {
  const test::TemporaryFolder folder;
  {
    const auto source =
        VideoSource::open("a", 0, write_video(folder.path() / "a.avi"), kAsAccepted);
    REQUIRE(source);
    CHECK(kill_children() == 0);  // it was opened to be looked at, and closed again
    CHECK(frame_in(read(**source, 0)) == 0);
  }
  CHECK(kill_children() == 0);
}

TEST_CASE("what is no video is refused at once") {
  const test::TemporaryFolder folder;
  const auto path = (folder.path() / "a.avi").string();
  const auto text = GENERATE(as<std::string>{}, "", "this is text",
                             "RIFF\x20\x00\x00\x00"
                             "AVI LIST");
  std::ofstream(path, std::ios::binary) << text;
  const auto source = VideoSource::open("a", 0, path, kAsAccepted);
  REQUIRE_FALSE(source);
  CHECK(source.error().exit_code == exit_code::kNoInput);
  CHECK_THAT(source.error().text, Catch::Contains(path));
}

TEST_CASE("a colon in a video's name is no protocol") {
  const test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  write_video(folder.path() / "cam.avi");
  std::filesystem::rename(folder.path() / "cam.avi", folder.path() / "cam:1.avi");
  std::filesystem::current_path(folder.path());
  const auto source = VideoSource::open("a", 0, "cam:1.avi", kAsAccepted);
  std::filesystem::current_path(before);
  CHECK(source);
}
