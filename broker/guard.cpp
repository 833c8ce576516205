#include "broker/guard.hpp"

#include <string_view>
#include <utility>

namespace framefleet::broker {
namespace {

/// Who knocks all day must not fill the log.
constexpr Duration kTellInterval = std::chrono::seconds{10};

}  // namespace

Result<Guard, Error> Guard::open(const std::filesystem::path& folder, telemetry::Program& program) {
  Guard guard(program);
  if (folder.empty()) return guard;
  auto keys = KeyFolder::open(folder);
  if (!keys) return fail(std::move(keys.error()));
  guard.keys_ = *std::move(keys);
  guard.stats_.allowed_keys = guard.keys_->allowed().entries().size();
  program.log.info("keys_read", {{"folder", folder.string()},
                                 {"public", guard.keys_->public_key().text()},
                                 {"allowed", guard.stats_.allowed_keys}});
  return guard;
}

Result<std::unique_ptr<transport::Hub>, Error> Guard::open_hub(
    const transport::HubOptions& options) {
  if (!keys_) {
    if (options.insecure) {
      program_->log.warn("insecure", {{"text",
                                       "without keys everyone who reaches the tcp addresses may "
                                       "submit pictures, take tasks and read them"}});
    }
    return transport::Hub::open(options);
  }
  const auto key = keys_->take_first_key();
  const transport::HubKeys keys{key, keys_->allowed_keys()};
  return transport::Hub::open(options, &keys);
}

std::optional<int> Guard::fd() const {
  if (!keys_ || keys_->fd() < 0) return std::nullopt;
  return keys_->fd();
}

std::map<std::string, QuotaLimits> Guard::limits() const {
  std::map<std::string, QuotaLimits> limits;
  if (!keys_) return limits;
  for (const auto& entry : keys_->allowed().entries()) {
    limits[entry.identity] = {.tasks_per_second = entry.limits.tasks_per_second,
                              .bytes_per_second = entry.limits.bytes_per_second,
                              .unsettled_max = entry.limits.unsettled_max,
                              .backlog_share = entry.limits.backlog_share};
  }
  return limits;
}

std::optional<std::vector<PeerId>> Guard::look(transport::Hub& hub, bool asked) {
  if (!keys_) return std::nullopt;
  const bool changed = fd() && keys_->take_changes();
  if (!changed && !asked) return std::nullopt;
  const auto reading = keys_->read_again();
  stats_.unread = !reading;
  if (!reading) {
    program_->log.error("keys_unread", {{"text", reading.error().text}});
    return std::nullopt;
  }
  stats_.allowed_keys = keys_->allowed().entries().size();
  if (reading->new_key) {
    if (auto kept = hub.change_key(*reading->new_key); !kept) {
      program_->log.error(
          "broker_key_kept",
          {{"text", "the broker's new key counts from its next start on: " + kept.error()}});
    } else {
      program_->log.info("broker_key_changed", {{"public", keys_->public_key().text()}});
    }
  }
  auto gone = hub.allow(keys_->allowed_keys());
  program_->log.info("keys_reread",
                     {{"allowed", stats_.allowed_keys}, {"cut_off", std::uint64_t{gone.size()}}});
  return gone;
}

std::optional<std::string> Guard::denial_of(const transport::Hub::Incoming& incoming) {
  if (!incoming.message) return std::nullopt;
  const auto sender = standing_of(incoming.sender);
  auto denial = broker::denial_of(*incoming.message, sender);
  if (!denial) return denial;
  ++(sender.identity.empty() ? stats_.not_operators : stats_.wrong_role);
  program_->log.warn("message_denied", {{"peer", incoming.from.value()},
                                        {"identity", sender.identity},
                                        {"message", name_of(*incoming.message)}});
  return denial;
}

std::string_view Guard::identity_of(const transport::Hub::Sender& sender) const {
  return standing_of(sender).identity;
}

Standing Guard::standing_of(const transport::Hub::Sender& sender) const {
  if (!sender.key) return standing_without_key(sender.own_user);
  const auto* const entry = keys_ ? keys_->allowed().find(*sender.key) : nullptr;
  if (entry == nullptr) return {{}, "an unlisted key"};  // it may say nothing
  return {entry->roles, entry->identity};
}

void Guard::report(const transport::HubStats& stats, Time now) {
  if (now < tell_at_) return;
  bool told = false;
  for (std::size_t i = 0; i < transport::kHandshakeFaultCount; ++i) {
    const auto count = stats.handshakes_failed.at(i) - told_.handshakes_failed.at(i);
    if (count == 0) continue;
    const auto fault = static_cast<transport::HandshakeFault>(i);
    program_->log.warn("handshakes_failed", {{"reason", to_string(fault)}, {"count", count}});
    told = true;
  }
  if (const auto count = stats.unlisted - told_.unlisted; count > 0) {
    program_->log.warn("messages_of_no_key", {{"reason", "unlisted"}, {"count", count}});
    told = true;
  }
  if (const auto count = stats.unproved - told_.unproved; count > 0) {
    program_->log.warn("messages_of_no_key", {{"reason", "unproved"}, {"count", count}});
    told = true;
  }
  told_ = stats;
  if (told) tell_at_ = now + kTellInterval;
}

}  // namespace framefleet::broker
