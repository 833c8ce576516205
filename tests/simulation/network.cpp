#include "tests/simulation/network.hpp"

#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

void Flight::unpack(PayloadShelf& shelf) {
  auto content = contents.begin();
  for_each_payload(message, [&](Payload& payload) {
    if (payload.id) payload.id = shelf.put(*content++);
  });
}

ConnectionId Network::dial(std::size_t client, std::uint32_t incarnation) {
  Connection connection;
  connection.client = client;
  connection.incarnation = incarnation;
  connection.cut = incarnation == 0;
  connections_.emplace(++last_connection_, connection);
  return last_connection_;
}

void Network::cut(ConnectionId id) {
  if (const auto position = connections_.find(id); position != connections_.end()) {
    position->second.cut = true;
  }
}

void Network::hang_up(ConnectionId id) {
  if (const auto position = connections_.find(id); position != connections_.end()) {
    position->second.hung_up = true;
  }
}

void Network::cut_all() {
  for (auto& [id, connection] : connections_) connection.cut = true;
}

bool Network::is_open(ConnectionId id) const {
  const auto position = connections_.find(id);
  return position != connections_.end() && !position->second.cut && !position->second.hung_up;
}

bool Network::arrives(ConnectionId id, bool to_broker) const {
  const auto& connection = connections_.at(id);
  return !connection.cut && (to_broker || !connection.hung_up);
}

void Network::send(Flight flight) {
  if (!is_open(flight.connection)) return;
  auto& connection = connections_.at(flight.connection);
  if (faulty_ && agenda_.chance(faults_.loss)) {
    ++lost_;
    return;
  }
  if (faulty_ && agenda_.chance(faults_.doubling)) launch(connection, flight);
  launch(connection, std::move(flight));
}

void Network::launch(Connection& connection, Flight flight) {
  Duration late = agenda_.delay(50us, 2ms);
  if (faulty_ && agenda_.chance(0.02)) late += agenda_.delay(0ms, 3s);
  auto& last = connection.last_arrival[flight.to_broker ? 1 : 0];
  last = std::max(last, agenda_.now() + late);
  agenda_.at(last, [this, flight = std::move(flight)]() mutable {
    if (arrives(flight.connection, flight.to_broker)) arrive_(std::move(flight));
  });
}

}  // namespace framefleet::simulation
