#include "worker/detectors/faces.hpp"

#include "worker/cascades/cascade.hpp"
#include "worker/detectors/mat.hpp"
#include "worker/detectors/network_faces.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace framefleet::worker {
namespace {

struct KnownCascade {
  std::string_view name;
  std::string_view file;
};
constexpr std::array<KnownCascade, 8> kCascades{{
    {"alt2", "haarcascades/haarcascade_frontalface_alt2.xml"},
    {"default", "haarcascades/haarcascade_frontalface_default.xml"},
    {"alt", "haarcascades/haarcascade_frontalface_alt.xml"},
    {"alt_tree", "haarcascades/haarcascade_frontalface_alt_tree.xml"},
    {"profile", "haarcascades/haarcascade_profileface.xml"},
    {"lbp", "lbpcascades/lbpcascade_frontalface.xml"},
    {"lbp_improved", "lbpcascades/lbpcascade_frontalface_improved.xml"},
    {"lbp_profile", "lbpcascades/lbpcascade_profileface.xml"},
}};

class Faces final : public Detector {
 public:
  Faces(std::unique_ptr<Cascade> cascade, const Options& options, DecodeScale smallest)
      : cascade_(std::move(cascade)),
        smallest_(smallest),
        scale_(options.real("scale")),
        neighbours_(static_cast<int>(options.integer("neighbours"))),
        min_size_(static_cast<int>(options.integer("min_size"))),
        max_size_(static_cast<int>(options.integer("max_size"))) {}

  Needs needs() const override { return {.smallest = smallest_}; }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const Plane& grey = input.picture.grey;
    const Ratio ratio = full_to(input.picture, grey);
    const CascadeSearch search{scale_,
                               neighbours_,
                               in_plane(min_size_, ratio.x),
                               in_plane(min_size_, ratio.y),
                               in_plane(max_size_, ratio.x),
                               in_plane(max_size_, ratio.y)};
    Found found;
    for (const auto& face : cascade_->look(grey, search)) {
      const cv::Rect box(face.x, face.y, face.width, face.height);
      found.detections.push_back(
          {"face", static_cast<float>(face.neighbours), as_box(box, ratio), ""});
    }
    std::stable_sort(found.detections.begin(), found.detections.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    return found;
  }

 private:
  /// A size in pixels of the full picture in those of the plane; only 0, no limit, becomes 0.
  static int in_plane(int size, double full_pixels) {
    return std::max(size > 0 ? 1 : 0, static_cast<int>(std::lround(size / full_pixels)));
  }

