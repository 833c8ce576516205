#include "shared/transport/courier.hpp"

#include "shared/base/joining.hpp"
#include "shared/transport/address.hpp"
#include "shared/wire/codec.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace framefleet::transport {
namespace {

static_assert(kJoinedFramesMax <= wire::kMessageFramesMax);

/// Reads or writes one part without waiting. A signal changes nothing: half a message must not stay
/// behind in the socket.
template <class Attempt>
auto uninterrupted(Attempt attempt) {
  while (true) {
    try {
      return attempt();
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }
}

/// Nothing: the connection has no such property.
std::optional<std::string_view> property(const zmq::message_t& frame, const char* name) {
  const char* const value = zmq_msg_gets(frame.handle(), name);
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
}

/// Moves the second half of a list into a message of its own; nothing when there is no list to
/// halve. Of the two lists of `known` the longer one is halved, the other stays in the first part:
/// each part answers for the ids that it names.
std::optional<Message> split_off_half(Message& message) {
  return std::visit(
      [](auto& value) -> std::optional<Message> {
        using Value = std::decay_t<decltype(value)>;
        const auto halve = [](auto& list, auto& other) {
          const auto middle = list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2);
          other.assign(std::make_move_iterator(middle), std::make_move_iterator(list.end()));
          list.erase(middle, list.end());
        };
        if constexpr (requires { value.tasks; }) {
          if (value.tasks.size() < 2) return std::nullopt;
          Value other = value;
          halve(value.tasks, other.tasks);
          return other;
        } else if constexpr (requires { value.outcomes; }) {
          if (value.outcomes.size() < 2) return std::nullopt;
          Value other = value;
          halve(value.outcomes, other.outcomes);
          return other;
        } else if constexpr (std::is_same_v<Value, Known>) {
          if (std::max(value.stored.size(), value.unknown.size()) < 2) return std::nullopt;
          Value other;
          other.asker = value.asker;
          if (value.stored.size() >= value.unknown.size()) {
            halve(value.stored, other.stored);
          } else {
            halve(value.unknown, other.unknown);
          }
          return other;
        } else {
          return std::nullopt;
        }
      },
      message);
}

}  // namespace

Result<void, std::string> Courier::pack(const Message& message, std::vector<Parcel>& out) {
  Parcel parcel;
  sizes_.clear();
  for_each_payload(message, [&](const Payload& payload) {
    for (const auto& frame : payloads_.frames(payload.id)) {
      sizes_.push_back(frame.size());
      parcel.frames.push_back(frame);
    }
  });
  auto header = wire::encode(message, sizes_);
  if (header) {
    parcel.header = std::move(*header);
    out.push_back(std::move(parcel));
    return {};
  }
  if (header.error().kind != wire::CodecError::Kind::too_large) return fail(header.error().text);
  Message first = message;
  const auto second = split_off_half(first);
  if (!second) return fail(header.error().text);
  auto packed = pack(first, out);
  if (packed) packed = pack(*second, out);
  return packed;
}

Result<Message, Courier::Unreadable> Courier::unpack(std::span<zmq::message_t> parts) {
  if (parts.empty()) return fail(Unreadable{false, "a message without a frame"});
  sizes_.clear();
  for (const auto& part : parts.subspan(1)) sizes_.push_back(part.size());
  const auto& header = parts.front();
  auto message = wire::decode({header.data<std::byte>(), header.size()}, sizes_);
  if (!message) {
    return fail(Unreadable{message.error().kind == wire::CodecError::Kind::unknown_type,
                           message.error().text});
  }
  auto next = parts.begin() + 1;
  for_each_payload(*message, [&](Payload& payload) {
    if (payload.frames == 1) {
      payload = payloads_.put(Frame::of(std::move(*next++)));
      return;
    }
    std::vector<Frame> frames;
    frames.reserve(payload.frames);
    for (int i = 0; i < payload.frames; ++i) frames.push_back(Frame::of(std::move(*next++)));
    payload = payloads_.put(std::move(frames));
  });
  return std::move(*message);
}

bool Courier::receive(zmq::socket_t& socket, std::size_t parts_max, Parts& parts) {
  parts.clear();
  bool more = true;
  while (more) {
    zmq::message_t part;
    const auto got = uninterrupted([&] { return socket.recv(part, zmq::recv_flags::dontwait); });
    if (!got) return false;
    more = part.more();
    // The rest of a message that is too long is read, so that the next one can be.
    if (parts.size() <= parts_max) parts.push_back(std::move(part));
  }
  return true;
}

Courier::Origin Courier::origin_of(const Parts& parts, bool keyed) {
  Origin origin;
  if (parts.empty()) return origin;
  const auto& frame = parts.back();
  origin.connection = zmq_msg_get(frame.handle(), ZMQ_SRCFD);
  if (const auto address = property(frame, "Peer-Address")) origin.user = user_of_peer(*address);
  if (!keyed || origin.user) return origin;
  if (const auto key = property(frame, "User-Id")) origin.key = security::PublicKey::parse(*key);
  return origin;
}

Courier::Sent Courier::send(zmq::socket_t& socket, const std::string* route, const Parcel& parcel) {
  try {
    if (route != nullptr) {
      zmq::message_t first(route->data(), route->size());
      const auto flags = zmq::send_flags::dontwait | zmq::send_flags::sndmore;
      if (!uninterrupted([&] { return socket.send(first, flags); })) return Sent::would_block;
    }
    const auto send_part = [&](zmq::message_t part, bool is_last) {
      const auto flags = is_last ? zmq::send_flags::dontwait
                                 : zmq::send_flags::dontwait | zmq::send_flags::sndmore;
      return uninterrupted([&] { return socket.send(part, flags); }).has_value();
    };
    zmq::message_t header(parcel.header.data(), parcel.header.size());
    if (!send_part(std::move(header), parcel.frames.empty())) return Sent::would_block;
    for (const auto& frame : parcel.frames) {
      // After the first part libzmq takes the others whatever its high-water mark says.
      const bool is_last = &frame == &parcel.frames.back();
      if (!send_part(frame.message(), is_last)) return Sent::would_block;
    }
    return Sent::yes;
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return Sent::unreachable;
    throw;
  }
}

void Wait::add(zmq::socket_t& socket, bool to_write) {
  add_quiet(socket);
  const int wanted = to_write ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
  // Its descriptor tells of changes alone, and what was sent since may have taken one of them.
  is_ready_ |= (socket.get(zmq::sockopt::events) & wanted) != 0;
}

void Wait::add_quiet(zmq::socket_t& socket) {
  if (std::exchange(has_run_, false)) {
    polled_.clear();
    is_ready_ = false;
  }
  polled_.push_back({socket.get(zmq::sockopt::fd), POLLIN, 0});
}

void Wait::run(std::span<const int> fds, Duration timeout) {
  for (const int fd : fds) polled_.push_back({fd, POLLIN, 0});
  constexpr std::int64_t kLongestMs = std::numeric_limits<int>::max();
  const auto ms = timeout < Duration::zero() ? -1 : std::min(ceil_ms(timeout), kLongestMs);
  if (::poll(polled_.data(), polled_.size(), is_ready_ ? 0 : static_cast<int>(ms)) < 0) {
    for (auto& each : polled_) each.revents = 0;
    if (errno != EINTR) throw zmq::error_t(errno);
  }
  has_run_ = true;
}

bool Wait::heard(zmq::socket_t& socket) const {
  const auto found = std::ranges::find(polled_, socket.get(zmq::sockopt::fd), &pollfd::fd);
  return found != polled_.end() && found->revents != 0;
}

}  // namespace framefleet::transport
