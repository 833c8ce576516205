#include "broker/journals/record_seal.hpp"

#include <libdeflate.h>

namespace framefleet::broker {
namespace {

constexpr std::size_t kCrcBytes = 4;

std::uint32_t crc_over(std::uint32_t crc, std::string_view bytes) {
  return ::libdeflate_crc32(crc, bytes.data(), bytes.size());
}

/// Over table, length of the key, key, and all of the value but the checksum's own place.
std::uint32_t checksum(Table table, std::string_view key, std::string_view value) {
  const std::string head{static_cast<char>(table), static_cast<char>(key.size() & 0xFFU),
                         static_cast<char>(key.size() >> 8U)};
  return crc_over(crc_over(crc_over(0, head), key), value.substr(kCrcBytes));
}

template <class T>
void put_bytes(T value, char* to) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(static_cast<unsigned char>((value >> (8U * i)) & 0xFFU));
  }
}

template <class T>
T get_bytes(const char* from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<unsigned char>(from[i])) << (8U * i);
  }
  return value;
}

}  // namespace

void put_u32(std::uint32_t value, char* to) { put_bytes(value, to); }
void put_u64(std::uint64_t value, char* to) { put_bytes(value, to); }
std::uint32_t get_u32(const char* from) { return get_bytes<std::uint32_t>(from); }
std::uint64_t get_u64(const char* from) { return get_bytes<std::uint64_t>(from); }

void seal(Table table, std::string_view key, std::uint64_t transaction, std::span<char> value) {
  put_u64(transaction, value.data() + kCrcBytes);
  put_u32(checksum(table, key, {value.data(), value.size()}), value.data());
}

std::string sealed(Table table, std::string_view key, std::uint64_t transaction,
                   std::string_view body) {
  std::string value(kSealBytes, '\0');
  value += body;
  seal(table, key, transaction, value);
  return value;
}

std::optional<Unsealed> unseal(Table table, std::string_view key, std::string_view value) {
  if (value.size() < kSealBytes || get_u32(value.data()) != checksum(table, key, value)) {
    return std::nullopt;
  }
  return Unsealed{get_u64(value.data() + kCrcBytes), value.substr(kSealBytes)};
}

}  // namespace framefleet::broker