  std::unique_ptr<Cascade> cascade_;
  DecodeScale smallest_;
  double scale_;
  int neighbours_;
  int min_size_;
  int max_size_;
};

/// Where the chosen cascade is, and the model that says so, if it is one.
struct Chosen {
  const Model* model;
  std::string path;
};
Chosen chosen(const Options& options, const DetectorSettings& settings) {
  const std::string_view name = options.model("cascade");
  const Model* const model = settings.model("faces", name);
  return {model, model != nullptr ? model->path : cascade_path(name, settings)};
}

tl::unexpected<Error> not_there(const std::string& path) {
  return fail(Error{fmt::format("detector \"faces\": {} is not there; install the package "
                                "opencv-data or name the folder of the cascades",
                                path),
                    exit_code::kNoInput});
}

/// What only a cascade has, and only a network. Which of the two is meant shows in what is given;
/// where nothing is, it is the network of a worker that has one.
constexpr std::array<std::string_view, 3> kOfCascades{"cascade", "scale", "neighbours"};
constexpr std::array<std::string_view, 3> kOfNetworks{"model", "score", "overlap"};

Result<bool, Error> wants_network(const Options& options, const DetectorSettings& settings) {
  const auto given = [&](std::string_view name) { return options.given(name); };
  const auto* const cascade = std::find_if(kOfCascades.begin(), kOfCascades.end(), given);
  const auto* const network = std::find_if(kOfNetworks.begin(), kOfNetworks.end(), given);
  if (cascade != kOfCascades.end() && network != kOfNetworks.end()) {
    return fail(Error{fmt::format("detector \"faces\": {} is an option of cascades and {} one of "
                                  "networks; give one of them",
                                  *cascade, *network),
                      exit_code::kUsage});
  }
  if (network != kOfNetworks.end()) return true;
  return cascade == kOfCascades.end() && settings.has_network("faces");
}

Result<void, Error> check_cascade(const Options& options, const DetectorSettings& settings) {
  const auto [model, path] = chosen(options, settings);
  if (model != nullptr && model->network) {
    return fail(
        Error{fmt::format("detector \"faces\": {} is a network and no cascade; say model={}",
                          model->name, model->name),
              exit_code::kUsage});
  }
  const bool was_read =
      model != nullptr ? model->bytes != nullptr : settings.cascades.contains(path);
  if (!was_read && !std::ifstream(path)) return not_there(path);
  return {};
}

Result<void, Error> check(const Options& options, const DetectorSettings& settings) {
  const auto network = wants_network(options, settings);
  if (!network) return fail(network.error());
  if (!*network) return check_cascade(options, settings);
  const auto model = settings.network_model("faces", options.model("model"));
  return model ? Result<void, Error>{} : fail(model.error());
}

Result<std::unique_ptr<Cascade>, Error> cascade_of(const FileBytes& text, const std::string& path) {
  if (text == nullptr) return not_there(path);
  auto cascade = open_cascade(*text);
  if (cascade == nullptr) {
    return fail(
        Error{fmt::format("detector \"faces\": {} is not a cascade", path), exit_code::kNoInput});
  }
  return cascade;
}

Result<std::unique_ptr<Detector>, Error> make(const Options& options,
                                              const DetectorSettings& settings) {
  const auto network = wants_network(options, settings);
  if (!network) return fail(network.error());
  if (*network) return make_network_faces(options, settings);
  if (auto checked = check_cascade(options, settings); !checked) return fail(checked.error());
  const auto [model, path] = chosen(options, settings);
  const auto known = settings.cascades.find(path);
  auto cascade = cascade_of(model != nullptr                   ? bytes_of(*model)
                            : known != settings.cascades.end() ? known->second
                                                               : read_bytes(path),
                            path);
  if (!cascade) return fail(cascade.error());
  const auto smallest = model != nullptr ? model->decode_scale : DecodeScale::full;
  return std::make_unique<Faces>(std::move(*cascade), options, smallest);
}

}  // namespace

DetectorKind faces_kind() {
  std::vector<std::string_view> cascades;
  for (const auto& cascade : kCascades) cascades.push_back(cascade.name);
  return {"faces",
          1,
          "faces by a network (YuNet) where the worker has one, else by a Haar or LBP cascade",
          {{"cascade", OptionType::model, "alt2", 0, 0, "", std::move(cascades),
            "which trained cascade: Haar, or LBP (faster, fewer faces)"},
           {"scale",
            OptionType::real,
            "1.1",
            1.01,
            2,
            "",
            {},
            "step from one size searched to the next; larger is faster and finds less"},
           {"neighbours",
            OptionType::integer,
            "3",
            1,
            100,
            "",
            {},
            "windows that must agree on a face; larger finds fewer false ones"},
           model_option(),
           score_option(),
           overlap_option(),
           {"min_size", OptionType::integer, "30", 1, 20000, "px", {}, "smallest face"},
           {"max_size", OptionType::integer, "0", 0, 20000, "px", {}, "largest face; 0: no limit"}},
          make,
          check};
}

std::string cascade_path(std::string_view name, const DetectorSettings& settings) {
  const auto* const cascade =
      std::find_if(kCascades.begin(), kCascades.end(),
                   [&](const KnownCascade& each) { return each.name == name; });
  FRAMEFLEET_ASSERT(cascade != kCascades.end());
  return std::filesystem::path(settings.cascade_folder) / cascade->file;
}

CascadeFiles read_cascades(const DetectorSettings& settings) {
  CascadeFiles files;
  for (const auto& cascade : kCascades) {
    const std::string path = cascade_path(cascade.name, settings);
    if (auto text = read_bytes(path)) files.emplace(path, std::move(text));
  }
  return files;
}

Result<void, Error> try_cascade(const Model& model) {
  const auto opened = cascade_of(bytes_of(model), model.path);
  return opened ? Result<void, Error>{} : fail(opened.error());
}

}  // namespace framefleet::worker
