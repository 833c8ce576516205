#pragma once
// SHA-256, the digest that files are published with. Threads: any. Errors: none.

#include <iosfwd>
#include <string>
#include <string_view>

namespace framefleet::security {

/// 64 hexadecimal digits in lower case, as sha256sum prints them.
std::string sha256_hex(std::string_view bytes);

/// The same, of what a stream still gives, which may be more than fits into memory. A stream that
/// breaks off is bad() afterwards, and the digest is of what came until then.
std::string sha256_hex(std::istream& bytes);

}  // namespace framefleet::security
