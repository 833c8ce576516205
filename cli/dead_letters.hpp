#pragma once
// Dead letters as the sink describes them (docs/OPERATIONS.md, "Operating"), and what a person is
// shown of them. Pure. Errors: a text for people when a document cannot be read at all. Threads:
// any.

#include "shared/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::cli {

/// One failed task whose picture the store keeps. What a document does not say is "" or 0.
struct DeadLetter {
  struct Attempt {
    std::uint64_t attempt{0};
    std::string worker;
    std::string reason;
    std::string text;
  };

  std::string task;    ///< Its id.
  std::string origin;  ///< Where the picture came from: a path, "a.avi#12".
  std::string source;
  std::string job;
  std::string reason;
  std::string text;
  std::string stored_at;
  std::string worker;
  std::string build;
  std::string revived_from;
  std::string revived_as;
  std::uint64_t attempts{0};
  std::uint64_t bytes{0};          ///< Kept of its pictures.
  std::uint64_t bytes_dropped{0};  ///< No longer kept.
  std::vector<std::string> detect;
  bool annotate{false};
  std::int64_t captured_at_ms{0};
  std::vector<Attempt> history;
};

/// Of the document of a report on dead letters, in its order.
Result<std::vector<DeadLetter>, std::string> parse_dead_letters(const std::string& document);

std::string render_dead_letters(const std::vector<DeadLetter>& letters);
std::string render_dead_letter(const DeadLetter& letter);

/// The name of the file that an exported picture gets where none is given: the origin's own file
/// name, else the id with an extension that fits the first bytes of the picture.
std::string file_name_for(const DeadLetter& letter, std::string_view picture);

}  // namespace framefleet::cli
