#include "shared/transport/gatekeeper.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace framefleet::transport {
namespace {

/// Questions answered in one turn: a handshake more costs libzmq's thread 100 times what it costs
/// us to answer it.
constexpr int kBatchMax = 256;

/// What a question is made of.
enum Part : std::size_t { version, request, domain, address, identity, mechanism, key, part_count };

std::optional<security::PublicKey> key_of(std::string_view credentials) {
  security::PublicKey::Bytes bytes{};
  if (credentials.size() != bytes.size()) return std::nullopt;
  std::ranges::transform(credentials, bytes.begin(),
                         [](char c) { return static_cast<unsigned char>(c); });
  return security::PublicKey(bytes);
}

}  // namespace

Gatekeeper::Gatekeeper(zmq::context_t& context) : questions_(context, zmq::socket_type::rep) {
  questions_.set(zmq::sockopt::linger, 0);
  questions_.bind("inproc://zeromq.zap.01");
}

void Gatekeeper::allow(std::vector<security::PublicKey> keys) {
  allowed_ = std::move(keys);
  std::ranges::sort(allowed_);
}

bool Gatekeeper::allows(const security::PublicKey& key) const {
  return std::ranges::binary_search(allowed_, key);
}

void Gatekeeper::answer() {
  is_quiet_ = false;
  for (int i = 0; i < kBatchMax && !is_quiet_; ++i) is_quiet_ = !answer_one();
}

bool Gatekeeper::answer_one() {
  std::array<std::string, part_count> parts;
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    zmq::message_t part;
    if (!questions_.recv(part, zmq::recv_flags::dontwait)) return false;
    more = part.more();
    if (count < parts.size()) parts.at(count) = part.to_string();
  }
  const auto peer = parts[mechanism] == "CURVE" ? key_of(parts[key]) : std::nullopt;
  const bool let_in = count == part_count && parts[version] == "1.0" && peer && allows(*peer);
  const std::array<std::string, 6> reply{"1.0",
                                         parts[request],
                                         let_in ? "200" : "400",
                                         let_in ? "OK" : "this key is not in the allow-list",
                                         let_in ? peer->text() : std::string{},
                                         std::string{}};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const auto flags = i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    questions_.send(zmq::buffer(reply.at(i)), flags | zmq::send_flags::dontwait);
  }
  return true;
}

}  // namespace framefleet::transport
