#include "bench/vision/outcomes.hpp"

#include "shared/base/assert.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

namespace framefleet::bench {
namespace {

/// "2024-05-01T12:00:00.000Z" in seconds.
double seconds_of(const std::string& stored_at) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  const int read = std::sscanf(stored_at.c_str(), "%d-%u-%uT%d:%d:%lfZ", &year, &month, &day, &hour,
                               &minute, &second);
  FRAMEFLEET_ASSERT(read == 6);
  const std::chrono::sys_days date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return static_cast<double>(date.time_since_epoch().count()) * 86'400 + hour * 3600 + minute * 60 +
         second;
}

}  // namespace

Result<std::vector<Outcome>, Error> stored_outcomes(const std::filesystem::path& file,
                                                    std::streamoff& from) {
  std::ifstream lines(file);
  lines.seekg(from);
  std::vector<Outcome> outcomes;
  for (std::string line; std::getline(lines, line);) {
    from = lines.tellg();
    const auto said = nlohmann::json::parse(line, nullptr, false);
    if (!said.is_object() || said.value("status", "") != "ok") {
      return fail(Error{"a picture did not end ok: " + line});
    }
    Outcome outcome{said.at("sequence"), seconds_of(said.at("stored_at")), said.at("worked"), 0};
    for (const auto& report : said.at("detectors")) {
      outcome.detections += report.at("detections").size();
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

double steady_pace(const std::vector<Outcome>& outcomes, std::size_t slots) {
  FRAMEFLEET_ASSERT(outcomes.size() > 2 * slots);
  const std::size_t timed = outcomes.size() - 2 * slots;
  const double begin_s = outcomes[slots - 1].done_at_s;
  const double end_s = outcomes[slots - 1 + timed].done_at_s;
  return static_cast<double>(timed) / (end_s - begin_s);
}

}  // namespace framefleet::bench
