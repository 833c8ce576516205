#include "shared/access/key_options.hpp"

namespace framefleet::access {

void add_key_options(config::Section section, security::KeyFiles& keys) {
  section
      .add("key", keys.own,
           {.help = "Key file of this process, for tcp addresses of a broker that has keys."})
      .add("broker_key", keys.broker,
           {.help = "File with the public key of the broker, or with two while it is changed."});
}

}  // namespace framefleet::access
