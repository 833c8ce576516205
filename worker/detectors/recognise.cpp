#include "worker/detectors/recognise.hpp"

#include "worker/decoding/decoder.hpp"
#include "worker/detectors/mat.hpp"
#include "worker/detectors/network_faces.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::array kLayoutsTaken{Layout::embedding};
constexpr std::string_view kNobody = "unknown";

/// Where the landmarks are in the square of 112 pixels that face recognisers are trained with.
constexpr int kSide = 112;
constexpr std::array<float, 2 * kLandmarks> kUpright{38.2946F, 51.6963F, 73.5318F, 51.5014F,
                                                     56.0252F, 71.7366F, 41.5493F, 92.3655F,
                                                     70.7299F, 92.2041F};

/// The turn, the size and the shift that bring the landmarks nearest to where they are upright, by
/// the least sum of squares.
cv::Matx23d upright(const std::array<float, 2 * kLandmarks>& at) {
  cv::Point2d from_mean;
  cv::Point2d to_mean;
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    from_mean += cv::Point2d(at[2 * i], at[2 * i + 1]) / double{kLandmarks};
    to_mean += cv::Point2d(kUpright[2 * i], kUpright[2 * i + 1]) / double{kLandmarks};
  }
  double cosine = 0;
  double sine = 0;
  double squares = 0;
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    const cv::Point2d from = cv::Point2d(at[2 * i], at[2 * i + 1]) - from_mean;
    const cv::Point2d to = cv::Point2d(kUpright[2 * i], kUpright[2 * i + 1]) - to_mean;
    cosine += from.dot(to);
    sine += from.cross(to);
    squares += from.dot(from);
  }
  const double a = squares > 0 ? cosine / squares : 1;
  const double b = squares > 0 ? sine / squares : 0;
  return {a, -b, to_mean.x - a * from_mean.x + b * from_mean.y,
          b, a,  to_mean.y - b * from_mean.x - a * from_mean.y};
}

double likeness(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() ? std::inner_product(a.begin(), a.end(), b.begin(), 0.0) : -1.0;
}

class Recognise final : public Detector {
 public:
  Recognise(FaceReader reader, const Options& options)
      : reader_(std::move(reader)),
        score_min_(static_cast<float>(options.real("score"))),
        likeness_min_(static_cast<float>(options.real("likeness"))) {
    if (score_min_ <= 0) score_min_ = reader_.faces().about().score_min;
    if (likeness_min_ <= 0) likeness_min_ = reader_.recogniser().about().likeness_min;
  }

  Needs needs() const override { return {.bgr = true}; }
  std::string version() const override {
    return reader_.recogniser().version() + "+" + reader_.faces().version();
  }

  Result<Found, DetectError> detect(const DetectInput& input) override {
    const auto faces = reader_.read(input.picture, score_min_);
    if (!faces) return fail(faces.error());
    Found found;
    for (const auto& [face, numbers] : *faces) {
      std::string name(kNobody);
      double nearest = -1;
      for (const auto& known : reader_.recogniser().model().gallery) {
        const double like = likeness(known.numbers, numbers);
        if (like <= nearest) continue;
        nearest = like;
        name = like >= double{likeness_min_} ? known.person : kNobody;
      }
      auto extra = landmarks_json(face);
      extra.back() = ',';
      found.detections.push_back({name,
                                  static_cast<float>(std::clamp(nearest, 0.0, 1.0)),
                                  {face.left, face.top, face.width, face.height},
                                  fmt::format("{}\"face\":{:.3f}}}", extra, face.score)});
    }
    return found;
  }

 private:
  FaceReader reader_;
  float score_min_;
  float likeness_min_;
};

Error no_faces() {
  return {
      "detector \"recognise\": it needs a network for faces beside its own model; put one into "
      "the folder of models (docs/DETECTORS.md)",
      exit_code::kNoInput};
}

/// The model that is asked for, where it and one for faces are there.
struct Chosen {
  const Model* recogniser;
  const Model* faces;
};
Result<Chosen, Error> chosen(const Options& options, const DetectorSettings& settings) {
  const auto recogniser = settings.network_model("recognise", options.model("model"));
  if (!recogniser) return fail(recogniser.error());
  const auto faces = settings.network_model("faces", kAutomatic);
  if (!faces) return fail(no_faces());
  return Chosen{*recogniser, *faces};
}

Result<void, Error> check(const Options& options, const DetectorSettings& settings) {
  const auto models = chosen(options, settings);
  return models ? Result<void, Error>{} : fail(models.error());
}

Result<std::unique_ptr<Detector>, Error> make(const Options& options,
                                              const DetectorSettings& settings) {
  const auto models = chosen(options, settings);
  if (!models) return fail(models.error());
  auto faces = open_faces_model(*models->faces, settings);
  if (!faces) return fail(faces.error());
  auto recogniser = settings.open(*models->recogniser, kLayoutsTaken);
  if (!recogniser) return fail(recogniser.error());
  return std::make_unique<Recognise>(FaceReader(std::move(*faces), std::move(*recogniser)),
                                     options);
}

