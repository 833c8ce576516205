#pragma once
// The texts that sources are known by: on the wire, in the manifest, as a job.
// Threads: any. Errors: none.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::producer {

/// A name on the wire is 1 to this many bytes of UTF-8.
inline constexpr std::size_t kSourceNameBytesMax = 256;

inline constexpr std::size_t kPlainNameBytesMax = 64;
/// What a job and a camera may be called: 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front. Can be
/// a file's name.
bool is_plain_name(std::string_view text);

/// `text` as valid UTF-8 without control characters: every other byte becomes \xNN. File names may
/// be any bytes; what travels or is shown to people may not.
std::string printable(std::string_view text);

/// `<job>/<argument>`, or the argument alone without a job; what is too long is cut and ends in a
/// digest of the whole.
std::string source_name(std::string_view job, std::string_view argument);

/// An argument in its one spelling: "./photos/" is "photos". Specs and "-" stay as they are.
std::string normal_argument(std::string_view argument);

/// The same with a path made absolute: what one source is recognised by in another working folder.
std::string canonical_argument(std::string_view argument);

/// Eight hex digits that are the same for the same sources and detector specs in any order: the job
/// of a run that was given no name. What "-" lists is no part of it; an option that makes other
/// results
/// ("annotate") is given among the detectors.
std::string job_of(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& detectors);

}  // namespace framefleet::producer
