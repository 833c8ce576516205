#pragma once
// The broker's documents (docs/OPERATIONS.md, "Operating") as tables that fit 80 columns. Pure:
// a document in, text out. Errors: a text for people when the document cannot be read at all; a
// value that is missing reads "-". Threads: any.

#include "shared/base/result.hpp"

#include <string>

namespace framefleet::cli {

using Rendered = Result<std::string, std::string>;

Rendered render_status(const std::string& document);
Rendered render_workers(const std::string& document);
Rendered render_sources(const std::string& document);
Rendered render_jobs(const std::string& document);

/// A `jobs` document with the job of that name alone, spelled as JSON; nothing if there is none.
Result<std::string, std::string> only_job(const std::string& document, const std::string& name);
/// All that a `jobs` document says of its first job.
Rendered render_job(const std::string& document);

}  // namespace framefleet::cli
