#pragma once
// How a value lies in the journal's file: sealed with a checksum over its table, its key and
// itself, because LMDB has none.
//
//   crc32 (4 bytes) | number of the transaction that wrote it (8) | body      little-endian
//
// The number lets a salvage of a torn file tell the newest of several copies.
// Threads: any. Errors: unseal() answers nothing where the checksum is not that of the bytes.

#include "broker/journals/tables.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::broker {

inline constexpr std::size_t kSealBytes = 12;

struct Unsealed {
  std::uint64_t transaction{0};
  std::string_view body;
};

/// Writes the seal in front of a body that lies at `value.subspan(kSealBytes)` already.
void seal(Table table, std::string_view key, std::uint64_t transaction, std::span<char> value);
std::string sealed(Table table, std::string_view key, std::uint64_t transaction,
                   std::string_view body);
std::optional<Unsealed> unseal(Table table, std::string_view key, std::string_view value);

// Whole numbers as they lie in the file.
void put_u32(std::uint32_t value, char* to);
void put_u64(std::uint64_t value, char* to);
std::uint32_t get_u32(const char* from);
std::uint64_t get_u64(const char* from);

}  // namespace framefleet::broker
