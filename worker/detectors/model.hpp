#pragma once
// A model as a detector is given it: what its file in the folder of models says, checked.

#include "worker/decoding/picture.hpp"
#include "worker/networks/input.hpp"
#include "worker/networks/layout.hpp"
#include "worker/networks/network.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

/// In one folder; bytes of a path; names of classes in one model, and bytes of each.
inline constexpr std::size_t kModelsMax = 64;
inline constexpr std::size_t kModelPathMax = 512;
inline constexpr std::size_t kLabelsMax = 10'000;
inline constexpr std::size_t kLabelBytesMax = 64;

/// What a file says of a network beside where it is.
struct NetworkModel {
  std::string structure_path;  ///< Of Darknet's .cfg or TensorFlow's .pbtxt; "": none.
  Layout layout{Layout::automatic};
  Backend backend{Backend::automatic};
  InputSpec input;
  std::vector<std::string> labels;
  float score_min{0.25F};     ///< Of a detection.
  float overlap_max{0.45F};   ///< Of two detections of one class: intersection over union.
  float likeness_min{0.35F};  ///< Of two faces of one person: cosine.

  friend bool operator==(const NetworkModel&, const NetworkModel&) = default;
};

/// The bytes of a file that was read already, shared by all who need them.
using FileBytes = std::shared_ptr<const std::string>;

/// A face of a gallery, as its model's network describes it.
struct KnownFace {
  std::string person;
  std::vector<float> numbers;

  friend bool operator==(const KnownFace&, const KnownFace&) = default;
};
inline constexpr std::size_t kGalleryMax = 1000;
inline constexpr std::size_t kEmbeddingMax = 4096;

struct Model {
  std::string name;      ///< What tasks call it: its file's, without ".toml".
  std::string detector;  ///< Of which it is one.
  std::string path;      ///< Of what it describes.
  /// The smallest picture that it may be given.
  DecodeScale decode_scale{DecodeScale::full};
  std::optional<NetworkModel> network;  ///< Nothing: it is a cascade.
  std::string sha256;                   ///< Of the file, as it was found; "": not looked at.
  FileBytes bytes;                      ///< Null: they are read from the path.
  FileBytes structure_bytes;
  std::string gallery_path;        ///< Folder of the pictures of known people; "": none.
  std::vector<KnownFace> gallery;  ///< What was read from it.
};

/// Its bytes; null where they can not be read.
FileBytes bytes_of(const Model& model);
FileBytes structure_bytes_of(const Model& model);

/// A file's bytes; null where it cannot be read.
FileBytes read_bytes(const std::string& path);

}  // namespace framefleet::worker
