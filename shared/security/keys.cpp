#include "shared/security/keys.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/file_descriptor.hpp"
#include "shared/base/whole_file.hpp"
#include "shared/security/sodium.hpp"
#include "shared/security/z85.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace framefleet::security {
namespace {

static_assert(kKeyBytes == crypto_box_PUBLICKEYBYTES && kKeyBytes == crypto_box_SECRETKEYBYTES);

/// Far over any file of keys.
constexpr std::size_t kFileBytesMax = 4096;
constexpr std::size_t kPublicKeysMax = 8;

/// The content of a file that may hold a secret: wiped when it goes.
class WipedText {
 public:
  WipedText() = default;
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { sodium_memzero(bytes_.data(), bytes_.size()); }

  std::string_view text() const { return {bytes_.data(), size_}; }
  /// False when the file is larger, or at an error of reading.
  bool read(int fd) {
    while (size_ < bytes_.size()) {
      const auto got = ::read(fd, bytes_.data() + size_, bytes_.size() - size_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return false;
      if (got == 0) return true;
      size_ += static_cast<std::size_t>(got);
    }
    errno = EFBIG;
    return false;
  }
  void append(std::string_view more) {
    FRAMEFLEET_ASSERT(more.size() <= bytes_.size() - size_);
    std::ranges::copy(more, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += more.size();
  }

 private:
  std::array<char, kFileBytesMax> bytes_{};
  std::size_t size_{0};
};

Error error_of(const std::filesystem::path& file, std::string_view wrong, int code) {
  return {fmt::format("{}: {}", file.string(), wrong), code};
}

Error last_error(const std::filesystem::path& file, std::string_view what, int code) {
  return error_of(file, fmt::format("{}: {}", what, std::strerror(errno)), code);
}

/// Whether a file that holds a secret is its owner's alone, and the owner one to be trusted.
Result<void, Error> check_private(const std::filesystem::path& file, int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) {
    return fail(last_error(file, "cannot be looked at", exit_code::kConfig));
  }
  if (!S_ISREG(found.st_mode)) return fail(error_of(file, "is no file", exit_code::kConfig));
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return fail(error_of(
        file, fmt::format("belongs to the user {}, who could change it: chown it", found.st_uid),
        exit_code::kConfig));
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(error_of(file,
                         fmt::format("holds a secret key and has the mode {:04o}, so that others "
                                     "may read it: chmod 600 it, and make a new key if they could",
                                     found.st_mode & 07777U),
                         exit_code::kConfig));
  }
  return {};
}

struct Line {
  std::string_view name;
  std::string_view value;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The lines `name = "value"` of a file. Of one that is none it says the number alone: what stands
/// there may be a secret.
Result<std::vector<Line>, Error> lines_of(const std::filesystem::path& file,
                                          std::string_view content) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !content.empty(); ++number) {
    const auto end = std::min(content.find('\n'), content.size());
    const auto line = trimmed(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, std::min(equals, line.size())));
    auto value =
        equals == std::string_view::npos ? std::string_view{} : trimmed(line.substr(equals + 1));
    const bool quoted =
        value.size() == kKeyTextBytes + 2 && value.starts_with('"') && value.ends_with('"');
    if ((name != "public" && name != "secret") || !quoted) {
      return fail(Error{fmt::format("{}:{}: not a line of a key file; allowed: public = \"…\" and "
                                    "secret = \"…\", with {} characters of Z85, and # comments",
                                    file.string(), number, kKeyTextBytes),
                        exit_code::kConfig});
    }
    lines.push_back({name, value.substr(1, kKeyTextBytes)});
  }
  return lines;
}

/// The file's one line of this name.
Result<std::string_view, Error> only_line(const std::filesystem::path& file,
                                          const std::vector<Line>& lines, std::string_view name) {
  const auto found = std::ranges::find(lines, name, &Line::name);
  if (found != lines.end() && std::ranges::count(lines, name, &Line::name) == 1) {
    return found->value;
  }
  return fail(
      error_of(file, fmt::format("a key file has one line {} = \"…\"", name), exit_code::kConfig));
}

}  // namespace

std::optional<PublicKey> PublicKey::parse(std::string_view text) {
  Bytes bytes{};
  if (!decode_z85(text, bytes)) return std::nullopt;
  return PublicKey(bytes);
}

std::string PublicKey::text() const {
  std::string text(kKeyTextBytes, '\0');
  encode_z85(bytes_, text);
  return text;
}

