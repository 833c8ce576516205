#include "broker/journals/lmdb.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace framefleet::broker {
namespace {

constexpr mode_t kMode = 0600;
/// The broker, and some backups at once.
constexpr unsigned kReadersMax = 16;

MDB_val view(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};  // LMDB's API is not const-correct.
}
std::string_view view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

unsigned flags_of(LmdbEnvironment::Use use) {
  switch (use) {
    case LmdbEnvironment::Use::journal:
      return MDB_NOTLS;
    case LmdbEnvironment::Use::read:
      return MDB_NOTLS | MDB_RDONLY;
    case LmdbEnvironment::Use::lone_file:
      return MDB_NOTLS | MDB_NOSUBDIR | MDB_NOLOCK;
  }
  return MDB_NOTLS;
}

/// The two pages that say which commit counts.
class MetaPages {
 public:
  explicit MetaPages(MDB_env* environment) {
    MDB_stat stat{};
    if (::mdb_env_get_fd(environment, &file_) != 0 || ::mdb_env_stat(environment, &stat) != 0) {
      return;
    }
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      pages_.at(i) = read(i, stat.ms_psize);
    }
  }

  /// A commit that could not write its page leaves one that is of two commits: LMDB takes back the
  /// number and not the rest. As far as the disk allows, what was there comes back.
  void put_back() const {
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      const auto& page = pages_.at(i);
      if (page.empty() || read(i, page.size()) == page) continue;
      [[maybe_unused]] const auto written =
          ::pwrite(file_, page.data(), page.size(), static_cast<off_t>(i * page.size()));
    }
  }

 private:
  std::string read(std::size_t number, std::size_t bytes) const {
    std::string page(bytes, '\0');
    const auto got = ::pread(file_, page.data(), bytes, static_cast<off_t>(number * bytes));
    return got == static_cast<ssize_t>(bytes) ? page : std::string();
  }

  mdb_filehandle_t file_{-1};
  std::array<std::string, 2> pages_;
};

}  // namespace

bool LmdbError::is_full() const { return code == MDB_MAP_FULL; }

std::string LmdbError::text() const {
  std::string text = ::mdb_strerror(code);
  if (code == ENOSPC || code == EDQUOT) {
    text +=
        ", though the file has all its space: a copy-on-write file system needs more; make room, "
        "or give the journal another disk";
  }
  return text;
}

Result<LmdbEnvironment, LmdbError> LmdbEnvironment::open(const std::filesystem::path& path, Use use,
                                                         std::uint64_t bytes_max) {
  MDB_env* raw = nullptr;
  if (const int code = ::mdb_env_create(&raw); code != 0) return fail(LmdbError{code});
  LmdbEnvironment environment(raw);
  int code = ::mdb_env_set_maxdbs(raw, kTableCount);
  if (code == 0) code = ::mdb_env_set_maxreaders(raw, kReadersMax);
  if (code == 0 && bytes_max != 0) code = ::mdb_env_set_mapsize(raw, bytes_max);
  if (code == 0) code = ::mdb_env_open(raw, path.c_str(), flags_of(use), kMode);
  // Readers that died would keep their pages from being used again.
  if (code == 0 && use == Use::journal) code = ::mdb_reader_check(raw, nullptr);
  if (code != 0) return fail(LmdbError{code});
  return environment;
}

std::uint64_t LmdbEnvironment::bytes_max() const {
  MDB_envinfo info{};
  return ::mdb_env_info(environment_.get(), &info) == 0 ? info.me_mapsize : 0;
}

Result<void, LmdbError> LmdbEnvironment::copy_to(int descriptor) const {
  const int code = ::mdb_env_copyfd2(environment_.get(), descriptor, MDB_CP_COMPACT);
  if (code != 0) return fail(LmdbError{code});
  return {};
}