/// One picture of a gallery: its one face, or why it is of no use.
Result<std::vector<float>, std::string> face_in(const fs::path& path, FaceReader& reader,
                                                Decoder& decoder) {
  const auto bytes = read_bytes(path.string());
  if (bytes == nullptr) return fail(std::string("it cannot be read"));
  const auto picture =
      decoder.decode(std::as_bytes(std::span(*bytes)), {.grey = false, .bgr = true});
  if (!picture) return fail(picture.error().text);
  auto faces = reader.read(*picture, reader.faces().about().score_min);
  if (!faces) return fail(faces.error().text);
  if (faces->size() == 1) return std::move(faces->front().numbers);
  return fail(
      faces->empty()
          ? std::string("no face is found in it")
          : fmt::format("{} faces are found in it, and nobody says whose it is of", faces->size()));
}

/// A file of a gallery, and whom it is of.
struct GalleryFile {
  fs::path path;
  std::string person;
};

Result<std::vector<GalleryFile>, Error> files_of(const std::string& folder) {
  std::error_code error;
  std::vector<GalleryFile> files;
  const fs::recursive_directory_iterator end;
  for (fs::recursive_directory_iterator entry(folder, error); !error && entry != end;
       entry.increment(error)) {
    if (entry.depth() > 1) entry.pop(error);
    if (error || entry == end || !entry->is_regular_file(error)) continue;
    const fs::path& path = entry->path();
    files.push_back(
        {path, entry.depth() == 0 ? path.stem().string() : path.parent_path().filename().string()});
  }
  if (error) {
    return fail(Error{fmt::format("gallery {}: {}; name a folder of PERSON.jpg or PERSON/any.jpg",
                                  folder, error.message()),
                      exit_code::kNoInput});
  }
  if (files.size() > kGalleryMax) {
    return fail(Error{fmt::format("gallery {}: it has {} files; {} are allowed", folder,
                                  files.size(), kGalleryMax),
                      exit_code::kConfig});
  }
  std::sort(files.begin(), files.end(),
            [](const GalleryFile& a, const GalleryFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace

Result<std::vector<SeenFace>, DetectError> FaceReader::read(const Picture& picture,
                                                            float score_min) {
  const auto faces = faces_->look(picture, score_min, faces_->about().overlap_max);
  if (!faces) return fail(faces.error());
  std::vector<SeenFace> seen;
  for (const auto& face : *faces) {
    cv::Mat square;
    cv::warpAffine(as_mat(picture.bgr), square, upright(face.landmarks), {kSide, kSide},
                   cv::INTER_LINEAR);
    auto numbers = recogniser_->embed(as_plane(square));
    if (!numbers) return fail(numbers.error());
    seen.push_back({face, std::move(*numbers)});
  }
  return seen;
}

Result<Gallery, Error> read_gallery(const std::string& folder, FaceReader& reader,
                                    const ImageLimits& limits) {
  const auto files = files_of(folder);
  if (!files) return fail(files.error());
  Decoder decoder(limits);
  Gallery gallery;
  for (const auto& [path, person] : *files) {
    auto numbers = face_in(path, reader, decoder);
    if (numbers) {
      gallery.known.push_back({person, std::move(*numbers)});
    } else {
      gallery.left_out.push_back(fmt::format("{}: {}", path.string(), numbers.error()));
    }
  }
  return gallery;
}

Result<ModelTrial, Error> try_recognise_model(const Model& model, const DetectorSettings& beside) {
  auto opened = ModelNetwork::open(model, kLayoutsTaken);
  if (!opened) return fail(opened.error());
  ModelTrial trial{
      std::string(to_string((*opened)->layout())), (*opened)->backend_version(), {}, {}};
  const auto faces = beside.network_model("faces", kAutomatic);
  if (!faces) return fail(no_faces());
  auto finder = open_faces_model(**faces, beside);
  if (!finder) return fail(finder.error());
  FaceReader reader(std::move(*finder), std::move(*opened));
  auto gallery = read_gallery(model.gallery_path, reader, beside.limits);
  if (!gallery) return fail(gallery.error());
  if (gallery->known.empty()) {
    const auto& why = gallery->left_out;
    return fail(Error{fmt::format("gallery {}: it has no picture of one face{}", model.gallery_path,
                                  why.empty() ? "" : "; " + why.front()),
                      exit_code::kNoInput});
  }
  trial.gallery = std::move(gallery->known);
  trial.left_out = std::move(gallery->left_out);
  return trial;
}

DetectorKind recognise_kind() {
  return {"recognise",
          1,
          "whose faces they are, by the model's gallery; the score is the likeness to the nearest",
          {model_option(),
           {"score",
            OptionType::real,
            "0",
            0,
            1,
            "",
            {},
            "least score of a face; 0: as the file of the model for faces says"},
           {"likeness",
            OptionType::real,
            "0",
            0,
            1,
            "",
            {},
            "least likeness (cosine) to be named; 0: as the model's file says"}},
          make,
          check,
          true};
}

}  // namespace framefleet::worker
