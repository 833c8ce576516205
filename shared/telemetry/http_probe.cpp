#include "shared/telemetry/http_probe.hpp"

#include "shared/telemetry/host_port.hpp"

#include <fmt/format.h>
#include <httplib.h>

namespace framefleet::telemetry {
namespace {

constexpr std::size_t kTextBytesMax = 8192;

}  // namespace

Result<ProbeAnswer, Error> probe(const std::string& address, const std::string& path,
                                 Duration timeout) {
  const auto parsed = parse_host_port(address);
  if (!parsed || parsed->port == 0) {
    return fail(Error{fmt::format("\"{}\" is not HOST:PORT, such as 127.0.0.1:9100", address),
                      exit_code::kUsage});
  }
  httplib::Client client(parsed->host, parsed->port);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  ProbeAnswer answer;
  const auto response = client.Get(path, [&answer](const char* part, std::size_t size) {
    if (answer.text.size() + size > kTextBytesMax) return false;
    answer.text.append(part, size);
    return true;
  });
  if (!response) {
    return fail(
        Error{fmt::format("http://{}{}: {}", address, path, httplib::to_string(response.error())),
              exit_code::kUnavailable});
  }
  answer.status = response->status;
  return answer;
}

}  // namespace framefleet::telemetry
