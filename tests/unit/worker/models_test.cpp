// Model files: what they may say, and what is said of those that are wrong.

#include "worker/models.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "worker/pool/model_wire.hpp"

#include "shared/security/sha256.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace framefleet::worker {
namespace {

namespace fs = std::filesystem;

const fs::path kCascade = "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml";

/// A folder of models with the cascade in it.
class Models {
 public:
  Models() { fs::copy_file(kCascade, folder.path() / "lbp.xml"); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
  }
  std::string digest() const {
    std::ifstream file(kCascade, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return security::sha256_hex(bytes);
  }
  /// With "DIR" for the folder. Requires: an error.
  std::string error(int exit_code) const {
    const auto files = read_model_files(folder.path());
    REQUIRE_FALSE(files.has_value());
    CHECK(files.error().exit_code == exit_code);
    return without_folder(files.error().text);
  }
  /// The same of one that can be understood, and is bad. Requires: it is the only one.
  std::string refusal(int exit_code) const {
    const auto tried = try_all();
    REQUIRE(tried.size() == 1);
    REQUIRE_FALSE(tried[0].trial.has_value());
    CHECK(good_ones(tried).empty());
    CHECK(refused_ones(tried).at(0).detector == tried[0].model.detector);
    CHECK(tried[0].trial.error().exit_code == exit_code);
    return without_folder(tried[0].trial.error().text);
  }
  std::vector<TriedModel> try_all() const {
    const auto files = read_model_files(folder.path());
    REQUIRE(files.has_value());
    return try_models(*files, {.program = FRAMEFLEET_WORKER});
  }
  std::string without_folder(std::string text) const {
    const std::string dir = folder.path();
    for (auto at = text.find(dir); at != std::string::npos; at = text.find(dir)) {
      text.replace(at, dir.size(), "DIR");
    }
    return text;
  }

  test::TemporaryFolder folder;
};

TEST_CASE("SHA-256 is what sha256sum prints") {
  CHECK(security::sha256_hex("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("no folder has no models, and a folder has one for each TOML, by name") {
  CHECK(read_model_files({})->empty());
  const Models models;
  models.write("notes.txt", "not a model");
  CHECK(read_model_files(models.folder.path())->empty());
  models.write("mine.toml", "[model]\ndetector = \"faces\"\nfile = \"lbp.xml\"\nsha256 = \"" +
                                models.digest() + "\"\ndecode_scale = \"1/4\"\n");
  models.write("alt2.toml",
               "[model]\ndetector = \"faces\"\nfile = \"" + kCascade.string() + "\"\n");
  const auto read = good_ones(models.try_all());
  REQUIRE(read.size() == 2);
  CHECK(read.at(0).name == "alt2");
  CHECK(read.at(0).path == kCascade);
  CHECK(read.at(0).decode_scale == DecodeScale::full);
  CHECK(read.at(1).name == "mine");
  CHECK(read.at(1).detector == "faces");
  CHECK(read.at(1).path == models.folder.path() / "lbp.xml");
  CHECK(read.at(1).decode_scale == DecodeScale::quarter);
}

TEST_CASE("a model is asked for by its name, and one with a cascade's name stands in for it") {
  DetectorSettings settings;
  settings.models = {{"mine", "faces", kCascade, DecodeScale::quarter},
                     {"alt2", "faces", kCascade, DecodeScale::half}};
  const auto smallest = [&](std::string_view spec) {
    const auto made = make_detector(spec, settings);
    REQUIRE(made.has_value());
    return (*made)->needs().smallest;
  };
  CHECK(smallest("faces?cascade=mine") == DecodeScale::quarter);
  CHECK(smallest("faces") == DecodeScale::half);
  CHECK(smallest("faces?cascade=alt") == DecodeScale::full);
  const auto unknown = make_detector("faces?cascade=yours", settings);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().exit_code == exit_code::kUsage);
  CHECK_FALSE(parse_detector("faces?cascade=../yours").has_value());
}

TEST_CASE("the example model file is one") {
  const Models models;
  fs::copy_file(FRAMEFLEET_SOURCE_DIR "/config/model.example.toml",
                models.folder.path() / "alt2.toml");
  const auto read = good_ones(models.try_all());
  REQUIRE(read.size() == 1);
  CHECK(read.at(0).decode_scale == DecodeScale::half);
}

TEST_CASE("a folder or a file that is not there is named") {
  const Models models;
  const auto nowhere = read_model_files(models.folder.path() / "no");
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().exit_code == exit_code::kNoInput);
  CHECK(nowhere.error().text == "models: " + (models.folder.path() / "no").string() +
                                    ": No such file or directory; name a folder of model files, "
                                    "NAME.toml");
  models.write("a.toml", "[model]\ndetector = \"faces\"\nfile = \"no.xml\"\n");
  CHECK(models.refusal(exit_code::kNoInput) ==
        "DIR/a.toml:3: model.file: DIR/no.xml is not a file that can be read; name one from the "
        "folder of the model file, or an absolute path");
}

TEST_CASE("a model file that says something wrong is refused with its line, and what is right") {
  const Models models;
  const auto check = [&](const std::string& text, const std::string& message) {
    models.write("a.toml", text);
    CHECK(models.error(exit_code::kConfig) == message);
  };
  check("[model]\ndetector = \"faces\"\nfile = \"lbp.xml\"\ndecode_scale = \"1/3\"\n",
        "DIR/a.toml:4:16: model.decode_scale: \"1/3\" is not one of the words; allowed: 1, 1/2, "
        "1/4, 1/8");
  check("[model]\ndetector = \"nose\"\nfile = 3\n",
        "DIR/a.toml:2:12: model.detector: \"nose\" is not one of the words; allowed: faces, "
        "objects, recognise, template\n"
        "DIR/a.toml:3:8: model.file: wrong type, an integer; allowed: a path");
  check("[model]\ndetector = \"faces\"\nfile = \"lbp.xml\"\nscale = \"1/2\"\n",
        "DIR/a.toml:4:1: model.scale: unknown key, it belongs in [input]; allowed: detector, file, "
        "sha256, "
        "structure, structure_sha256, layout, backend, decode_scale, licence, source, "
        "structure_source");
  check(
      "detector = \"faces\"\n",
      "DIR/a.toml:1:1: detector: a key outside every section; allowed: [model], [input], [output]");
  check("[model",
        "DIR/a.toml:1:7: not TOML: Error while parsing table header: encountered end-of-file");
  check("[model]\nfile = \"lbp.xml\"\n",
        "DIR/a.toml: model.detector is missing; a model file has to say it");
  check("[model]\ndetector = \"faces\"\n",
        "DIR/a.toml: model.file is missing; a model file has to say it");
}

TEST_CASE("a number that is none is refused with its line, and what is right") {
  const Models models;
  const auto check = [&](const std::string& line, const std::string& message) {
    models.write("a.toml",
                 "[model]\ndetector = \"objects\"\nfile = \"net.onnx\"\n[input]\n" + line + "\n");
    CHECK(models.error(exit_code::kConfig) == "DIR/a.toml:5: " + message);
  };
  const std::string colours =
      " is not accepted; allowed: one number or three, each like 0.5 or 1/255, with blanks between "
      "them";
  check("size = \"416\"",
        "input.size: \"416\" is no size; allowed: WIDTHxHEIGHT, 1 to 8192 pixels each");
  check("size = \"0x416\"",
        "input.size: \"0x416\" is no size; allowed: WIDTHxHEIGHT, 1 to 8192 pixels each");
  check("mean = \"1 2\"", "input.mean: \"1 2\"" + colours);
  check("scale = \"1/0\"", "input.scale: \"1/0\"" + colours);
  check("scale = \"1e400\"", "input.scale: \"1e400\"" + colours);
}

TEST_CASE("what only networks have is refused of a cascade") {
  const Models models;
  models.write("a.toml",
               "[model]\ndetector = \"faces\"\nfile = \"lbp.xml\"\n[input]\nsize = \"8x8\"\n");
  CHECK(models.error(exit_code::kConfig) ==
        "DIR/a.toml:5: input.size: lbp.xml is a cascade, of which there is nothing like it to say; "
        "leave it out");
}

TEST_CASE("a template is a picture of which its file says nothing that networks have") {
  const Models models;
  models.write("a.toml", "[model]\ndetector = 'template'\nfile = 'lbp.xml'\n");
  CHECK(models.refusal(exit_code::kConfig).find("DIR/lbp.xml: text or HTML, not a picture") !=
        std::string::npos);
  models.write("a.toml", "[model]\ndetector = 'template'\nfile = 'a.png'\ndecode_scale = '1/2'\n");
  CHECK(models.error(exit_code::kConfig) ==
        "DIR/a.toml:4: model.decode_scale: a.png is a template, of which there is nothing like it "
        "to say; leave it out");
}

TEST_CASE("what a file of a network says is read, and travels to other processes") {
  const Models models;
  models.write("names", "cat\r\nsea lion\n\n");
  models.write("net.onnx", "bytes");
  models.write("a.toml", R"([model]
detector = "objects"
file = "net.onnx"
layout = "yolov8"
backend = "opencv"
decode_scale = "1/2"
licence = "MIT"
source = "a friend"
[input]
size = "64x32"
fit = "centre"
resample = "area"
colour = "rgb"
mean = "1 2.5 3"
scale = "1/255"
fill = 7
[output]
labels_file = "names"
score = 0.5
overlap = 0.6
)");
  const auto files = read_model_files(models.folder.path());
  REQUIRE(files.has_value());
  CHECK(files->at(0).licence == "MIT");
  CHECK(files->at(0).source == "a friend");
  const auto model = load_model(files->at(0));
  REQUIRE(model.has_value());
  REQUIRE(model->network.has_value());
  NetworkModel expected;
  expected.layout = Layout::yolov8;
  expected.backend = Backend::opencv;
  expected.input = {{64, 32},
                    Fit::centre,
                    Resample::area,
                    ColourOrder::rgb,
                    {1, 2.5F, 3},
                    {1 / 255.0F, 1 / 255.0F, 1 / 255.0F},
                    7};
  expected.labels = {"cat", "sea lion"};
  expected.score_min = 0.5F;
  expected.overlap_max = 0.6F;
  CHECK(*model->network == expected);
  CHECK(*model->bytes == "bytes");
  const auto parcel = pack({*model});
  REQUIRE(parcel.has_value());
  const auto unpacked = unpack(*parcel);
  REQUIRE(unpacked.has_value());
  CHECK(*unpacked->at(0).network == expected);
  CHECK(*unpacked->at(0).bytes == "bytes");
  CHECK(unpacked->at(0).sha256 == model->sha256);
}

TEST_CASE("a file that is another than was said is refused") {
  const Models models;
  models.write("a.toml", "[model]\ndetector = \"faces\"\nfile = \"lbp.xml\"\nsha256 = \"abc\"\n");
  CHECK(models.refusal(exit_code::kConfig) ==
        "DIR/a.toml:4: model.sha256: DIR/lbp.xml has another one, " + models.digest() +
            ": get the file again, or correct the digest");
}

TEST_CASE("what is no cascade is refused before a task needs it") {
  const Models models;
  models.write("rose.xml", "a rose");
  models.write("a.toml", "[model]\ndetector = \"faces\"\nfile = \"rose.xml\"\n");
  CHECK(models.refusal(exit_code::kNoInput) ==
        "DIR/a.toml: detector \"faces\": DIR/rose.xml is not a cascade");
}

TEST_CASE("a file whose name no task could say is refused") {
  const Models models;
  models.write("my face.toml", "[model]\n");
  CHECK(models.error(exit_code::kConfig) ==
        "DIR/my face.toml: a model is called as its file is, by up to 64 letters, digits, "
        "underscores and hyphens; rename the file");
}

}  // namespace
}  // namespace framefleet::worker
