#pragma once
// Models on their way from a worker to its zygotes and trials: what their files say, and the bytes
// that were checked, in one parcel. So what was checked is what is used, whatever becomes of the
// files. Both ends are of the same build; lengths are checked all the same.

#include "worker/detectors/model.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace framefleet {
class FieldReader;
class FieldWriter;
}  // namespace framefleet

namespace framefleet::worker {

void put(FieldWriter& out, const std::vector<KnownFace>& faces);
std::vector<KnownFace> get_faces(FieldReader& in);

struct ModelParcel {
  FileDescriptor file;
  std::vector<std::uint64_t> frame_bytes;
};

/// Frames of the largest parcel: what is said of all, and two files of each.
inline constexpr std::size_t kModelFramesMax = 1 + 2 * kModelsMax;

/// Errors: the system has no memory or descriptors for it.
Result<ModelParcel, Error> pack(const std::vector<Model>& models);
/// Nothing: these frames hold no models.
std::optional<std::vector<Model>> unpack(const ModelParcel& parcel);

}  // namespace framefleet::worker
