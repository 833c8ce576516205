#include "tests/unit/worker/malformed_pictures.hpp"

#include "tests/unit/worker/picture_seeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

namespace framefleet::test {
namespace {

using namespace std::string_literals;

std::string with(std::string bytes, std::size_t at, std::string_view patch) {
  bytes.replace(at, patch.size(), patch);
  return bytes;
}

std::string as_length(SeedFormat format, std::uint32_t value) {
  switch (format) {
    case SeedFormat::jpeg:
      return be16(value & 0xFFFFU);
    case SeedFormat::png:
      return be32(value);
    case SeedFormat::webp:
    case SeedFormat::bmp:
    case SeedFormat::tiff:
      return le32(value);
  }
  return {};
}

bool is_big_endian(const Seed& seed) {
  return seed.format == SeedFormat::png || seed.bytes.starts_with("MM");
}

/// Everything up to and around each boundary of a part, and 64 lengths between.
void cut(const Seed& seed, const TakePicture& take) {
  std::set<std::size_t> lengths;
  for (const Part& part : parts_of(seed)) {
    for (const std::size_t at : {part.begin, part.length_at, part.length_at + 3, part.end}) {
      for (std::size_t more = 0; more < 3; ++more) lengths.insert(at + more - 1);
    }
  }
  for (std::size_t i = 0; i < 64; ++i) lengths.insert(seed.bytes.size() * i / 64);
  for (const std::size_t length : lengths) {
    if (length >= seed.bytes.size()) continue;
    take({fmt::format("{} cut after {} bytes", seed.name, length), seed.bytes.substr(0, length),
          length == 0 ? Verdict::refused : Verdict::any});
  }
}

/// The seed with another size in its header; the checksum of a PNG's header is made right again, so
/// that the lie is met where it hurts.
std::string with_size(const Seed& seed, std::uint32_t width, std::uint32_t height) {
  const std::string& bytes = seed.bytes;
  if (seed.format == SeedFormat::png) {
    const std::string rest = bytes.substr(24, 5);
    return bytes.substr(0, 8) + png_chunk("IHDR", be32(width) + be32(height) + rest) +
           bytes.substr(33);
  }
  if (seed.format == SeedFormat::jpeg) {
    for (const Part& part : parts_of(seed)) {
      const auto marker = static_cast<std::uint8_t>(bytes[part.begin + 1]);
      if (marker != 0xC0 && marker != 0xC2) continue;
      return with(bytes, part.begin + 5, be16(height & 0xFFFFU) + be16(width & 0xFFFFU));
    }
  }
  if (seed.format == SeedFormat::bmp) return with(bytes, 18, le32(width) + le32(height));
  if (seed.format == SeedFormat::tiff) {
    std::string lying = bytes;
    const auto number = is_big_endian(seed) ? be32 : le32;
    for (const Part& part : parts_of(seed)) {
      const auto tag = bytes.substr(part.begin, 2);
      const bool is_width = tag == "\1\0"s || tag == "\0\1"s;  // 256 in either order
      const bool is_height = tag == "\1\1"s;
      if (!is_width && !is_height) continue;
      const auto type = is_big_endian(seed) ? "\0\4"s : "\4\0"s;
      lying = with(lying, part.begin + 2, type + number(1) + number(is_width ? width : height));
    }
    return lying;
  }
  const std::string name = bytes.substr(12, 4);
  if (name == "VP8X") return with(bytes, 24, le24(width - 1) + le24(height - 1));
  if (name == "VP8 ") return with(bytes, 26, le32((width & 0x3FFFU) | (height & 0x3FFFU) << 16U));
  return with(bytes, 21, le32(((width - 1) & 0x3FFFU) | ((height - 1) & 0x3FFFU) << 14U));
}

void lie_about_size(const Seed& seed, const TakePicture& take) {
  constexpr std::array<std::uint32_t, 9> kSides{0,    1,      7,      kSeedHeight, kSeedWidth + 1,
                                                4000, 20'000, 65'535, 0x7FFFFFFF};
  for (const std::uint32_t width : kSides) {
    for (const std::uint32_t height : kSides) {
      take({fmt::format("{} says that it is {} x {}", seed.name, width, height),
            with_size(seed, width, height)});
    }
  }
}

void lie_about_lengths(const Seed& seed, const TakePicture& take) {
  for (const Part& part : parts_of(seed)) {
    const auto sound = static_cast<std::uint32_t>(part.end - part.length_at);
    for (const std::uint32_t length : {0U, 1U, 2U, sound - 1, sound + 1, sound * 2, 0x7FFFU,
                                       0xFFFFU, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
      take({fmt::format("{} says that its part at {} has {} bytes", seed.name, part.begin, length),
            with(seed.bytes, part.length_at, as_length(seed.format, length))});
    }
  }
}

void move_parts(const Seed& seed, const TakePicture& take) {
  const auto parts = parts_of(seed);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [begin, length_at, end] = parts[i];
    const std::string before = seed.bytes.substr(0, begin);
    const std::string part = seed.bytes.substr(begin, end - begin);
    const std::string after = seed.bytes.substr(std::min(end, seed.bytes.size()));
    const auto name = [&seed, at = begin](const char* what) {
      return fmt::format("{} {} its part at {}", seed.name, what, at);
    };
    take({name("lost"), before + after});
    take({name("has twice"), before + part + part + after});
    std::string many;
    for (int copy = 0; copy < 200; ++copy) many += part;
    take({name("has 200 times"), before + many + after});
    take({name("has at its end"), before + after + part});
    take({name("has zeros in"), before + std::string(part.size(), '\0') + after});
    take({name("has ones in"),
          before + part.substr(0, 4) + std::string(part.size() - 4, '\xFF') + after});
  }
}

void flip_bits(const Seed& seed, const TakePicture& take) {
  std::mt19937 random(4711);
  for (int round = 0; round < 60; ++round) {
    std::string bytes = seed.bytes;
    const std::uint32_t flips = 1 + random() % 8;
    for (std::uint32_t i = 0; i < flips; ++i) {
      char& byte = bytes[random() % bytes.size()];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << random() % 8));
    }
    take({fmt::format("{} with {} bits flipped, {}", seed.name, flips, round), bytes});
  }
}

