#include "cli/health_command.hpp"

#include "cli/operator_options.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/http_probe.hpp"

#include <fmt/format.h>

#include <chrono>

namespace framefleet::cli {

int health_command(const std::vector<std::string>& words) {
  std::string at = "127.0.0.1:9100";
  bool live = false;
  Duration timeout{std::chrono::seconds(3)};
  config::OptionSet set("framefleet health", "Asks one process whether it is ready.");
  set.section("health")
      .add("at", at, {.help = "HOST:PORT of the process, as its --metrics-listen says."})
      .add("live", live, {.help = "Whether its loop turns (/healthz), instead of /readyz."})
      .add("timeout", timeout,
           {.help = "How long to wait for the connection, and for the answer.",
            .min = std::chrono::milliseconds(10),
            .max = std::chrono::minutes(10)});
  set.epilog(
      "Exit codes: 0 it is; 64 usage; 69 it is not, or does not answer; 70 internal; 78 "
      "configuration.\n");
  return run_verb(set, words, [&]() -> Result<int, Error> {
    const auto answer = telemetry::probe(at, live ? "/healthz" : "/readyz", timeout);
    if (!answer) return fail(answer.error());
    fmt::print("{}", answer->text);
    return answer->status == 200 ? exit_code::kOk : exit_code::kUnavailable;
  });
}

}  // namespace framefleet::cli
