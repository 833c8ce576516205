#include "producer/camera_list.hpp"

#include "producer/options.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include "shared/config/load.hpp"
#include "shared/telemetry/program.hpp"

#include <fstream>
#include <sstream>

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// A program that reads its configuration from a file which the test writes.
struct Program {
  test::TemporaryFolder folder;
  ProducerOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-producer", "Submits."};

  Program() {
    describe(set, options);
    telemetry::describe(set, common);
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
    return folder.path() / name;
  }
  config::Outcome load(const std::string& toml, std::vector<std::string> arguments = {},
                       const config::Environment& environment = {}) {
    arguments.insert(arguments.begin(), {"--config", write("cameras.toml", toml).string()});
    return config::load(set, arguments, environment);
  }
  std::vector<CameraOptions> cameras() const { return options.cameras.cameras(); }
};

/// What is said of a file that is wrong, from behind its name.
std::string complaint(const std::string& toml) {
  Program program;
  const auto outcome = program.load(toml);
  CHECK(outcome.exit_code == exit_code::kConfig);
  const auto file = (program.folder.path() / "cameras.toml").string();
  REQUIRE(outcome.err.substr(0, file.size()) == file);
  return outcome.err.substr(file.size());
}

const std::string kGate = "[[camera]]\nname = \"gate\"\nurl = \"rtsp://cam/1\"\n";
const std::string kFaces = "[cameras]\ndetect = [\"faces\"]\n";

}  // namespace

TEST_CASE("cameras have the defaults of the file, the environment and the flags", "[cameras]") {
  Program program;
  const auto outcome = program.load(
      kGate + "fps = 2\nttl = \"3s\"\nmotion = \"difference\"\nmotion_hold = \"7s\"\n" + kFaces +
          "fps = 9\nquality = 70\nwidth = 640\nannotate = true\n[[camera]]\nname = \"yard\"\nurl = "
          "\"v4l2:/dev/video0\"\n",
      {"--cameras-width", "320"}, {{"FRAMEFLEET_CAMERAS_QUALITY", "60"}});
  CAPTURE(outcome.err);
  REQUIRE(outcome.run());
  const auto cameras = program.cameras();
  REQUIRE(cameras.size() == 2);
  CHECK(cameras[0].name == "gate");
  CHECK(cameras[0].fps == 2);
  CHECK(cameras[0].ttl == 3s);
  CHECK(cameras[0].width == 320);
  CHECK(cameras[0].quality == 60);
  CHECK(cameras[0].detect == std::vector<std::string>{"faces"});
  CHECK(cameras[0].annotate);
  CHECK(cameras[0].task_class == TaskClass::live);
  REQUIRE(cameras[0].motion);
  CHECK(cameras[0].motion->method == MotionMethod::difference);
  CHECK(cameras[0].motion->hold == 7s);
  CHECK(cameras[1].fps == 9);
  CHECK(cameras[1].url.reveal() == "v4l2:/dev/video0");
  CHECK_FALSE(cameras[1].motion);
}

TEST_CASE("a mistake in a camera names the line, the key and what is allowed", "[cameras]") {
  CHECK(complaint(kFaces + kGate + "fsp = 3\n")
            .starts_with(":6:1: camera.fsp: unknown key, did you mean fps?; allowed: name, url, "
                         "detect, annotate, class,"));
  CHECK(complaint(kFaces + kGate + "fps = 2000\n") ==
        ":6:7: camera.fps: 2000 is out of range; allowed: a number from 0.0 to 1000.0\n");
  CHECK(complaint(kFaces + kGate + "class = \"slow\"\n") ==
        ":6:9: camera.class: \"slow\" is not one of the words; allowed: live, batch\n");
  CHECK(complaint(kGate).starts_with(":1:1: camera: \"gate\": it has no detector"));
  CHECK(complaint(kFaces + kGate + kGate) ==
        ":6:1: camera: the name \"gate\" is that of a camera above\n");
  CHECK(complaint(kFaces + "[[camera]]\nname = \"a b\"\n")
            .starts_with(":3:1: camera: its name \"a b\" cannot be a source's; allowed: letters,"));
  CHECK(complaint(kFaces + "[[camera]]\nname = \"a\"\n")
            .starts_with(":3:1: camera: \"a\": its url is missing; allowed: rtsp://…, "));
  CHECK(complaint(kFaces + "[camera]\nname = \"a\"\n")
            .starts_with(":3:1: camera: is a table, not a list of tables; allowed: [[camera]]"));
  CHECK(complaint("[cameras]\nurl = \"x\"\n").starts_with(":2:1: cameras.url: unknown key"));
  CHECK(complaint("[kameras]\nfps = 1\n")
            .starts_with(
                ":1:2: kameras: unknown section, did you mean cameras?; allowed: [producer],"));
  CHECK_THAT(complaint(kFaces + kGate + "zones = \"{\"\n"), Contains("its zones are no JSON"));
  CHECK_THAT(complaint(kFaces + kGate + "motion_masks = \"[[0,0]]\"\n"),
             Contains("its motion_masks are no list of polygons"));
  CHECK_THAT(complaint(kFaces + kGate + "retry_min = \"1min\"\n"),
             Contains("its retry_min is over retry_max"));
}