const std::string kBmpAndTiff = "BM II*\0 MM\0*"s;

void put_behind_another_magic(const Seed& seed, const TakePicture& take) {
  const std::array refused{"GIF89a"s,
                           "BM"s,
                           "II*\0"s,
                           "MM\0*"s,
                           "DDS "s,
                           "\0\0\1\0"s,
                           "P6\n"s,
                           "%PDF-1.7\n"s,
                           "PK\3\4"s,
                           "<svg "s,
                           "\x7F"
                           "ELF"s,
                           "\0\0\0\0"s,
                           "\0\0\0\x1C"
                           "ftypavif"s,
                           "\xFF\x4F\xFF\x51"s};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    // Those of BMP and TIFF are theirs where seeds of these formats are taken.
    const bool accepted = kBmpAndTiff.find(refused[i]) != std::string::npos;
    const bool taken = seed.format == SeedFormat::bmp || seed.format == SeedFormat::tiff;
    const auto verdict = accepted && taken ? Verdict::any : Verdict::not_a_picture;
    take(
        {fmt::format("{} under magic {}", seed.name, i), with(seed.bytes, 0, refused[i]), verdict});
    take({fmt::format("{} behind magic {}", seed.name, i), refused[i] + seed.bytes, verdict});
  }
  const std::array accepted{"\xFF\xD8\xFF"s, "\x89PNG\r\n\x1A\n"s, "RIFF\x40\0\0\0WEBP"s};
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (i == static_cast<std::size_t>(seed.format)) continue;
    take({fmt::format("{} under a false magic {}", seed.name, i), with(seed.bytes, 0, accepted[i]),
          Verdict::refused});
    take({fmt::format("{} behind a magic {}", seed.name, i), accepted[i] + seed.bytes});
  }
}

