#include "broker/journals/page_file.hpp"

#include "broker/journals/record_seal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace framefleet::broker {
namespace {

// Of every page: number (8 bytes), unused (2), kind (2), then either the ends of the two lists that
// grow towards each other (2 + 2) or how many pages a value takes (4).
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kKindAt = 10;
constexpr std::size_t kLowerAt = 12;
constexpr std::size_t kUpperAt = 14;
constexpr std::uint16_t kBranch = 0x01;
constexpr std::uint16_t kLeaf = 0x02;
constexpr std::uint16_t kOverflow = 0x04;
constexpr std::uint16_t kMeta = 0x08;

// Of every node: size of the value or number of the child (2 + 2, and for a child the flags too),
// flags (2), size of the key (2), key, value.
constexpr std::size_t kNodeBytes = 8;
constexpr std::uint16_t kBigValue = 0x01;
constexpr std::uint16_t kTree = 0x02;

constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kDataVersion = 1;
constexpr std::size_t kMetaBytes = 136;
constexpr std::uint64_t kPageBytesMin = 512;
constexpr std::uint64_t kPageBytesMax = 64 * 1024;

std::uint16_t get_u16(const char* from) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(from[0]) |
                                    (static_cast<unsigned char>(from[1]) << 8U));
}

bool is_page_size(std::uint64_t bytes) {
  return bytes >= kPageBytesMin && bytes <= kPageBytesMax && (bytes & (bytes - 1)) == 0;
}

std::optional<MetaPage> parse_meta(std::string_view bytes, std::uint64_t number) {
  constexpr std::size_t kTreesAt = 24;
  constexpr std::size_t kLastPageAt = kTreesAt + 2 * kTreeRootBytes;
  if (bytes.size() < kHeaderBytes + kMetaBytes || get_u64(bytes.data()) != number ||
      get_u16(bytes.data() + kKindAt) != kMeta) {
    return std::nullopt;
  }
  const auto meta = bytes.substr(kHeaderBytes, kMetaBytes);
  if (get_u32(meta.data()) != kMagic || get_u32(meta.data() + 4) != kDataVersion) {
    return std::nullopt;
  }
  MetaPage page;
  page.page_bytes = get_u32(meta.data() + kTreesAt);  // In a field the tree has no use for.
  page.free = parse_tree_root(meta.substr(kTreesAt, kTreeRootBytes));
  page.names = parse_tree_root(meta.substr(kTreesAt + kTreeRootBytes, kTreeRootBytes));
  page.last_page = get_u64(meta.data() + kLastPageAt);
  page.transaction = get_u64(meta.data() + kLastPageAt + sizeof(std::uint64_t));
  if (!is_page_size(page.page_bytes)) return std::nullopt;
  return page;
}

Result<PageNode, std::string> parse_node(std::string_view bytes, std::size_t at, bool is_leaf) {
  if (at + kNodeBytes > bytes.size()) return fail(std::string("a node lies outside of its page"));
  const char* const head = bytes.data() + at;
  const auto flags = get_u16(head + 4);
  const std::size_t key_bytes = get_u16(head + 6);
  auto rest = bytes.substr(at + kNodeBytes);
  if (key_bytes > rest.size()) return fail(std::string("a key lies outside of its page"));
  PageNode node;
  node.key = rest.substr(0, key_bytes);
  rest.remove_prefix(key_bytes);
  const std::uint64_t low = get_u32(head);
  if (!is_leaf) {
    node.page = low | std::uint64_t{flags} << 32U;
    return node;
  }
  node.value_bytes = low;
  node.is_tree = flags == kTree;
  if (flags != 0 && flags != kBigValue && flags != kTree) {
    return fail(fmt::format("a node has the flags {:#x}", flags));
  }
  const std::size_t inline_bytes = flags == kBigValue ? sizeof(std::uint64_t) : low;
  if (inline_bytes > rest.size()) return fail(std::string("a value lies outside of its page"));
  if (flags == kBigValue) {
    node.page = get_u64(rest.data());
  } else {
    node.value = rest.substr(0, inline_bytes);
  }
  return node;
}

}  // namespace

