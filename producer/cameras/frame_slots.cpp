#include "producer/cameras/frame_slots.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace framefleet::producer {

/// Lives in the first page of the memory.
struct SlotsWord {
  std::atomic<std::uint32_t> third{2};
  std::atomic<std::uint64_t> decoded{0};
  std::atomic<std::uint64_t> gated{0};
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> skipped{0};
  std::atomic<std::uint64_t> damaged{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

namespace {

constexpr std::uint32_t kSlotCount = 3;
constexpr std::uint32_t kSlotMask = 3;
constexpr std::uint32_t kFresh = 4;  // beside the number of the slot
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kSlotBytes = kPageBytes + kFrameBytesMax;
constexpr std::uint64_t kFileBytes = kPageBytes + kSlotCount * kSlotBytes;

struct SlotHeader {
  std::uint64_t number;
  std::int64_t captured_at_ms;
  std::uint64_t bytes;
  std::uint32_t width;
  std::uint32_t height;
};

std::uint64_t slot_at(std::uint32_t slot) { return kPageBytes + slot * kSlotBytes; }

bool read_at(int file, void* to, std::size_t size, std::uint64_t at) {
  auto* out = static_cast<char*>(to);
  while (size > 0) {
    const auto got = ::pread(file, out, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    at += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_at(int file, const void* from, std::size_t size, std::uint64_t at) {
  const auto* in = static_cast<const char*>(from);
  while (size > 0) {
    const auto wrote = ::pwrite(file, in, size, static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    in += wrote;
    at += static_cast<std::uint64_t>(wrote);
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

SlotsWord* map_word(int file) {
  void* const page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return page == MAP_FAILED ? nullptr : static_cast<SlotsWord*>(page);
}

void unmap_word(SlotsWord* word) {
  if (word != nullptr) ::munmap(word, kPageBytes);
}

tl::unexpected<Error> no_memory() {
  return fail(
      Error{std::string("no shared memory for a camera's frames: ") + std::strerror(errno)});
}

tl::unexpected<Error> broken() {
  return fail(Error{"the capture process has written what no capture process writes"});
}

}  // namespace

Result<FrameReader, Error> FrameReader::make() {
  FrameReader reader;
  reader.file_ =
      FileDescriptor(::memfd_create("framefleet-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const int file = reader.file_.get();
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(kFileBytes)) != 0) return no_memory();
  // The page that is mapped is there for good: touching it later cannot fail.
  if (::fallocate(file, 0, 0, static_cast<off_t>(kPageBytes)) != 0) return no_memory();
  if (::fcntl(file, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return no_memory();
  }
  reader.word_ = map_word(file);
  if (reader.word_ == nullptr) return no_memory();
  new (reader.word_) SlotsWord;
  return reader;
}

FrameReader::FrameReader(FrameReader&& other) noexcept
    : file_(std::move(other.file_)),
      word_(std::exchange(other.word_, nullptr)),
      mine_(other.mine_) {}

FrameReader& FrameReader::operator=(FrameReader&& other) noexcept {
  if (this != &other) {
    unmap_word(word_);
    file_ = std::move(other.file_);
    word_ = std::exchange(other.word_, nullptr);
    mine_ = other.mine_;
  }
  return *this;
}

FrameReader::~FrameReader() { unmap_word(word_); }

Result<std::optional<CapturedFrame>, Error> FrameReader::take() {
  if ((word_->third.load(std::memory_order_relaxed) & kFresh) == 0) {
    return std::optional<CapturedFrame>();
  }
  const auto word = word_->third.exchange(mine_, std::memory_order_acq_rel);
  const auto slot = word & kSlotMask;
  if (slot >= kSlotCount || slot == mine_) return broken();
  mine_ = slot;
  SlotHeader header{};
  if (!read_at(file_.get(), &header, sizeof header, slot_at(slot))) return broken();
  const bool sound = header.bytes > 0 && header.bytes <= kFrameBytesMax && header.width > 0 &&
                     header.width <= kFrameSideMax && header.height > 0 &&
                     header.height <= kFrameSideMax && header.captured_at_ms > 0;
  if (!sound) return broken();
  CapturedFrame frame;
  frame.bytes.resize(header.bytes);
  if (!read_at(file_.get(), frame.bytes.data(), header.bytes, slot_at(slot) + kPageBytes)) {
    return broken();
  }
  frame.captured_at_ms = header.captured_at_ms;
  frame.width = header.width;
  frame.height = header.height;
  frame.number = header.number;
  return std::optional<CapturedFrame>(std::move(frame));
}

CaptureCounts FrameReader::counts() const {
  CaptureCounts counts;
  counts.decoded = word_->decoded.load(std::memory_order_relaxed);
  counts.gated = word_->gated.load(std::memory_order_relaxed);
  counts.published = word_->published.load(std::memory_order_relaxed);
  counts.skipped = word_->skipped.load(std::memory_order_relaxed);
  counts.damaged = word_->damaged.load(std::memory_order_relaxed);
  return counts;
}

Result<FrameWriter, Error> FrameWriter::open(FileDescriptor file) {
  FrameWriter writer;
  writer.file_ = std::move(file);
  struct stat status {};
  if (::fstat(writer.file_.get(), &status) != 0 ||
      status.st_size != static_cast<off_t>(kFileBytes)) {
    return fail(Error{"this is no memory for frames"});
  }
  writer.word_ = map_word(writer.file_.get());
  if (writer.word_ == nullptr) return no_memory();
  return writer;
}

FrameWriter::FrameWriter(FrameWriter&& other) noexcept
    : file_(std::move(other.file_)),
      word_(std::exchange(other.word_, nullptr)),
      mine_(other.mine_),
      number_(other.number_) {}

FrameWriter& FrameWriter::operator=(FrameWriter&& other) noexcept {
  if (this != &other) {
    unmap_word(word_);
    file_ = std::move(other.file_);
    word_ = std::exchange(other.word_, nullptr);
    mine_ = other.mine_;
    number_ = other.number_;
  }
  return *this;
}

FrameWriter::~FrameWriter() { unmap_word(word_); }

bool FrameWriter::publish(std::span<const std::byte> jpeg, std::uint32_t width,
                          std::uint32_t height, std::int64_t captured_at_ms) {
  if (jpeg.empty() || jpeg.size() > kFrameBytesMax) return false;
  const SlotHeader header{++number_, captured_at_ms, jpeg.size(), width, height};
  const int file = file_.get();
  if (!write_at(file, &header, sizeof header, slot_at(mine_)) ||
      !write_at(file, jpeg.data(), jpeg.size(), slot_at(mine_) + kPageBytes)) {
    return false;
  }
  const auto before = word_->third.exchange(mine_ | kFresh, std::memory_order_acq_rel);
  mine_ = before & kSlotMask;
  word_->published.store(number_, std::memory_order_relaxed);
  return true;
}

void FrameWriter::count(const CaptureCounts& counts) {
  word_->decoded.store(counts.decoded, std::memory_order_relaxed);
  word_->gated.store(counts.gated, std::memory_order_relaxed);
  word_->skipped.store(counts.skipped, std::memory_order_relaxed);
  word_->damaged.store(counts.damaged, std::memory_order_relaxed);
}

}  // namespace framefleet::producer
