#include "sink/options.hpp"

#include "shared/access/key_options.hpp"

namespace framefleet::sink {

void describe(config::OptionSet& set, SinkOptions& options) {
  using namespace std::chrono_literals;
  using config::SizeOf;
  auto section = set.section("sink", "Where outcomes come from, and where they are kept.");
  section.add("connect", options.connect,
              {.help = "Address of the broker: tcp://HOST:PORT or ipc:///PATH."});
  access::add_key_options(section, options.keys);
  section.add("name", options.name, {.help = "What the broker calls this sink."})
      .add("store", options.store, {.help = "Folder of results.sqlite, results.ndjson, pictures."})
      .add("ndjson", options.ndjson, {.help = "Also write results.ndjson."})
      .add("keep", options.keep,
           {.help = "Age from which an outcome loses all but its id; 0s: never."})
      .add("keep_bytes", options.keep_bytes,
           {.help = "Size of database and pictures from which the oldest lose all but their ids; "
                    "0: no cap."})
      .add("dead_letters_bytes_max", options.dead_letters_bytes_max,
           {.help = "Pictures of all dead letters together: over it the oldest ones go, their rows "
                    "stay."})
      .add("accept_new_store", options.accept_new_store,
           {.help = "Let the broker take this store although it knows another one."})
      .add("batch_tasks_max", options.intake.batch_tasks_max,
           {.help = "Outcomes per commit.", .min = 1, .max = 65'536})
      .add("batch_bytes_max", SizeOf{options.intake.batch_bytes_max},
           {.help = "Payload bytes per commit.", .min = config::kib(64)})
      .add("peer_timeout", options.intake.link.peer_timeout,
           {.help = "Silence after which the broker is dialled anew, before it says its own.",
            .min = 50ms,
            .max = 10min})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a drain may take.", .max = 24h});
}

}  // namespace framefleet::sink
