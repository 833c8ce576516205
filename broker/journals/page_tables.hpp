#pragma once
// A journal's tables in the pages of its file. Threads: one. Errors: what is not there is nothing.

#include "broker/journals/page_walk.hpp"
#include "broker/journals/tables.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace framefleet::broker {

using TableRoots = std::array<std::optional<TreeRoot>, kTableCount>;

/// Walks the tree of names.
TableRoots table_roots(PageWalk& walk, const MetaPage& meta);

/// The number of the commit that wrote the state which `meta` leads to, as the state itself says.
std::optional<std::uint64_t> commit_of_state(const PageFile& file, const MetaPage& meta);

}  // namespace framefleet::broker