/// Each seed with each other one behind it: what counts is the first, and it is sound.
void join(const std::vector<Seed>& seeds, const TakePicture& take) {
  for (const Seed& first : seeds) {
    for (const Seed& second : seeds) {
      take({first.name + " with " + second.name + " behind it", first.bytes + second.bytes,
            Verdict::pixels});
    }
    take(
        {first.name + " with a ZIP behind it", first.bytes + "PK\3\4\x14\0\0\0"s, Verdict::pixels});
    take({first.name + " with a page behind it", first.bytes + "<script>alert(1)</script>",
          Verdict::pixels});
    take({"a page with " + first.name + " behind it", "<html><body>" + first.bytes,
          Verdict::not_a_picture});
  }
}

std::vector<std::string> biting_exif() {
  const std::string entry = "\1\x12\0\3\0\0\0\1\0\x01\0\0"s;
  std::vector<std::string> blocks{
      "MM\0*\xFF\xFF\xFF\xFF"s,          // Its directory is outside,
      "MM\0*\0\0\0\0"s,                  // or is the block itself,
      "II*\0\x08\0\0\0\xFF\xFF"s,        // or has 65535 entries that are not there.
      "MM\0*\0\0\0\x08\0\0\0\0\0\x08"s,  // The next directory is this one.
      "MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08"s,  // A directory within itself.
      "MM\0*\0\0\0\x08\0\1\1\x12\0\3\xFF\xFF\xFF\xFF\0\6\0\0"s.substr(0, 20),
      "MM\0*\0\0\0\x08\0\1\1\x12\0\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,  // 4 GB of text.
      "XX\0*\0\0\0\x08"s,
      "",
  };
  std::string crowded = "MM\0*\0\0\0\x08\x13\x88"s;  // 5000 entries that are there.
  for (int i = 0; i < 5000; ++i) crowded += entry;
  blocks.push_back(crowded);
  return blocks;
}

void bite_with_exif(const std::vector<Seed>& seeds, const TakePicture& take) {
  const auto blocks = biting_exif();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string name = fmt::format("EXIF {} in ", i);
    for (const Seed& seed : seeds) {
      const std::string& bytes = seed.bytes;
      if (seed.format == SeedFormat::jpeg) {
        const auto exif = jpeg_segment(0xE1, "Exif\0\0"s + blocks[i]);
        take({name + seed.name, bytes.substr(0, 2) + exif + bytes.substr(2), Verdict::pixels});
        std::string many;
        for (int copy = 0; copy < 300; ++copy) many += exif;
        take({name + seed.name + ", 300 times", bytes.substr(0, 2) + many + bytes.substr(2),
              Verdict::pixels});
      } else if (seed.format == SeedFormat::png) {
        take({name + seed.name,
              bytes.substr(0, 33) + png_chunk("eXIf", blocks[i]) + bytes.substr(33),
              Verdict::pixels});
      } else if (seed.name == "lossy.webp") {
        const std::string canvas = webp_canvas(0x08, kSeedWidth, kSeedHeight);
        take({name + seed.name,
              webp_file(canvas + bytes.substr(12) + webp_chunk("EXIF", blocks[i])),
              Verdict::pixels});
      }
    }
  }
}

}  // namespace

void make_bent_pictures(const std::vector<Seed>& seeds, const TakePicture& take) {
  for (const Seed& seed : seeds) {
    take({seed.name + " as it is", seed.bytes, Verdict::pixels});
    cut(seed, take);
    lie_about_size(seed, take);
    lie_about_lengths(seed, take);
    move_parts(seed, take);
    flip_bits(seed, take);
    put_behind_another_magic(seed, take);
  }
  join(seeds, take);
  bite_with_exif(seeds, take);
}

}  // namespace framefleet::test
