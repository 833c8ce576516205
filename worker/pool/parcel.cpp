#include "worker/pool/parcel.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace framefleet::worker {
namespace {

/// What an answer sheet keeps between two tasks; an annotated picture of 12 MP fits.
constexpr std::uint64_t kWarmBytesMax = std::uint64_t{8} << 20U;

bool write_at(int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    at += static_cast<std::uint64_t>(wrote);
  }
  return true;
}

bool read_at(int fd, std::string& out, std::uint64_t at) {
  std::size_t have = 0;
  while (have < out.size()) {
    const auto got =
        ::pread(fd, out.data() + have, out.size() - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

FileDescriptor sealable(const char* name) {
  return FileDescriptor(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

tl::unexpected<Error> no_parcel() {
  return fail(Error{std::string("no memory to hand a picture to a child process: ") +
                    std::strerror(errno)});
}

}  // namespace

Result<FileDescriptor, Error> make_parcel(std::span<const std::span<const std::byte>> frames) {
  auto parcel = sealable("framefleet-parcel");
  if (!parcel) return no_parcel();
  std::uint64_t at = 0;
  for (const auto& frame : frames) {
    const std::string_view bytes(reinterpret_cast<const char*>(frame.data()), frame.size());
    if (!write_at(parcel.get(), bytes, at)) return no_parcel();
    at += frame.size();
  }
  constexpr int kSealed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (::fcntl(parcel.get(), F_ADD_SEALS, kSealed) != 0) return no_parcel();
  return parcel;
}

OpenParcel::OpenParcel(const FileDescriptor& parcel, std::span<const std::uint64_t> frame_bytes) {
  for (const auto bytes : frame_bytes) size_ += bytes;
  if (size_ == 0) {
    frames_.resize(frame_bytes.size());
    return;
  }
  void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, parcel.get(), 0);
  if (mapped == MAP_FAILED) return;
  mapped_ = mapped;
  const auto* next = static_cast<const std::byte*>(mapped_);
  for (const auto bytes : frame_bytes) {
    frames_.emplace_back(next, bytes);
    next += bytes;
  }
}

OpenParcel::~OpenParcel() {
  if (mapped_ != nullptr) ::munmap(mapped_, size_);
}

FileDescriptor make_answer_sheet() {
  auto sheet = sealable("framefleet-answer");
  if (!sheet || ::ftruncate(sheet.get(), static_cast<off_t>(kAnswerBytesMax)) != 0) return {};
  if (::fcntl(sheet.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return {};
  return sheet;
}

bool write_answer(int sheet, std::span<const std::string_view> parts) {
  std::uint64_t at = 0;
  for (const auto part : parts) {
    if (part.size() > kAnswerBytesMax - at || !write_at(sheet, part, at)) return false;
    at += part.size();
  }
  return true;
}

std::optional<std::vector<std::string>> read_answer(int sheet,
                                                    std::span<const std::uint64_t> part_bytes) {
  std::uint64_t total = 0;
  for (const auto bytes : part_bytes) {
    if (bytes > kAnswerBytesMax - total) return std::nullopt;
    total += bytes;
  }
  std::vector<std::string> parts;
  std::uint64_t at = 0;
  for (const auto bytes : part_bytes) {
    std::string part(bytes, '\0');
    if (!read_at(sheet, part, at)) return std::nullopt;
    at += bytes;
    parts.push_back(std::move(part));
  }
  if (total > kWarmBytesMax) {
    ::fallocate(sheet, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                static_cast<off_t>(kAnswerBytesMax));
  }
  return parts;
}

}  // namespace framefleet::worker
