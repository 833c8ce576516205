#include "broker/journals/verify.hpp"

namespace framefleet::broker {

JournalFindings verify(const std::filesystem::path& /*file*/) { return {}; }

Result<JournalFindings, Error> verify_in_child(const std::filesystem::path& folder) {
  return verify(folder / "data.mdb");
}

}  // namespace framefleet::broker