TEST_CASE("secrets of a URL come from files and are shown to nobody", "[cameras]") {
  Program program;
  const auto password = program.write("password", "p@ss w/rd:\n").string();
  const auto login = program.write("login", "viewer:s:3\n").string();
  const auto url = program.write("url", "rtsp://admin:geheim@cam/9\n").string();
  const auto camera = [](const std::string& name, const std::string& text) {
    return "[[camera]]\nname = \"" + name + "\"\nurl = \"" + text + "\"\n";
  };
  const auto outcome =
      program.load(kFaces + camera("a", "rtsp://joe:${file:" + password + "}@cam/1") +
                       camera("b", "rtsp://${file:" + login + "}@cam/2") +
                       camera("c", "${file:" + url + "}") + camera("d", "rtsp://x:plain@cam/4"),
                   {"--print-config"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto cameras = program.cameras();
  REQUIRE(cameras.size() == 4);
  CHECK(cameras[0].url.reveal() == "rtsp://joe:p%40ss%20w%2Frd%3A@cam/1");
  CHECK(cameras[0].url.redacted() == "rtsp://***@cam/1");
  CHECK(cameras[1].url.reveal() == "rtsp://viewer:s%3A3@cam/2");
  CHECK(cameras[2].url.reveal() == "rtsp://admin:geheim@cam/9");
  CHECK(cameras[2].url.redacted() == "***");
  for (const auto* secret :
       {"joe", "p@ss", "p%40ss", "viewer", "s:3", "admin", "geheim", "plain"}) {
    CAPTURE(secret);
    CHECK(outcome.out.find(secret) == std::string::npos);
  }
  CHECK_THAT(outcome.out, Contains("[[camera]]") && Contains("url = \"rtsp://***@cam/4\""));
}

TEST_CASE("no error repeats a password", "[cameras]") {
  const std::string url = "rtsp://admin:geheim@cam/1";
  for (const auto& line :
       {"url = " + url, "url = \"" + url, "url = \"" + url + "\" x", "urk = \"" + url + "\"",
        "url = [\"" + url + "\"]", "url = \"x" + url + "\"", "url = '''" + url,
        "url = \"" + url + "${file:/nowhere}\"", "url = \"" + url + "${file:\"", "[" + url + "]",
        url, url + " = 1", "\"" + url + "\" = 1"}) {
    const auto text = complaint(kFaces + "[[camera]]\nname = \"gate\"\n" + line + "\n");
    CAPTURE(line, text);
    CHECK(text.find("geheim") == std::string::npos);
    CHECK(text.find("admin") == std::string::npos);
  }
}

TEST_CASE("the flags of the producer are what they are, whatever cameras have", "[cameras]") {
  Program program;
  const auto outcome = config::load(
      program.set, {"--detect", "edges", "--ttl", "3s", "--cameras-ttl", "5s", "--print-config"});
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(program.options.detect == "edges");
  CHECK(program.options.ttl == 3s);
  CHECK(program.options.cameras.defaults.options.ttl == 5s);
}

TEST_CASE("--help names the keys of a camera", "[cameras]") {
  Program program;
  CHECK_THAT(config::help_text(program.set),
             Contains("[[camera]] A camera.") && Contains("In the file alone: name, url, detect,"));
}

TEST_CASE("there are as many cameras as a hello can name, and not more", "[cameras]") {
  std::string toml = kFaces;
  for (std::size_t i = 0; i <= kCamerasMax; ++i) {
    toml += "[[camera]]\nname = \"c" + std::to_string(i) + "\"\nurl = \"rtsp://cam/1\"\n";
  }
  CHECK_THAT(complaint(toml), Contains(":387:1: camera: the file has over 128"));
}

TEST_CASE("cameras.example.toml is a configuration that works", "[cameras]") {
  Program program;
  std::ifstream file(FRAMEFLEET_SOURCE_DIR "/config/cameras.example.toml");
  std::stringstream text;
  text << file.rdbuf();
  program.write("gate_password", "a b");
  program.write("yard_url", "rtsp://user:word@10.0.0.22/live");
  std::string toml = text.str();
  const std::string secrets = "/run/secrets";
  for (auto at = toml.find(secrets); at != std::string::npos; at = toml.find(secrets, at)) {
    toml.replace(at, secrets.size(), program.folder.path().string());
  }
  const auto outcome = program.load(toml);
  CAPTURE(outcome.err);
  REQUIRE(outcome.run());
  const auto cameras = program.cameras();
  REQUIRE(cameras.size() == 4);
  CHECK(cameras[0].url.reveal() == "rtsp://viewer:a%20b@10.0.0.21:554/Streaming/Channels/102");
  CHECK(cameras[1].motion.has_value());
  CHECK(cameras[1].motion->masks.size() == 1);
  CHECK(cameras[3].fps == 0.5);
  CHECK(check(program.options).has_value());
}
