#pragma once
// Internal: who is let in. Answers libzmq's questions about keys (ZAP, RFC 27) in the loop of the
// socket's owner, and knows at every message whose key still counts. Not a public header: it names
// ZeroMQ.
//
// Invariant: there is one before anything is bound with CURVE, so that no connection is ever made
// unasked. Threads: one, the loop's.

#include "shared/security/keys.hpp"

#include <zmq.hpp>

#include <vector>

namespace framefleet::transport {

class Gatekeeper {
 public:
  explicit Gatekeeper(zmq::context_t& context);

  void allow(std::vector<security::PublicKey> keys);
  bool allows(const security::PublicKey& key) const;

  /// Answers what is asked, up to a batch. The key's text becomes the connection's "User-Id".
  void answer();
  /// The last answer() left nothing unanswered.
  bool is_quiet() const { return is_quiet_; }
  zmq::socket_t& socket() { return questions_; }

 private:
  bool answer_one();

  zmq::socket_t questions_;
  bool is_quiet_{false};
  std::vector<security::PublicKey> allowed_;  // sorted
};

}  // namespace framefleet::transport