void SecretKey::Wipe::operator()(std::array<unsigned char, kKeyBytes>* bytes) const {
  sodium_free(bytes);  // which wipes it first
}

SecretKey::SecretKey() {
  ensure_sodium();
  void* const memory = sodium_malloc(sizeof(std::array<unsigned char, kKeyBytes>));
  if (memory == nullptr) throw std::bad_alloc();
  bytes_.reset(new (memory) std::array<unsigned char, kKeyBytes>{});
}

KeyPair random_key_pair() {
  PublicKey::Bytes public_bytes{};
  SecretKey secret;
  crypto_box_keypair(public_bytes.data(), secret.bytes().data());
  return {PublicKey(public_bytes), std::move(secret)};
}

Result<KeyPair, Error> read_key_file(const std::filesystem::path& file) {
  const FileDescriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return fail(last_error(file, "the key file cannot be opened", exit_code::kConfig));
  if (auto checked = check_private(file, fd.get()); !checked) return fail(checked.error());
  WipedText content;
  if (!content.read(fd.get())) {
    return fail(last_error(file, "the key file cannot be read", exit_code::kConfig));
  }
  const auto lines = lines_of(file, content.text());
  if (!lines) return fail(lines.error());
  const auto public_text = only_line(file, *lines, "public");
  if (!public_text) return fail(public_text.error());
  const auto secret_text = only_line(file, *lines, "secret");
  if (!secret_text) return fail(secret_text.error());

  const auto public_key = PublicKey::parse(*public_text);
  SecretKey secret;
  PublicKey::Bytes derived{};
  if (!public_key || !decode_z85(*secret_text, secret.bytes()) ||
      crypto_scalarmult_base(derived.data(), secret.bytes().data()) != 0) {
    return fail(error_of(file, "what stands there is no key: make a new one", exit_code::kConfig));
  }
  if (derived != public_key->bytes()) {
    return fail(error_of(file,
                         "its public and its secret key do not belong together: make a new one",
                         exit_code::kConfig));
  }
  return KeyPair{*public_key, std::move(secret)};
}

Result<void, Error> write_key_file(const std::filesystem::path& file, const KeyPair& pair,
                                   std::string_view comment) {
  const auto public_text = pair.public_key.text();
  const auto public_content = fmt::format("# {}\npublic = \"{}\"\n", comment, public_text);
  const auto public_file = public_file_of(file);
  if (std::error_code none; std::filesystem::exists(public_file, none)) {
    return fail(error_of(public_file, "is there already: choose another name, or remove it",
                         exit_code::kCannotCreate));
  }
  WipedText content;
  content.append(public_content.substr(0, kFileBytesMax / 2));
  content.append("secret = \"");
  std::array<char, kKeyTextBytes> secret_text{};
  encode_z85(pair.secret_key.bytes(), secret_text);
  content.append({secret_text.data(), secret_text.size()});
  sodium_memzero(secret_text.data(), secret_text.size());
  content.append("\"\n");
  if (auto made = make_file(file, content.text(), S_IRUSR | S_IWUSR); !made) return made;
  auto made = make_file(public_file, public_content, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (!made) ::unlink(file.c_str());
  return made;
}

std::filesystem::path public_file_of(const std::filesystem::path& key_file) {
  auto file = key_file;
  if (file.extension() == ".key") return file.replace_extension(".pub");
  return file += ".pub";
}

Result<std::vector<PublicKey>, Error> read_public_keys(const std::filesystem::path& file) {
  const FileDescriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  WipedText content;
  if (!fd || !content.read(fd.get())) {
    return fail(last_error(file, "the file of public keys cannot be read", exit_code::kConfig));
  }
  const auto lines = lines_of(file, content.text());
  if (!lines) return fail(lines.error());
  if (std::ranges::count(*lines, "secret", &Line::name) > 0) {
    return fail(error_of(file,
                         "holds a secret key where a public one is enough: give its .pub file, and "
                         "keep this one where it was made",
                         exit_code::kConfig));
  }
  std::vector<PublicKey> keys;
  for (const auto& line : *lines) {
    const auto key = PublicKey::parse(line.value);
    if (!key) return fail(error_of(file, "what stands there is no key", exit_code::kConfig));
    keys.push_back(*key);
  }
  if (!keys.empty() && keys.size() <= kPublicKeysMax) return keys;
  return fail(error_of(
      file,
      fmt::format("has {} public keys, where 1 to {} are allowed", keys.size(), kPublicKeysMax),
      exit_code::kConfig));
}

}  // namespace framefleet::security
