#pragma once
// A broker's folder of keys, as `framefleet keys` edits it: broker.key and broker.pub,
// allowed.toml, and during a rotation broker-next.key.
//
// Every change is another file in the place of the one before, on the disk when the call returns,
// so that a broker which reads at that moment sees the one or the other. Of allowed.toml all that
// is not changed stays as it was written, comments too; a file with a mistake is not edited. Locked
// against a second editor while this lives. Threads: one. Errors: 66 there is no such folder or
// identity, 69 somebody else edits it, 73 cannot be written, 78 what stands there is wrong.

#include "shared/access/allow_list.hpp"
#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/security/keys.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::cli {

/// The text of an allow-list with the table of that identity put in, in the place of one that is
/// there; `table` empty: taken out. Pure.
std::string with_table(const std::string& text, std::string_view identity,
                       const std::string& table);
/// An entry as a table of the file, with its limits where they are not the default.
std::string table_of(const access::Entry& entry);

class KeyFolder {
 public:
  enum class Missing : std::uint8_t { make, refuse };
  static Result<KeyFolder, Error> open(const std::filesystem::path& path, Missing missing);

  /// Makes the broker's key and an allow-list that lets nobody in, where they are missing. False:
  /// they were there.
  Result<bool, Error> make_broker_key();
  /// The broker's public keys: one, or in a rotation two.
  Result<std::vector<security::PublicKey>, Error> broker_keys() const;
  Result<access::AllowList, Error> allow_list() const;
  /// Puts the entry in the place of one with its identity.
  Result<void, Error> allow(const access::Entry& entry);
  Result<void, Error> revoke(const std::string& identity);

  /// A second key for the broker; broker.pub has both, for clients to be given. False: that is done
  /// already.
  Result<bool, Error> begin_rotation();
  /// The second key becomes the broker's, and broker.pub has it alone. False: there is none.
  Result<bool, Error> finish_rotation();

  std::filesystem::path broker_key() const { return path_ / access::kBrokerKeyName; }
  std::filesystem::path broker_public() const { return path_ / "broker.pub"; }
  std::filesystem::path next_key() const { return path_ / "broker-next.key"; }
  std::filesystem::path allowed() const { return path_ / access::kAllowListName; }

 private:
  KeyFolder(std::filesystem::path path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<void, Error> edit(std::string_view identity, const std::string& table);

  std::filesystem::path path_;
  FileDescriptor lock_;
};

/// A new pair in the place of a client's key file. `step` is called with the new public key once it
/// is on the disk beside the old one and before it takes the place: after a crash the next call
/// goes on with the same key. Error of `step`: the old key stays.
Result<security::PublicKey, Error> replace_key_file(
    const std::filesystem::path& file,
    const std::function<Result<void, Error>(const security::PublicKey&)>& step);

}  // namespace framefleet::cli
