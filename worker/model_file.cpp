#include "worker/model_file.hpp"

#include "worker/detectors/registry.hpp"

#include "shared/config/load.hpp"
#include "shared/config/option_set.hpp"
#include "shared/security/sha256.hpp"
#include "shared/wire/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{1} << 30U;
constexpr std::uintmax_t kLabelsFileBytesMax = kLabelsMax * (kLabelBytesMax + 2);
constexpr int kSideMax = 8192;

tl::unexpected<Error> wrong(std::string text) {
  return fail(Error{std::move(text), exit_code::kConfig});
}
tl::unexpected<Error> not_there(std::string text) {
  return fail(Error{std::move(text), exit_code::kNoInput});
}

template <class E>
std::vector<std::pair<std::string, E>> words_of(std::initializer_list<E> values) {
  std::vector<std::pair<std::string, E>> words;
  for (const E value : values) words.emplace_back(to_string(value), value);
  return words;
}

/// The fields as TOML has them; what is a text of numbers is read afterwards.
struct Said {
  std::string detector{detectors_with_models().front()};
  fs::path file;
  fs::path structure;
  std::string sha256;
  std::string structure_sha256;
  DecodeScale decode_scale{DecodeScale::full};
  std::string licence;
  std::string source;
  std::string structure_source;
  std::string size{"640x640"};
  std::string mean{"0"};
  std::string scale{"1"};
  std::vector<std::string> labels;
  fs::path labels_file;
  fs::path gallery;
  double score{0.25};
  double overlap{0.45};
  double likeness{0.35};
  NetworkModel network;
};

void describe(config::OptionSet& set, Said& said) {
  auto& network = said.network;
  std::vector<std::pair<std::string, Layout>> layouts;
  for (std::size_t i = 0; i < kLayouts; ++i) {
    layouts.emplace_back(to_string(static_cast<Layout>(i)), static_cast<Layout>(i));
  }
  set.section("model")
      .add("detector", said.detector, {.choices = detectors_with_models()})
      .add("file", said.file, {})
      .add("sha256", said.sha256, {})
      .add("structure", said.structure, {})
      .add("structure_sha256", said.structure_sha256, {})
      .add("layout", network.layout, {.words = std::move(layouts)})
      .add("backend", network.backend,
           {.words = words_of({Backend::automatic, Backend::opencv, Backend::onnxruntime})})
      .add("decode_scale", said.decode_scale,
           {.words = words_of(
                {DecodeScale::full, DecodeScale::half, DecodeScale::quarter, DecodeScale::eighth})})
      .add("licence", said.licence, {})
      .add("source", said.source, {})
      .add("structure_source", said.structure_source, {});
  set.section("input")
      .add("size", said.size, {})
      .add("fit", network.input.fit,
           {.words = words_of({Fit::stretch, Fit::centre, Fit::top_left, Fit::own})})
      .add("resample", network.input.resample,
           {.words = words_of({Resample::linear, Resample::area})})
      .add("colour", network.input.colour,
           {.words = words_of({ColourOrder::bgr, ColourOrder::rgb})})
      .add("mean", said.mean, {})
      .add("scale", said.scale, {})
      .add("fill", network.input.fill, {.min = 0, .max = 255});
  set.section("output")
      .add("gallery", said.gallery, {})
      .add("labels", said.labels, {})
      .add("labels_file", said.labels_file, {})
      .add("score", said.score, {.min = 0.001, .max = 1})
      .add("overlap", said.overlap, {.min = 0.01, .max = 1})
      .add("likeness", said.likeness, {.min = -1, .max = 1});
}

/// "FILE:LINE: section.key", or the file alone where it does not say the key.
std::string place_of(config::OptionSet& set, const fs::path& toml, std::string_view section,
                     std::string_view key) {
  const config::Option* option = set.find(section, key);
  const std::string& place = option->origin == "default" ? toml.string() : option->origin;
  return fmt::format("{}: {}", place, option->name());
}

// --- numbers in texts -------------------------------------------------------------------------

template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "416x416"
std::optional<InputSize> size_in(std::string_view text) {
  const auto cross = std::min(text.find('x'), text.size());
  const auto width = number_in<int>(text.substr(0, cross));
  const auto height = number_in<int>(text.substr(std::min(cross + 1, text.size())));
  const auto allowed = [](const std::optional<int>& side) {
    return side && *side >= 1 && *side <= kSideMax;
  };
  if (!allowed(width) || !allowed(height)) return std::nullopt;
  return InputSize{*width, *height};
}

