#include "broker/access/access_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

namespace framefleet::broker {
namespace {

using access::Roles;

constexpr Roles kAnyone{true, true, true, true};
constexpr Roles kProducer{.producer = true};
constexpr Roles kWorker{.worker = true};
constexpr Roles kSink{.sink = true};
constexpr Roles kOperator{.operating = true};
/// An operator revives dead letters as a producer of its own.
constexpr Roles kProducerOrOperator{.producer = true, .operating = true};

bool revives(const SubmittedTask& task) { return task.revived_from.has_value(); }

Roles roles_for(const Hello& hello) {
  switch (hello.role) {
    case Role::producer:
      return kProducerOrOperator;
    case Role::worker:
      return kWorker;
    case Role::sink:
      return kSink;
    case Role::client:  // which may look at nothing yet
      break;
  }
  return kAnyone;
}

/// Tasks and revivals in one message are of somebody who may do both; it can be sent in two.
Roles roles_for(const Submit& submit) {
  const bool any = std::any_of(submit.tasks.begin(), submit.tasks.end(), revives);
  return any ? kOperator : kProducer;
}
Roles roles_for(const Sources&) { return kProducerOrOperator; }
Roles roles_for(const Ask&) { return kProducerOrOperator; }
Roles roles_for(const Results&) { return kWorker; }
Roles roles_for(const Nack&) { return kWorker; }
Roles roles_for(const Release&) { return kWorker; }
Roles roles_for(const Drain&) { return kWorker; }
Roles roles_for(const Stored&) { return kSink; }
Roles roles_for(const Known&) { return kSink; }
/// Of dead letters, and of cameras that were read again.
Roles roles_for(const Report&) { return {.producer = true, .sink = true}; }
Roles roles_for(const Control&) { return kOperator; }
template <class Other>
Roles roles_for(const Other&) {
  return kAnyone;
}

bool overlap(const Roles& a, const Roles& b) {
  return (a.producer && b.producer) || (a.worker && b.worker) || (a.sink && b.sink) ||
         (a.operating && b.operating);
}

std::string words(const Roles& roles) {
  return fmt::format("{}", fmt::join(access::words_of(roles), " or "));
}

}  // namespace

Standing standing_without_key(bool own_user) {
  return {{.producer = true, .worker = true, .sink = true, .operating = own_user}, {}};
}

std::optional<std::string> denial_of(const Message& message, const Standing& sender) {
  const auto needed = std::visit([](const auto& value) { return roles_for(value); }, message);
  // A revival needs the operator's right beside whatever the peer calls itself.
  if (overlap(needed, sender.roles)) return std::nullopt;
  if (sender.identity.empty()) {
    return "operating is for the broker's own user and root, over its ipc address, and for keys "
           "with the role operator";
  }
  return fmt::format("'{}' needs the role {}, and the key of {} has the role {}", name_of(message),
                     words(needed), sender.identity, words(sender.roles));
}

}  // namespace framefleet::broker
