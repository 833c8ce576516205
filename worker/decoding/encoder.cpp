#include "worker/decoding/encoder.hpp"

#include "shared/base/assert.hpp"

#include <png.h>
#include <turbojpeg.h>

#include <new>

namespace framefleet::worker {

JpegEncoder::JpegEncoder() : handle_(tjInitCompress()) {
  if (handle_ == nullptr) throw std::bad_alloc();
}

JpegEncoder::~JpegEncoder() { tjDestroy(handle_); }

Result<std::string, Error> JpegEncoder::encode(const Plane& plane, int quality) {
  FRAMEFLEET_ASSERT(plane && quality >= 1 && quality <= 100);
  const bool grey = plane.channels == 1;
  const int sampling = grey ? TJSAMP_GRAY : TJSAMP_420;
  // libjpeg's worst case is about the size of the pixels; what is kept is what was written.
  std::string jpeg(tjBufSize(plane.width, plane.height, sampling), '\0');
  auto* target = reinterpret_cast<unsigned char*>(jpeg.data());
  unsigned long written = static_cast<unsigned long>(jpeg.size());
  const int rc = tjCompress2(handle_, plane.pixels, plane.width, static_cast<int>(plane.stride),
                             plane.height, grey ? TJPF_GRAY : TJPF_BGR, &target, &written, sampling,
                             quality, TJFLAG_NOREALLOC);
  if (rc != 0) return fail(Error{std::string("JPEG encoder: ") + tjGetErrorStr2(handle_)});
  jpeg.resize(written);
  jpeg.shrink_to_fit();
  return jpeg;
}

Result<std::string, Error> encode_png(const Plane& plane) {
  FRAMEFLEET_ASSERT(plane);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(plane.width);
  image.height = static_cast<png_uint_32>(plane.height);
  image.format = plane.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_BGR;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string png(bytes, '\0');
  const int written = png_image_write_to_memory(&image, png.data(), &bytes, 0, plane.pixels,
                                                static_cast<png_int_32>(plane.stride), nullptr);
  if (written == 0) return fail(Error{std::string("PNG encoder: ") + image.message});
  png.resize(bytes);
  png.shrink_to_fit();
  return png;
}

}  // namespace framefleet::worker
