#include "broker/access/key_folder.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace framefleet::broker {
namespace {

Error error_of(const std::filesystem::path& path, const std::string& wrong) {
  return {fmt::format("{}: {}", path.string(), wrong), exit_code::kConfig};
}

/// Whoever can write here can let anybody in.
Result<void, Error> check_ours(const std::filesystem::path& path, const char* mode) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return fail(error_of(path, std::strerror(errno)));
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return fail(error_of(
        path,
        fmt::format("belongs to the user {}, who could let anybody in: chown it", found.st_uid)));
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return fail(error_of(path, fmt::format("has the mode {:04o}, so that others could let anybody "
                                         "in: chmod {} it",
                                         found.st_mode & 07777U, mode)));
}

struct Files {
  security::KeyPair key;
  access::AllowList allowed;
};

Result<Files, Error> read(const std::filesystem::path& folder) {
  if (auto ours = check_ours(folder, "700"); !ours) return fail(std::move(ours.error()));
  auto key = security::read_key_file(folder / access::kBrokerKeyName);
  if (!key) return fail(std::move(key.error()));
  const auto list = folder / access::kAllowListName;
  if (auto ours = check_ours(list, "600"); !ours) return fail(std::move(ours.error()));
  auto allowed = access::read_allow_list(list);
  if (!allowed) return fail(std::move(allowed.error()));
  return Files{*std::move(key), *std::move(allowed)};
}

FileDescriptor watch(const std::filesystem::path& folder) {
  FileDescriptor fd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  constexpr unsigned kWhat = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE;
  if (fd && ::inotify_add_watch(fd.get(), folder.c_str(), kWhat) < 0) fd.close();
  return fd;
}

}  // namespace

KeyFolder::KeyFolder(std::filesystem::path folder, security::KeyPair key, access::AllowList allowed)
    : folder_(std::move(folder)),
      public_key_(key.public_key),
      first_key_(std::move(key)),
      allowed_(std::move(allowed)) {}

Result<KeyFolder, Error> KeyFolder::open(std::filesystem::path folder) {
  auto watched = watch(folder);  // first, so that no change is missed
  auto files = read(folder);
  if (!files) return fail(std::move(files.error()));
  KeyFolder opened(std::move(folder), std::move(files->key), std::move(files->allowed));
  opened.watch_ = std::move(watched);
  return opened;
}

bool KeyFolder::take_changes() {
  bool changed = false;
  alignas(inotify_event) std::array<char, 4096> events{};
  while (true) {
    const auto got = ::read(watch_.get(), events.data(), events.size());
    if (got <= 0) return changed;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, events.data() + at, sizeof event);
      const std::string_view name = event.len == 0 ? "" : events.data() + at + sizeof event;
      changed |= name.empty() || name == access::kBrokerKeyName || name == access::kAllowListName;
      at += sizeof event + event.len;
    }
  }
}

Result<KeyFolder::Reading, Error> KeyFolder::read_again() {
  auto files = read(folder_);
  if (!files) return fail(std::move(files.error()));
  Reading reading;
  if (files->key.public_key != public_key_) {
    public_key_ = files->key.public_key;
    reading.new_key = std::move(files->key);
  }
  allowed_ = std::move(files->allowed);
  return reading;
}

std::vector<security::PublicKey> KeyFolder::allowed_keys() const {
  std::vector<security::PublicKey> keys;
  for (const auto& entry : allowed_.entries()) keys.push_back(entry.key);
  return keys;
}

security::KeyPair KeyFolder::take_first_key() {
  FRAMEFLEET_ASSERT(first_key_.has_value());
  auto key = std::move(*first_key_);
  first_key_.reset();
  return key;
}

}  // namespace framefleet::broker
