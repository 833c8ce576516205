#pragma once
// A line of results.ndjson (fields: docs/STORE.md).

#include "sink/stores/outcome_row.hpp"

#include <string>

namespace framefleet::sink {

/// Appends the line, its line break included; `row.id` is not in it.
void append_line(std::string& out, const OutcomeRow& row);

}  // namespace framefleet::sink
