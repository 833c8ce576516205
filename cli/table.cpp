#include "cli/table.hpp"

#include "cli/humane.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::cli {
namespace {

constexpr std::size_t kGap = 2;  // columns between two cells

bool begins_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

}  // namespace

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_a_character));
}

std::string cut(const std::string& text, std::size_t columns) {
  constexpr std::size_t kDots = 3;
  if (width_of(text) <= columns) return text;
  if (columns < kDots) return std::string(columns, '.');
  std::size_t characters = 0;
  const auto end = std::find_if(text.begin(), text.end(), [&](char c) {
    return begins_a_character(c) && characters++ == columns - kDots;
  });
  return std::string(text.begin(), end) + std::string(kDots, '.');
}

void Table::add(std::vector<std::string> cells) {
  FRAMEFLEET_ASSERT(cells.size() == columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].empty()) cells[i] = "-";
    cells[i] = cut(printable(std::move(cells[i])), columns_[i].columns_max);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::render() const {
  std::vector<std::size_t> widths;
  for (const auto& column : columns_) widths.push_back(width_of(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  const auto write = [&](std::size_t i, const std::string& cell) {
    const std::string padding(widths[i] - width_of(cell), ' ');
    if (i > 0) text.append(kGap, ' ');
    text += columns_[i].align == Align::left ? cell + padding : padding + cell;
  };
  const auto end_line = [&] {
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) write(i, columns_[i].heading);
  end_line();
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) write(i, row[i]);
    end_line();
  }
  return text;
}

}  // namespace framefleet::cli
