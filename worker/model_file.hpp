#pragma once
// One model file: a TOML that says what a model is and how it may be used (docs/DETECTORS.md).
//
//   [model]
//   detector = "objects"
//   file = "yolox_nano.onnx"      # from this folder, or absolute
//   sha256 = "c789161e…"          # of the file
//
//   [input]                       # what the network was trained with
//   size = "416x416"
//   fit = "top_left"
//
//   [output]
//   labels_file = "coco.names"
//   score = 0.3
//
// Reading looks at the TOML and at nothing that it names; load_bytes reads those.

#include "worker/detectors/model.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::worker {

/// What it says, as written, with the places for messages.
struct ModelFile {
  std::filesystem::path toml;
  Model model;  ///< Without bytes, and labels only where they stand in the TOML.
  std::string sha256;
  std::string structure_sha256;
  std::string sha256_at;  ///< "DIR/a.toml:4: model.sha256".
  std::string structure_sha256_at;
  std::string file_at;
  std::string structure_at;
  std::filesystem::path labels_file;
  std::string labels_at;
  std::string licence;
  std::string source;            ///< Of the file: an address, or words.
  std::string structure_source;  ///< Of the structure.
};

/// Errors (78): what is wrong, with file, line and key, and what would be right.
Result<ModelFile, Error> read_model_file(const std::filesystem::path& toml);

/// The bytes of the files it names, compared with what it says of them; and the labels. Errors: 66
/// a file that cannot be read, 78 one that is another than was said.
Result<Model, Error> load_model(const ModelFile& file);

}  // namespace framefleet::worker
