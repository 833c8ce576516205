#pragma once
// The shell's guard: whom the broker lets in, what they may say, and when the keys of both change.
// Counts and tells what it turns away. Threads: the loop's.

#include "broker/access/access_rules.hpp"
#include "broker/access/key_folder.hpp"
#include "broker/core/quotas.hpp"

#include "shared/telemetry/program.hpp"
#include "shared/transport/hub.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::broker {

struct GuardStats {
  std::uint64_t allowed_keys{0};
  bool unread{false};              ///< The folder's files have mistakes, and those before count.
  std::uint64_t wrong_role{0};     ///< Messages of keys without the role for them.
  std::uint64_t not_operators{0};  ///< Messages of operators who are none.
};

class Guard {
 public:
  /// `folder` "": there are no keys. Errors: 78, a file of the folder is missing or wrong.
  static Result<Guard, Error> open(const std::filesystem::path& folder,
                                   telemetry::Program& program);

  /// Binds. Once: the broker's secret key is not kept.
  Result<std::unique_ptr<transport::Hub>, Error> open_hub(const transport::HubOptions& options);

  /// To be watched by the loop; nothing where there is none.
  std::optional<int> fd() const;
  /// Reads the keys again if `asked` or if they changed. Answers the peers whose keys are allowed
  /// no more; nothing: all is as it was.
  std::optional<std::vector<PeerId>> look(transport::Hub& hub, bool asked);
  /// What each identity of the allow-list may use.
  std::map<std::string, QuotaLimits> limits() const;

  /// Why the message may not be said; nothing: it may.
  std::optional<std::string> denial_of(const transport::Hub::Incoming& incoming);
  /// Of the sender's key, until the keys change; "": it came without one.
  std::string_view identity_of(const transport::Hub::Sender& sender) const;
  /// Tells of connections that did not come about, now and then.
  void report(const transport::HubStats& stats, Time now);
  const GuardStats& stats() const { return stats_; }

 private:
  explicit Guard(telemetry::Program& program) : program_(&program) {}
  Standing standing_of(const transport::Hub::Sender& sender) const;

  telemetry::Program* program_;
  std::optional<KeyFolder> keys_;
  GuardStats stats_;
  transport::HubStats told_;
  Time tell_at_{Time::min()};
};

}  // namespace framefleet::broker
