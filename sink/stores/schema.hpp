#pragma once
// The tables of results.sqlite and how an older file becomes a newer one.
//
// A migration is SQL that takes the schema from version n to n + 1; version 0 is an empty file.
// Each runs in a transaction of its own. Before the first one an existing file is copied to
// `<file>.v<version>.bak`. The version is SQLite's user_version, the mark "ours" its
// application_id. Errors: a file that is not ours, or newer than this program, is left as it is.

#include "sink/stores/database.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace framefleet::sink {

/// "FFLT".
inline constexpr std::int64_t kApplicationId = 0x46464C54;

/// The migrations of this program; their number is the version that it reads and writes.
std::span<const std::string_view> schema_migrations();

/// Brings `database` (the open `file`) to version migrations.size().
Result<void, Error> prepare_schema(Database& database, const std::filesystem::path& file,
                                   std::span<const std::string_view> migrations);

/// Opens the file of a store that a sink may be writing to: with mode=ro, holding up nobody.
/// Errors: 66 there is none, 74 it cannot be read, and those of check_schema().
Result<std::unique_ptr<Database>, Error> open_to_read(const std::filesystem::path& file);
/// What a reader says when the database gave up (exit code 74).
Error unreadable(const std::filesystem::path& file, const SqlError& error);

/// Checks that `database` can be read by this program; changes nothing.
Result<void, Error> check_schema(Database& database, const std::filesystem::path& file);

}  // namespace framefleet::sink
