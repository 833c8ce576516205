// Any bytes as an allow-list, as a key file and as a file of public keys. What must hold: each is
// refused with exit code 78 and words that name the file, or it is taken; then no two entries have
// one key or one identity, and a key is spelt in one way alone.

#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

#include "shared/access/allow_list.hpp"
#include "shared/base/assert.hpp"
#include "shared/security/keys.hpp"

#include <string>
#include <string_view>

using namespace framefleet;

namespace {

void check_refusal(const Error& error, const std::string& file) {
  FRAMEFLEET_ASSERT(error.exit_code == exit_code::kConfig);
  FRAMEFLEET_ASSERT(error.text.find(file) != std::string::npos);
}

void check_spelling(const security::PublicKey& key, std::string_view content) {
  FRAMEFLEET_ASSERT(content.find(key.text()) != std::string_view::npos);
}

void check_list(const access::AllowList& list) {
  for (const auto& entry : list.entries()) {
    FRAMEFLEET_ASSERT(access::is_identity(entry.identity));
    FRAMEFLEET_ASSERT(list.find(entry.key) == &entry && list.find(entry.identity) == &entry);
    FRAMEFLEET_ASSERT(security::PublicKey::parse(entry.key.text()) == entry.key);
    FRAMEFLEET_ASSERT(entry.limits.backlog_share > 0 && entry.limits.backlog_share <= 1);
    FRAMEFLEET_ASSERT(entry.limits.tasks_per_second >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const test::MemoryFile file(content);
  const auto list = access::read_allow_list(file.path());
  list ? check_list(*list) : check_refusal(list.error(), file.path().string());
  const auto pair = security::read_key_file(file.path());
  pair ? check_spelling(pair->public_key, content)
       : check_refusal(pair.error(), file.path().string());
  const auto keys = security::read_public_keys(file.path());
  if (!keys) {
    check_refusal(keys.error(), file.path().string());
    return 0;
  }
  FRAMEFLEET_ASSERT(!keys->empty() && keys->size() <= 8);
  for (const auto& key : *keys) check_spelling(key, content);
  return 0;
}
