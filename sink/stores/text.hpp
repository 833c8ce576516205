#pragma once
// Text from outside made safe to keep: valid UTF-8, bounded, and spelled for JSON. Pure functions,
// any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace framefleet::sink {

/// Length in bytes of the UTF-8 character that starts `text`; 0 where none does (or `text` is
/// empty).
std::size_t utf8_length(std::string_view text);

/// `text` as valid UTF-8 without NUL, each byte that does not fit replaced by U+FFFD, cut to at
/// most `bytes_max` bytes at the border of a character.
std::string clean_text(std::string_view text, std::size_t bytes_max);

/// Appends `text` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// "2024-05-01T12:34:56.789Z"; nothing outside the years 1970 to 9999.
std::optional<std::string> iso_time(std::int64_t unix_ms);

/// The name of a picture file without folder and extension, from where the picture came: the last
/// part of a path without a picture's extension, harmless as a file name on any system, 1 to 100
/// bytes.
std::string picture_stem(std::string_view origin);

/// `word` as lower-case ASCII letters, digits, '-' and '_', 1 to `bytes_max` bytes: safe as a
/// folder or extension.
std::string safe_word(std::string_view word, std::size_t bytes_max);

}  // namespace framefleet::sink