/// "0.5", "1/255"
std::optional<float> share_in(std::string_view text) {
  const auto slash = text.find('/');
  const auto above = number_in<double>(text.substr(0, slash));
  const auto below = slash == std::string_view::npos ? std::optional(1.0)
                                                     : number_in<double>(text.substr(slash + 1));
  if (!above || !below || *below == 0 || !std::isfinite(*above / *below)) return std::nullopt;
  return static_cast<float>(*above / *below);
}

/// "0", "103.53 116.28 123.675", "1/57.375 1/57.12 1/58.395": one number for all colours, or three.
std::optional<std::array<float, 3>> colours_in(const std::string& text) {
  std::istringstream in(text);
  std::vector<float> numbers;
  for (std::string word; in >> word;) {
    const auto number = share_in(word);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.size() == 1) return std::array{numbers[0], numbers[0], numbers[0]};
  if (numbers.size() != 3) return std::nullopt;
  return std::array{numbers[0], numbers[1], numbers[2]};
}

// --- one file ---------------------------------------------------------------------------------

bool is_cascade(const fs::path& file) { return file.extension() == ".xml"; }

/// The file is a picture that is looked for.
bool is_template(std::string_view detector) { return detector == "template"; }

/// What of the keys a cascade has, and a template but for its scale; the rest is about networks.
bool is_of_cascades(std::string_view name) {
  constexpr std::array<std::string_view, 6> kSaid{"model.detector", "model.file",
                                                  "model.sha256",   "model.decode_scale",
                                                  "model.licence",  "model.source"};
  return std::find(kSaid.begin(), kSaid.end(), name) != kSaid.end();
}

Result<void, Error> read_numbers(config::OptionSet& set, const fs::path& toml, Said& said) {
  InputSpec& input = said.network.input;
  const auto size = size_in(said.size);
  if (!size) {
    return wrong(fmt::format("{}: \"{}\" is no size; allowed: WIDTHxHEIGHT, 1 to {} pixels each",
                             place_of(set, toml, "input", "size"), said.size, kSideMax));
  }
  input.size = *size;
  const auto colours = [&](std::string_view key, const std::string& text,
                           std::array<float, 3>& into) -> Result<void, Error> {
    const auto numbers = colours_in(text);
    if (!numbers) {
      return wrong(
          fmt::format("{}: \"{}\" is not accepted; allowed: one number or three, each "
                      "like 0.5 or 1/255, with blanks between them",
                      place_of(set, toml, "input", key), text));
    }
    into = *numbers;
    return {};
  };
  if (auto mean = colours("mean", said.mean, input.mean); !mean) return mean;
  if (auto scale = colours("scale", said.scale, input.scale); !scale) return scale;
  if (!said.labels.empty() && !said.labels_file.empty()) {
    return wrong(fmt::format("{}: there is output.labels as well; say one of them",
                             place_of(set, toml, "output", "labels_file")));
  }
  said.network.labels = said.labels;
  said.network.score_min = static_cast<float>(said.score);
  said.network.overlap_max = static_cast<float>(said.overlap);
  said.network.likeness_min = static_cast<float>(said.likeness);
  return {};
}

Result<void, Error> check_keys(config::OptionSet& set, const fs::path& toml, const Said& said,
                               const std::vector<std::string>& keys) {
  for (const std::string_view required : {"model.detector", "model.file"}) {
    if (std::find(keys.begin(), keys.end(), required) == keys.end()) {
      return wrong(
          fmt::format("{}: {} is missing; a model file has to say it", toml.string(), required));
    }
  }
  const bool picture = is_template(said.detector);
  if (!is_cascade(said.file) && !picture) return {};
  for (const auto& key : keys) {
    if (is_of_cascades(key) && !(picture && key == "model.decode_scale")) continue;
    const auto dot = key.find('.');
    return wrong(
        fmt::format("{}: {} is a {}, of which there is nothing like it to say; leave "
                    "it out",
                    place_of(set, toml, key.substr(0, dot), key.substr(dot + 1)),
                    said.file.string(), picture ? "template" : "cascade"));
  }
  return {};
}

/// Absolute: it has to be the same one in every process.
fs::path found_from(const fs::path& toml, const fs::path& file) {
  std::error_code ignored;
  return file.empty() ? fs::path{} : fs::absolute(toml.parent_path(), ignored) / file;
}

