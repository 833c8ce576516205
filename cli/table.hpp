#pragma once
// Rows of text aligned in columns, for people. What is too long for its column is cut, what is
// empty reads "-". Pure; threads: one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::cli {

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string heading;
  Align align{Align::right};
  std::size_t columns_max{20};  ///< At least that of the heading.
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Requires: one cell per column.
  void add(std::vector<std::string> cells);
  /// Heading and rows, a line each; control characters read "?".
  std::string render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Characters of UTF-8 text: what it takes up in most terminals.
std::size_t width_of(const std::string& text);
/// The first `columns` characters, the last three as "..." where some are missing.
std::string cut(const std::string& text, std::size_t columns);

}  // namespace framefleet::cli
