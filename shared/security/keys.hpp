#pragma once
// CURVE keys: a pair belongs to one peer, its public half is what other peers know it by.
//
// A key file holds one pair and is its owner's alone (0600); beside it lies the public half alone,
// which may be copied anywhere. Both are text: lines `public = "…"`, `secret = "…"` with 40
// characters of Z85, empty lines, and lines that begin with '#'. Invariants: a secret key has no
// text form but in its file, and its memory is locked and wiped. Threads: any. Errors: 73 and 78,
// with the file and what to do.

#include "shared/base/result.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::security {

inline constexpr std::size_t kKeyBytes = 32;
/// Of a key as text.
inline constexpr std::size_t kKeyTextBytes = 40;

class PublicKey {
 public:
  using Bytes = std::array<unsigned char, kKeyBytes>;

  explicit PublicKey(const Bytes& bytes) : bytes_(bytes) {}
  /// From its 40 characters of Z85; nothing for any other text.
  static std::optional<PublicKey> parse(std::string_view text);

  const Bytes& bytes() const { return bytes_; }
  std::string text() const;

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  Bytes bytes_;
};

/// Moves, never copies: there is one place in memory to wipe.
class SecretKey {
 public:
  /// All zeros, to be written by whoever makes one.
  SecretKey();
  std::span<unsigned char, kKeyBytes> bytes() { return *bytes_; }
  std::span<const unsigned char, kKeyBytes> bytes() const { return *bytes_; }

 private:
  struct Wipe {
    void operator()(std::array<unsigned char, kKeyBytes>* bytes) const;
  };
  std::unique_ptr<std::array<unsigned char, kKeyBytes>, Wipe> bytes_;
};

struct KeyPair {
  PublicKey public_key;
  SecretKey secret_key;
};
KeyPair random_key_pair();

/// Where a peer has the keys that it needs to talk to a broker: both, or neither.
struct KeyFiles {
  std::filesystem::path own;     ///< Its key file.
  std::filesystem::path broker;  ///< Public keys of the broker, which are tried in turn.
};

/// Errors (78): it cannot be read, others may read it, it belongs to a stranger, it is no key file,
/// or its halves do not belong together.
Result<KeyPair, Error> read_key_file(const std::filesystem::path& file);
/// Makes the key file (0600) and public_file_of() beside it (0644), on the disk when this returns.
/// `comment`: one line. Errors (73): one of the two is there already, or cannot be written.
Result<void, Error> write_key_file(const std::filesystem::path& file, const KeyPair& pair,
                                   std::string_view comment);

/// "keys/broker.key" → "keys/broker.pub"; another name gets ".pub" appended.
std::filesystem::path public_file_of(const std::filesystem::path& key_file);
/// The keys of a file of public keys, 1 to 8, in its order. Errors (78), also for a secret in it.
Result<std::vector<PublicKey>, Error> read_public_keys(const std::filesystem::path& file);

}  // namespace framefleet::security
