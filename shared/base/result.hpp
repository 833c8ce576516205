#pragma once
// The house's error type: an operation that can fail returns Result<T, E>. One alias, so that the
// day std::expected can be used is one line's work.

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace framefleet {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
auto fail(E&& error) {
  return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

/// An error for people: what went wrong and what to do, complete in itself.
struct Error {
  std::string text;
  /// sysexits-style code that a process ends with if this error ends it (see exit_code below).
  int exit_code{70};
};

/// Exit codes of every program (documented in docs/OPERATIONS.md).
namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kSomeFailed = 3;
inline constexpr int kUsage = 64;
inline constexpr int kNoInput = 66;
inline constexpr int kUnavailable = 69;
inline constexpr int kInternal = 70;
inline constexpr int kCannotCreate = 73;
inline constexpr int kDiskError = 74;
inline constexpr int kConfig = 78;
}  // namespace exit_code

}  // namespace framefleet