TreeRoot parse_tree_root(std::string_view bytes) {
  TreeRoot root;
  root.flags = get_u16(bytes.data() + 4);
  root.depth = get_u16(bytes.data() + 6);
  root.branch_pages = get_u64(bytes.data() + 8);
  root.leaf_pages = get_u64(bytes.data() + 16);
  root.overflow_pages = get_u64(bytes.data() + 24);
  root.entries = get_u64(bytes.data() + 32);
  root.page = get_u64(bytes.data() + 40);
  return root;
}

Result<Page, std::string> parse_page(std::string_view bytes, std::uint64_t number) {
  const auto kind = get_u16(bytes.data() + kKindAt);
  if (get_u64(bytes.data()) != number || (kind != kBranch && kind != kLeaf)) {
    return fail(std::string("is no page of a tree"));
  }
  const std::size_t lower = get_u16(bytes.data() + kLowerAt);
  const std::size_t upper = get_u16(bytes.data() + kUpperAt);
  if (lower < kHeaderBytes || lower % 2 != 0 || upper < lower || upper > bytes.size()) {
    return fail(std::string("has a list of nodes that is not inside of it"));
  }
  Page page;
  page.is_leaf = kind == kLeaf;
  for (std::size_t at = kHeaderBytes; at < lower; at += 2) {
    const std::size_t node_at = get_u16(bytes.data() + at);
    if (node_at < upper) return fail(std::string("has a node among its free bytes"));
    auto node = parse_node(bytes, node_at, page.is_leaf);
    if (!node) return fail(std::move(node.error()));
    page.nodes.push_back(*node);
  }
  return page;
}

Result<PageFile, std::string> PageFile::open(const std::filesystem::path& file) {
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0) {
    return fail(
        fmt::format("cannot open {}: {}", file.string(), std::generic_category().message(errno)));
  }
  PageFile opened(std::move(descriptor), static_cast<std::uint64_t>(status.st_size));
  // The second page is where the page size says, which the first one may be wrong about.
  std::string bytes;
  opened.page_bytes_ = kPageBytesMin;
  if (opened.read(0, 1, bytes)) opened.metas_[0] = parse_meta(bytes, 0);
  for (auto size = kPageBytesMin; size <= kPageBytesMax && !opened.metas_[1]; size *= 2) {
    opened.page_bytes_ = size;
    if (opened.read(1, 1, bytes)) opened.metas_[1] = parse_meta(bytes, 1);
    if (opened.metas_[1] && opened.metas_[1]->page_bytes != size) opened.metas_[1].reset();
  }
  if (opened.metas_[1]) {
    if (opened.metas_[0] && opened.metas_[0]->page_bytes != opened.page_bytes_) {
      opened.metas_[0].reset();
    }
    return opened;
  }
  if (!opened.metas_[0]) return fail(file.string() + " is no file of LMDB");
  opened.page_bytes_ = opened.metas_[0]->page_bytes;
  return opened;
}

bool PageFile::read(std::uint64_t first, std::uint64_t count, std::string& to) const {
  const auto in_file = pages();
  if (first >= in_file || count > in_file - first) return false;
  to.resize(count * page_bytes_);
  std::size_t done = 0;
  while (done < to.size()) {
    const auto at = static_cast<off_t>(first * page_bytes_ + done);
    const auto got = ::pread(descriptor_.get(), to.data() + done, to.size() - done, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

Result<std::uint64_t, std::string> PageFile::read_value(std::uint64_t first,
                                                        std::uint64_t value_bytes,
                                                        std::string& to) const {
  const auto count = (value_bytes + kHeaderBytes + page_bytes_ - 1) / page_bytes_;
  if (first < kMetaPages || !read(first, count, to)) {
    return fail(std::string("a value lies outside of the file"));
  }
  if (get_u64(to.data()) != first || get_u16(to.data() + kKindAt) != kOverflow ||
      get_u32(to.data() + kLowerAt) != count) {
    return fail(fmt::format("page {} is not the first one of a value", first));
  }
  to.erase(0, kHeaderBytes);
  to.resize(value_bytes);
  return count;
}

}  // namespace framefleet::broker