Result<LmdbTransaction, LmdbError> LmdbTransaction::begin(const LmdbEnvironment& environment,
                                                          Access access) {
  const bool writes = access == Access::write;
  MDB_txn* raw = nullptr;
  int code = ::mdb_txn_begin(environment.get(), nullptr, writes ? 0 : MDB_RDONLY, &raw);
  if (code != 0) return fail(LmdbError{code});
  LmdbTransaction transaction(raw);
  for (std::size_t i = 0; i < kTableCount && code == 0; ++i) {
    code = ::mdb_dbi_open(raw, to_string(static_cast<Table>(i)), writes ? MDB_CREATE : 0,
                          &transaction.tables_.at(i));
  }
  if (code != 0) return fail(LmdbError{code});
  return transaction;
}

Result<std::optional<std::string_view>, LmdbError> LmdbTransaction::get(
    Table table, std::string_view key) const {
  auto at = view(key);
  MDB_val value{};
  const int code = ::mdb_get(transaction_.get(), dbi(table), &at, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return fail(LmdbError{code});
  return view(value);
}

Result<void, LmdbError> LmdbTransaction::put(Table table, std::string_view key,
                                             std::string_view value) {
  auto at = view(key);
  auto bytes = view(value);
  const int code = ::mdb_put(transaction_.get(), dbi(table), &at, &bytes, 0);
  if (code != 0) return fail(LmdbError{code});
  return {};
}

Result<char*, LmdbError> LmdbTransaction::put_room(Table table, std::string_view key,
                                                   std::size_t bytes) {
  auto at = view(key);
  MDB_val room{bytes, nullptr};
  const int code = ::mdb_put(transaction_.get(), dbi(table), &at, &room, MDB_RESERVE);
  if (code != 0) return fail(LmdbError{code});
  return static_cast<char*>(room.mv_data);
}

Result<bool, LmdbError> LmdbTransaction::remove(Table table, std::string_view key) {
  auto at = view(key);
  const int code = ::mdb_del(transaction_.get(), dbi(table), &at, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return fail(LmdbError{code});
  return true;
}

Result<void, LmdbError> LmdbTransaction::each(
    Table table,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  MDB_cursor* raw = nullptr;
  if (const int code = ::mdb_cursor_open(transaction_.get(), dbi(table), &raw); code != 0) {
    return fail(LmdbError{code});
  }
  const std::unique_ptr<MDB_cursor, decltype(&::mdb_cursor_close)> cursor(raw, ::mdb_cursor_close);
  MDB_val key{};
  MDB_val value{};
  int code = ::mdb_cursor_get(raw, &key, &value, MDB_FIRST);
  while (code == 0 && visit(view(key), view(value))) {
    code = ::mdb_cursor_get(raw, &key, &value, MDB_NEXT);
  }
  if (code != 0 && code != MDB_NOTFOUND) return fail(LmdbError{code});
  return {};
}

Result<std::uint64_t, LmdbError> LmdbTransaction::count(Table table) const {
  MDB_stat stat{};
  const int code = ::mdb_stat(transaction_.get(), dbi(table), &stat);
  if (code != 0) return fail(LmdbError{code});
  return stat.ms_entries;
}

std::uint64_t LmdbTransaction::used_bytes() const {
  constexpr MDB_dbi kFreePages = 0;
  constexpr MDB_dbi kNames = 1;
  constexpr std::uint64_t kMetaPages = 2;
  std::uint64_t pages = kMetaPages;
  MDB_stat stat{};
  const auto add = [&](MDB_dbi table) {
    if (::mdb_stat(transaction_.get(), table, &stat) != 0) return;
    pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
  };
  add(kFreePages);
  add(kNames);
  for (const auto table : tables_) add(table);
  return pages * stat.ms_psize;
}

Result<void, LmdbError> LmdbTransaction::commit() {
  const MetaPages before(::mdb_txn_env(transaction_.get()));
  const int code = ::mdb_txn_commit(transaction_.release());
  if (code == 0) return {};
  before.put_back();
  return fail(LmdbError{code});
}

}  // namespace framefleet::broker
