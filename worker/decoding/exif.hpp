#pragma once
// The one EXIF tag that moves pixels: orientation. A bounded reader of its own, because the
// decoders used here do not turn pictures and boxes must be in one stated frame of reference.

#include "worker/decoding/byte_view.hpp"

namespace framefleet::worker {

/// Orientation 1 to 8 from a TIFF block (what follows "Exif\0\0" in a JPEG, the whole of a PNG's
/// eXIf); 1, "as stored", for anything that is damaged, absent or out of range.
int exif_orientation(ByteView tiff);

/// True where the upright picture has width and height exchanged.
constexpr bool exchanges_sides(int orientation) { return orientation >= 5; }

}  // namespace framefleet::worker
