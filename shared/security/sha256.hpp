#pragma once
// SHA-256, the digest that files are published with. Threads: any. Errors: none.

#include <string>
#include <string_view>

namespace framefleet::security {

/// 64 hexadecimal digits in lower case, as sha256sum prints them.
std::string sha256_hex(std::string_view bytes);

}  // namespace framefleet::security
