#include "broker/journals/page_walk.hpp"

#include "broker/journals/record_seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// More than these say nothing more.
constexpr std::size_t kProblemsMax = 100;
/// LMDB's own: the depth of its cursors.
constexpr unsigned kDepthMax = 32;
constexpr std::uint64_t kPagesPerSign = 1024;

/// Whole numbers are kept little-endian and are in order as numbers.
std::string ordered(std::string_view key, const TreeRoot& root) {
  if ((root.flags & kIntegerKeys) == 0 || key.size() != sizeof(std::uint64_t)) {
    return std::string(key);
  }
  return {key.rbegin(), key.rend()};
}

}  // namespace

PageWalk::PageWalk(const PageFile& file, const MetaPage& meta, std::function<void()> alive)
    : file_(file),
      meta_(meta),
      alive_(std::move(alive)),
      used_(std::min(file.pages(), meta.last_page + 1)) {
  for (std::uint64_t page = 0; page < std::min<std::uint64_t>(kMetaPages, used_.size()); ++page) {
    used_[page] = true;
  }
  if (meta.last_page >= file.pages()) {
    note("the file",
         fmt::format("should have {} pages and has {}", meta.last_page + 1, file.pages()));
  }
}

void PageWalk::tree(std::string_view name, const TreeRoot& root, const Visit& visit) {
  Progress progress{name, root, visit, {}, {}, false};
  if (root.page != kNoPage) subtree(progress, root.page, 1, {}, std::nullopt);
  const auto& seen = progress.seen;
  if (seen.entries != root.entries || seen.branch_pages != root.branch_pages ||
      seen.leaf_pages != root.leaf_pages || seen.overflow_pages != root.overflow_pages) {
    note(name, fmt::format("should have {} entries on {} + {} + {} pages, and {} on {} + {} + {} "
                           "can be reached",
                           root.entries, root.branch_pages, root.leaf_pages, root.overflow_pages,
                           seen.entries, seen.branch_pages, seen.leaf_pages, seen.overflow_pages));
  }
}

void PageWalk::subtree(Progress& progress, std::uint64_t number, unsigned depth,
                       const std::string& floor, const std::optional<std::string>& ceiling) {
  if (!use(number, 1, progress.name)) return;
  std::string bytes;
  if (!file_.read(number, 1, bytes)) {
    return note(progress.name, fmt::format("page {} cannot be read", number));
  }
  const auto page = parse_page(bytes, number);
  if (!page) return note(progress.name, fmt::format("page {} {}", number, page.error()));
  if (page->is_leaf != (depth == progress.root.depth) || depth > kDepthMax) {
    note(progress.name, fmt::format("page {} is at a wrong depth", number));
    if (depth > kDepthMax) return;
  }
  if (page->is_leaf) return leaf(progress, number, *page, floor, ceiling);
  ++progress.seen.branch_pages;
  auto from = floor;
  for (std::size_t i = 0; i < page->nodes.size(); ++i) {
    // The first key of a branch stands for "anything less than the second".
    if (i > 0) from = ordered(page->nodes[i].key, progress.root);
    const bool last = i + 1 == page->nodes.size();
    auto to = last ? ceiling : std::optional(ordered(page->nodes[i + 1].key, progress.root));
    if (from < floor || (to && *to <= from) || (to && ceiling && *to > *ceiling)) {
      note(progress.name, fmt::format("page {} has keys out of order", number));
    }
    subtree(progress, page->nodes[i].page, depth + 1, from, to);
  }
}

void PageWalk::leaf(Progress& progress, std::uint64_t number, const Page& page,
                    const std::string& floor, const std::optional<std::string>& ceiling) {
  ++progress.seen.leaf_pages;
  std::string bytes;
  for (std::size_t i = 0; i < page.nodes.size(); ++i) {
    const auto& node = page.nodes[i];
    auto key = ordered(node.key, progress.root);
    if (key < floor || (ceiling && key >= *ceiling) ||
        (progress.has_last_key && key <= progress.last_key)) {
      note(progress.name, fmt::format("page {} has keys out of order", number));
    }
    progress.last_key = std::move(key);
    progress.has_last_key = true;
    ++progress.seen.entries;
    WalkedEntry entry;
    std::uint64_t own_pages = 0;
    if (!read_entry(node, number, i, true, bytes, entry, own_pages)) {
      note(progress.name, fmt::format("page {} has a value that is nowhere", number));
    }
    progress.seen.overflow_pages += own_pages;
    progress.visit(entry);
  }
}

/// False: the value is not where it should be; the entry has its key, and an empty value.
bool PageWalk::read_entry(const PageNode& node, std::uint64_t leaf, std::size_t index, bool marks,
                          std::string& bytes, WalkedEntry& entry, std::uint64_t& own_pages) {
  entry = {node.key, node.value, node.is_tree, {leaf, index, node.value_bytes, false}};
  if (node.page == kNoPage) return true;
  entry.place = {node.page, 0, node.value_bytes, true};
  const auto count = file_.read_value(node.page, node.value_bytes, bytes);
  if (!count || (marks && !use(node.page, *count, "a value"))) return false;
  own_pages = *count;
  entry.value = bytes;
  return true;
}

void PageWalk::free_pages() {
  const auto problems_before = problems_.size();
  tree("the list of free pages", meta_.free, [this](const WalkedEntry& entry) {
    const auto count = entry.value.size() / sizeof(std::uint64_t);
    if (entry.key.size() != sizeof(std::uint64_t) || count == 0 ||
        get_u64(entry.value.data()) > count - 1) {
      return note("the list of free pages", "has an entry that is no list");
    }
    for (std::uint64_t i = 1; i <= get_u64(entry.value.data()); ++i) {
      if (!use(get_u64(entry.value.data() + i * sizeof(std::uint64_t)), 1, "a free page")) return;
    }
  });
  free_list_is_whole_ = problems_.size() == problems_before;
}

void PageWalk::lost_leaf(std::uint64_t number, const Visit& visit) {
  if (number < used_.size() && used_[number]) return;
  std::string bytes;
  if (!file_.read(number, 1, bytes)) return;
  const auto page = parse_page(bytes, number);
  if (!page || !page->is_leaf) return;
  std::string value;
  for (std::size_t i = 0; i < page->nodes.size(); ++i) {
    WalkedEntry entry;
    std::uint64_t own_pages = 0;
    if (read_entry(page->nodes[i], number, i, false, value, entry, own_pages)) visit(entry);
  }
}

std::uint64_t PageWalk::lost_pages() const {
  return static_cast<std::uint64_t>(std::count(used_.begin(), used_.end(), false));
}

bool PageWalk::use(std::uint64_t first, std::uint64_t count, std::string_view by) {
  if (alive_ && ++pages_read_ % kPagesPerSign == 0) alive_();
  if (first < kMetaPages || first >= used_.size() || count > used_.size() - first) {
    note(by, fmt::format("page {} is not one of this file", first));
    return false;
  }
  for (std::uint64_t page = first; page < first + count; ++page) {
    if (used_[page]) {
      note(by, fmt::format("page {} has another use already", page));
      return false;
    }
    used_[page] = true;
  }
  return true;
}

void PageWalk::note(std::string_view name, std::string_view what) {
  if (problems_.size() < kProblemsMax) problems_.push_back(fmt::format("{}: {}", name, what));
}

}  // namespace framefleet::broker
