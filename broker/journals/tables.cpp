#include "broker/journals/tables.hpp"

#include "broker/journals/record_seal.hpp"

#include <cstring>

namespace framefleet::broker {
namespace {

constexpr std::string_view kFormatName = "framefleet journal ";

template <class T>
void append_big_endian(std::string& key, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) {
    key += static_cast<char>(static_cast<unsigned char>((value >> (8U * i)) & 0xFFU));
  }
}

template <class T>
T take_big_endian(std::string_view& key) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(static_cast<T>(value << 8U) | static_cast<unsigned char>(key[i]));
  }
  key.remove_prefix(sizeof(T));
  return value;
}

}  // namespace

const char* to_string(Table table) {
  static constexpr std::array<const char*, kTableCount> kNames{"meta",    "tasks", "payloads",
                                                               "sources", "jobs",  "quarantine"};
  return kNames.at(static_cast<std::size_t>(table));
}

std::string format_body(std::uint32_t version) {
  std::string body(kFormatName);
  body.resize(kFormatName.size() + sizeof version);
  put_u32(version, body.data() + kFormatName.size());
  return body;
}

std::optional<std::uint32_t> parse_format(std::string_view body) {
  if (body.size() != kFormatName.size() + sizeof(std::uint32_t) ||
      body.substr(0, kFormatName.size()) != kFormatName) {
    return std::nullopt;
  }
  return get_u32(body.data() + kFormatName.size());
}

std::string state_body(const JournalState& state) {
  std::string body(sizeof state.incarnation + sizeof state.tasks, '\0');
  put_u32(state.incarnation, body.data());
  put_u64(state.tasks, body.data() + sizeof state.incarnation);
  return body;
}

std::optional<JournalState> parse_state(std::string_view body) {
  JournalState state;
  if (body.size() != sizeof state.incarnation + sizeof state.tasks) return std::nullopt;
  state.incarnation = get_u32(body.data());
  state.tasks = get_u64(body.data() + sizeof state.incarnation);
  return state;
}

std::string id_key(const TaskId& id) {
  std::string key;
  key.reserve(kIdBytes);
  append_big_endian(key, id.source);
  append_big_endian(key, id.epoch);
  append_big_endian(key, id.sequence);
  append_big_endian(key, id.part);
  return key;
}

std::optional<TaskId> parse_id_key(std::string_view key) {
  if (key.size() != kIdBytes) return std::nullopt;
  TaskId id;
  id.source = take_big_endian<std::uint64_t>(key);
  id.epoch = take_big_endian<std::uint32_t>(key);
  id.sequence = take_big_endian<std::uint64_t>(key);
  id.part = take_big_endian<std::uint16_t>(key);
  return id;
}

std::string hash_key(std::uint64_t hash) {
  std::string key;
  append_big_endian(key, hash);
  return key;
}

std::string quarantine_key(std::string_view id_key, QuarantinePart part) {
  return std::string(id_key) + static_cast<char>(part);
}

std::size_t payload_bytes(std::span<const std::span<const std::byte>> frames) {
  std::size_t bytes = sizeof(std::uint32_t) + frames.size() * sizeof(std::uint64_t);
  for (const auto& frame : frames) bytes += frame.size();
  return bytes;
}

void put_payload(std::span<const std::span<const std::byte>> frames, char* to) {
  put_u32(static_cast<std::uint32_t>(frames.size()), to);
  to += sizeof(std::uint32_t);
  for (const auto& frame : frames) {
    put_u64(frame.size(), to);
    to += sizeof(std::uint64_t);
  }
  for (const auto& frame : frames) {
    if (!frame.empty()) std::memcpy(to, frame.data(), frame.size());
    to += frame.size();
  }
}

std::optional<std::vector<std::string>> parse_payload(std::string_view body) {
  if (body.size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::size_t count = get_u32(body.data());
  body.remove_prefix(sizeof(std::uint32_t));
  if (count > body.size() / sizeof(std::uint64_t)) return std::nullopt;
  auto sizes = body.substr(0, count * sizeof(std::uint64_t));
  body.remove_prefix(sizes.size());
  std::vector<std::string> frames;
  for (; !sizes.empty(); sizes.remove_prefix(sizeof(std::uint64_t))) {
    const std::uint64_t size = get_u64(sizes.data());
    if (size > body.size()) return std::nullopt;
    frames.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  if (!body.empty()) return std::nullopt;
  return frames;
}

}  // namespace framefleet::broker
