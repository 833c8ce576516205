#include "shared/security/sha256.hpp"

#include "shared/security/sodium.hpp"

#include <sodium.h>

#include <array>
#include <istream>

namespace framefleet::security {
namespace {

class Sha256 {
 public:
  Sha256() {
    ensure_sodium();
    crypto_hash_sha256_init(&state_);
  }
  void add(std::string_view bytes) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
  }
  std::string hex() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state_, digest.data());
    std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text{};
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    return text.data();
  }

 private:
  crypto_hash_sha256_state state_{};
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.hex();
}

std::string sha256_hex(std::istream& bytes) {
  Sha256 sum;
  std::array<char, 65'536> some{};
  while (bytes) {
    bytes.read(some.data(), some.size());
    sum.add({some.data(), static_cast<std::size_t>(bytes.gcount())});
  }
  return sum.hex();
}

}  // namespace framefleet::security
