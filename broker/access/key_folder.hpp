#pragma once
// The broker's folder of keys: `broker.key`, `broker.pub` and `allowed.toml`, read at the start and
// again whenever one of them changes.
//
// Invariant: what is in force is whole: of a reading with any mistake nothing counts. Threads: the
// loop's. Errors: 78 with the file and what to do.

#include "shared/access/allow_list.hpp"
#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/security/keys.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace framefleet::broker {

class KeyFolder {
 public:
  /// Also refuses a folder that others could put files into.
  static Result<KeyFolder, Error> open(std::filesystem::path folder);

  /// Readable when something happened in the folder; -1 where the kernel gives no watch.
  int fd() const { return watch_.get(); }
  /// Whether something did since the last call that asks for read_again().
  bool take_changes();

  /// What a reading brought.
  struct Reading {
    /// The broker's key, where it is another one than before.
    std::optional<security::KeyPair> new_key;
  };
  /// Reads the files again; after an error all stays as it was.
  Result<Reading, Error> read_again();

  const access::AllowList& allowed() const { return allowed_; }
  std::vector<security::PublicKey> allowed_keys() const;
  const security::PublicKey& public_key() const { return public_key_; }
  /// The broker's pair as it was read at the start, once: it is not kept.
  security::KeyPair take_first_key();

 private:
  KeyFolder(std::filesystem::path folder, security::KeyPair key, access::AllowList allowed);

  std::filesystem::path folder_;
  security::PublicKey public_key_;
  std::optional<security::KeyPair> first_key_;
  access::AllowList allowed_;
  FileDescriptor watch_;
};

}  // namespace framefleet::broker
