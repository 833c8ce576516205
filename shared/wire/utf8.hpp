#pragma once
// UTF-8 as the wire wants it: every MessagePack str is valid UTF-8, or clients in other languages
// choke on it. Threads: any. Errors: none.

#include <cstddef>
#include <string>
#include <string_view>

namespace framefleet::wire {

/// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates, nothing over U+10FFFF).
bool is_utf8(std::string_view text);

/// `text` made fit to travel: each byte that is not UTF-8 becomes U+FFFD, and what is over
/// `bytes_max` is cut between characters.
std::string clip_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace framefleet::wire
