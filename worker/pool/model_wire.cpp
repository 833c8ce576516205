#include "worker/pool/model_wire.hpp"

#include "worker/pool/parcel.hpp"

#include "shared/processes/fields.hpp"

#include <bit>
#include <span>
#include <string_view>

namespace framefleet::worker {
namespace {

void put(FieldWriter& out, float value) { out.put(std::bit_cast<std::uint32_t>(value)); }
float get_float(FieldReader& in) { return std::bit_cast<float>(in.get<std::uint32_t>()); }

/// An enumeration whose values have words: to_string("") is no value of it.
template <class E>
E get_word(FieldReader& in) {
  const auto value = static_cast<E>(in.get<std::uint8_t>());
  if (to_string(value).empty()) in.refuse();
  return value;
}

void put(FieldWriter& out, const NetworkModel& network) {
  out.put(network.structure_path).put(network.layout).put(network.backend);
  const InputSpec& input = network.input;
  out.put(input.size.width).put(input.size.height);
  out.put(input.fit).put(input.resample).put(input.colour).put(input.fill);
  for (const float number : input.mean) put(out, number);
  for (const float number : input.scale) put(out, number);
  put(out, network.score_min);
  put(out, network.overlap_max);
  put(out, network.likeness_min);
  out.put(static_cast<std::uint32_t>(network.labels.size()));
  for (const auto& label : network.labels) out.put(label);
}

NetworkModel get_network(FieldReader& in) {
  NetworkModel network;
  network.structure_path = in.text();
  network.layout = get_word<Layout>(in);
  network.backend = get_word<Backend>(in);
  InputSpec& input = network.input;
  input.size.width = in.get<int>();
  input.size.height = in.get<int>();
  input.fit = get_word<Fit>(in);
  input.resample = get_word<Resample>(in);
  input.colour = get_word<ColourOrder>(in);
  input.fill = in.get<std::uint8_t>();
  for (float& number : input.mean) number = get_float(in);
  for (float& number : input.scale) number = get_float(in);
  network.score_min = get_float(in);
  network.overlap_max = get_float(in);
  network.likeness_min = get_float(in);
  const auto labels = in.count(kLabelsMax);
  for (std::uint32_t i = 0; i < labels; ++i) network.labels.push_back(in.text());
  return network;
}

}  // namespace

void put(FieldWriter& out, const std::vector<KnownFace>& faces) {
  out.put(static_cast<std::uint32_t>(faces.size()));
  for (const auto& [person, numbers] : faces) {
    out.put(person).put(static_cast<std::uint32_t>(numbers.size()));
    for (const float number : numbers) put(out, number);
  }
}

std::vector<KnownFace> get_faces(FieldReader& in) {
  std::vector<KnownFace> faces;
  const auto count = in.count(kGalleryMax);
  for (std::uint32_t i = 0; i < count; ++i) {
    KnownFace face{in.text(), {}};
    const auto numbers = in.count(kEmbeddingMax);
    for (std::uint32_t k = 0; k < numbers; ++k) face.numbers.push_back(get_float(in));
    faces.push_back(std::move(face));
  }
  return faces;
}

namespace {

void put(FieldWriter& out, const Model& model) {
  out.put(model.name).put(model.detector).put(model.path).put(model.decode_scale);
  out.put(model.sha256).put(static_cast<std::uint8_t>(model.network ? 1 : 0));
  if (model.network) put(out, *model.network);
  out.put(model.gallery_path);
  put(out, model.gallery);
}

Model get_model(FieldReader& in) {
  Model model;
  model.name = in.text();
  model.detector = in.text();
  model.path = in.text();
  model.decode_scale = get_word<DecodeScale>(in);
  model.sha256 = in.text();
  if (in.get<std::uint8_t>() != 0) model.network = get_network(in);
  model.gallery_path = in.text();
  model.gallery = get_faces(in);
  return model;
}

std::span<const std::byte> frame_of(const FileBytes& bytes) {
  return bytes == nullptr ? std::span<const std::byte>{} : std::as_bytes(std::span(*bytes));
}

/// An empty frame stands for bytes that were not read.
FileBytes bytes_in(std::span<const std::byte> frame) {
  if (frame.empty()) return nullptr;
  return std::make_shared<const std::string>(reinterpret_cast<const char*>(frame.data()),
                                             frame.size());
}

}  // namespace

Result<ModelParcel, Error> pack(const std::vector<Model>& models) {
  FieldWriter out;
  out.put(static_cast<std::uint32_t>(models.size()));
  for (const auto& model : models) put(out, model);
  const std::string words = out.take();
  std::vector<std::span<const std::byte>> frames{std::as_bytes(std::span(words))};
  std::vector<FileBytes> read;
  for (const auto& model : models) {
    read.push_back(bytes_of(model));
    read.push_back(structure_bytes_of(model));
  }
  for (const auto& bytes : read) frames.push_back(frame_of(bytes));
  auto file = make_parcel(frames);
  if (!file) return fail(file.error());
  ModelParcel parcel{std::move(*file), {}};
  for (const auto& frame : frames) parcel.frame_bytes.push_back(frame.size());
  return parcel;
}

std::optional<std::vector<Model>> unpack(const ModelParcel& parcel) {
  const OpenParcel opened(parcel.file, parcel.frame_bytes);
  const auto& frames = opened.frames();
  if (frames.empty() || frames.size() != parcel.frame_bytes.size()) return std::nullopt;
  FieldReader in({reinterpret_cast<const char*>(frames[0].data()), frames[0].size()});
  std::vector<Model> models;
  const auto count = in.count(kModelsMax);
  for (std::uint32_t i = 0; i < count; ++i) models.push_back(get_model(in));
  if (!in.done() || frames.size() != 1 + 2 * models.size()) return std::nullopt;
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i].bytes = bytes_in(frames[1 + 2 * i]);
    models[i].structure_bytes = bytes_in(frames[2 + 2 * i]);
  }
  return models;
}

}  // namespace framefleet::worker