Result<FileBytes, Error> load(const fs::path& path, const std::string& sha256,
                              const std::string& place, const std::string& sha256_place) {
  std::error_code error;
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (error || size == 0) {
    return not_there(
        fmt::format("{}: {} is not a file that can be read; name one from the folder "
                    "of the model file, or an absolute path",
                    place, path.string()));
  }
  if (size > kFileBytesMax || path.string().size() > kModelPathMax) {
    return wrong(fmt::format("{}: {} is too large, or its path is: {} and {} bytes are allowed",
                             place, path.string(), kFileBytesMax, kModelPathMax));
  }
  auto bytes = read_bytes(path.string());
  if (bytes == nullptr)
    return not_there(fmt::format("{}: {} cannot be read", place, path.string()));
  if (sha256.empty()) return bytes;
  const auto found = security::sha256_hex(*bytes);
  if (found == sha256) return bytes;
  return wrong(fmt::format("{}: {} has another one, {}: get the file again, or correct the digest",
                           sha256_place, path.string(), found));
}

/// One a line; carriage returns and an empty end do not count.
Result<std::vector<std::string>, Error> labels_in(const fs::path& file, const std::string& place) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const auto bytes = error || size > kLabelsFileBytesMax ? nullptr : read_bytes(file.string());
  if (bytes == nullptr) {
    return not_there(fmt::format("{}: {} is not a file of at most {} bytes that can be read", place,
                                 file.string(), kLabelsFileBytesMax));
  }
  std::vector<std::string> labels;
  std::istringstream lines(*bytes);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    labels.push_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

}  // namespace

Result<ModelFile, Error> read_model_file(const fs::path& toml) {
  const std::string name = toml.stem();
  if (!is_model_name(name)) {
    return wrong(
        fmt::format("{}: a model is called as its file is, by up to 64 letters, digits, "
                    "underscores and hyphens; rename the file",
                    toml.string()));
  }
  Said said;
  config::OptionSet set{"model file", ""};
  describe(set, said);
  const auto keys = config::parse_file_into(set, toml);
  if (!keys) {
    const std::string& text = keys.error().text;
    return wrong(text.substr(0, text.find_last_not_of('\n') + 1));
  }
  if (auto checked = check_keys(set, toml, said, *keys); !checked) return fail(checked.error());
  if (auto read = read_numbers(set, toml, said); !read) return fail(read.error());
  ModelFile file;
  file.toml = toml;
  file.sha256 = said.sha256;
  file.structure_sha256 = said.structure_sha256;
  file.sha256_at = place_of(set, toml, "model", "sha256");
  file.structure_sha256_at = place_of(set, toml, "model", "structure_sha256");
  file.file_at = place_of(set, toml, "model", "file");
  file.structure_at = place_of(set, toml, "model", "structure");
  file.labels_file = found_from(toml, said.labels_file);
  file.labels_at =
      place_of(set, toml, "output", said.labels_file.empty() ? "labels" : "labels_file");
  file.licence = said.licence;
  file.source = said.source;
  file.structure_source = said.structure_source;
  file.model.name = name;
  file.model.detector = said.detector;
  file.model.path = found_from(toml, said.file).string();
  file.model.decode_scale = said.decode_scale;
  if (is_cascade(said.file) || is_template(said.detector)) return file;
  file.model.gallery_path = found_from(toml, said.gallery).string();
  said.network.structure_path = found_from(toml, said.structure).string();
  file.model.network = std::move(said.network);
  return file;
}

Result<Model, Error> load_model(const ModelFile& file) {
  Model model = file.model;
  auto bytes = load(model.path, file.sha256, file.file_at, file.sha256_at);
  if (!bytes) return fail(bytes.error());
  model.bytes = std::move(*bytes);
  model.sha256 = security::sha256_hex(*model.bytes);
  if (!model.network) return model;
  NetworkModel& network = *model.network;
  if (!network.structure_path.empty()) {
    auto structure = load(network.structure_path, file.structure_sha256, file.structure_at,
                          file.structure_sha256_at);
    if (!structure) return fail(structure.error());
    model.structure_bytes = std::move(*structure);
  }
  if (!file.labels_file.empty()) {
    auto labels = labels_in(file.labels_file, file.labels_at);
    if (!labels) return fail(labels.error());
    network.labels = std::move(*labels);
  }
  const bool named =
      std::all_of(network.labels.begin(), network.labels.end(), [](const std::string& label) {
        return !label.empty() && label.size() <= kLabelBytesMax && wire::is_utf8(label);
      });
  if (!named || network.labels.size() > kLabelsMax) {
    return wrong(
        fmt::format("{}: a label is empty, longer than {} bytes or no UTF-8, or there are more "
                    "than {}; write one name for each class",
                    file.labels_at, kLabelBytesMax, kLabelsMax));
  }
  return model;
}

}  // namespace framefleet::worker
