#include "worker/decoding/codecs.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

/// libpng inflates ancillary chunks (colour profiles) into memory up to this much.
constexpr png_alloc_size_t kAncillaryBytesMax = png_alloc_size_t{8} << 20U;

/// Chunks that may come a thousand times and that libpng would inflate and keep, each up to the
/// limit above: 8 MB of file become 8 GB of memory. They say nothing about pixels.
constexpr std::array<png_byte, 20> kStepOver{'t', 'E', 'X', 't', 0, 'z', 'T', 'X', 't', 0,
                                             'i', 'T', 'X', 't', 0, 's', 'P', 'L', 'T', 0};
constexpr std::size_t kChunkNameBytes = 5;  // With the 0 behind it.

/// Everything a read needs. libpng leaves through longjmp, so nothing with a destructor may live in
/// the function that calls it: it all lives here.
struct Reading {
  ByteView bytes;
  std::size_t at{0};
  png_structp png{nullptr};
  png_infop info{nullptr};
  std::vector<png_bytep> rows;
  std::array<char, 160> error{};

  Reading() = default;
  ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
};

extern "C" {
static void on_error(png_structp png, png_const_charp text) {
  auto& reading = *static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading.error.data(), text, reading.error.size() - 1);
  png_longjmp(png, 1);
}

static void on_warning(png_structp, png_const_charp) {}

static void on_read(png_structp png, png_bytep to, png_size_t count) {
  auto& reading = *static_cast<Reading*>(png_get_io_ptr(png));
  if (!reading.bytes.has(reading.at, count)) png_error(png, "ends before its last pixel");
  reading.bytes.copy(reading.at, to, count);
  reading.at += count;
}
}

/// The same transformations, in the same order, as cv::imread, so that grey is grey bit for bit.
void set_transformations(png_structp png, const ImageHeader& header, png_byte colour_type,
                         int channels) {
  const bool coloured = (colour_type & PNG_COLOR_MASK_COLOR) != 0;
  if (header.bit_depth == 16) png_set_strip_16(png);
  png_set_strip_alpha(png);
  if (colour_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (!coloured && header.bit_depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (channels == 3) {
    if (coloured) {
      png_set_bgr(png);
    } else {
      png_set_gray_to_rgb(png);
    }
  } else {
    png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
  }
  png_set_interlace_handling(png);
}

/// False where libpng gave up; the reason is in reading.error.
bool read_header(Reading& reading) {
  if (setjmp(png_jmpbuf(reading.png)) != 0) return false;
  png_set_read_fn(reading.png, &reading, on_read);
  png_set_chunk_malloc_max(reading.png, kAncillaryBytesMax);
  png_set_keep_unknown_chunks(reading.png, PNG_HANDLE_CHUNK_NEVER, kStepOver.data(),
                              static_cast<int>(kStepOver.size() / kChunkNameBytes));
  png_read_info(reading.png, reading.info);
  return true;
}

bool read_rows(Reading& reading, const ImageHeader& header, int channels) {
  if (setjmp(png_jmpbuf(reading.png)) != 0) return false;
  set_transformations(reading.png, header, png_get_color_type(reading.png, reading.info), channels);
  png_read_update_info(reading.png, reading.info);
  const auto row_bytes = std::size_t{header.width} * static_cast<std::size_t>(channels);
  if (png_get_rowbytes(reading.png, reading.info) != row_bytes) {
    png_error(reading.png, "has a layout of pixels that is not supported");
  }
  png_read_image(reading.png, reading.rows.data());
  return true;
}

}  // namespace

Result<void, PictureError> decode_png(std::span<const std::byte> bytes, const ImageHeader& header,
                                      int channels, PlaneBuffer& out) {
  const auto refuse = [](const Reading& reading) {
    return undecodable(std::string("PNG: ") + reading.error.data());
  };
  Reading reading;
  reading.bytes = ByteView(bytes);
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
  if (reading.png == nullptr) throw std::bad_alloc();
  reading.info = png_create_info_struct(reading.png);
  if (reading.info == nullptr) throw std::bad_alloc();
  if (!read_header(reading)) return refuse(reading);
  // The gate and libpng read the same IHDR; a buffer is only ever sized by what both say.
  if (png_get_image_width(reading.png, reading.info) != header.width ||
      png_get_image_height(reading.png, reading.info) != header.height) {
    return undecodable("PNG contradicts its own header");
  }
  out.reset(static_cast<int>(header.width), static_cast<int>(header.height), channels);
  reading.rows.resize(header.height);
  for (int y = 0; y < static_cast<int>(header.height); ++y) {
    reading.rows[static_cast<std::size_t>(y)] = out.row(y);
  }
  if (!read_rows(reading, header, channels)) return refuse(reading);
  return {};
}

}  // namespace framefleet::worker
