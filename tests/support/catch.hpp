#pragma once
// The one place that names Catch2: version 2 on Debian 12, 3 on Debian 13 and in the container
// image. Tests are written in the words of version 2 that version 3 still has; what it calls
// otherwise is given its older name here.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

namespace Catch {
using Matchers::EndsWith;
using Matchers::StartsWith;

inline auto Contains(std::string text) { return Matchers::ContainsSubstring(std::move(text)); }
}  // namespace Catch

using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
