#include "bench/fleet/order.hpp"

#include <nlohmann/json.hpp>

namespace framefleet::bench {

std::vector<std::string> Order::words() const {
  const nlohmann::json order{{"contestant", contestant},
                             {"part", part},
                             {"endpoint", endpoint},
                             {"results", results},
                             {"run", run},
                             {"tasks", tasks},
                             {"bytes", bytes},
                             {"rate", per_second},
                             {"durable", durable},
                             {"sources", sources},
                             {"name", name},
                             {"settled", settled},
                             {"joined", joined},
                             {"connections", connections}};
  return {kPartWord, order.dump()};
}

Result<Order, Error> Order::from(const std::vector<std::string>& words) {
  const auto said = nlohmann::json::parse(words.empty() ? "" : words.back(), nullptr, false);
  if (!said.is_object()) return fail(Error{"the order of a part is no JSON", exit_code::kUsage});
  Order order;
  order.contestant = said.value("contestant", "");
  order.part = said.value("part", "");
  order.endpoint = said.value("endpoint", "");
  order.results = said.value("results", "");
  order.run = said.value("run", std::uint64_t{0});
  order.tasks = said.value("tasks", std::uint64_t{0});
  order.bytes = said.value("bytes", std::uint64_t{0});
  order.per_second = said.value("rate", 0.0);
  order.durable = said.value("durable", false);
  order.settled = said.value("settled", true);
  order.joined = said.value("joined", true);
  order.name = said.value("name", "");
  order.sources = said.value("sources", std::uint64_t{1});
  order.connections = said.value("connections", std::uint64_t{1});
  return order;
}

}  // namespace framefleet::bench
