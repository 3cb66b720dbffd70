#include "client/secrets.hpp"

#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/records/outline.hpp"

namespace kith::client {
namespace {

struct Secret {
  std::string_view first_line;
  const char* what;
};
constexpr Secret secrets[] = {
    {"kith-key v", "a key file"},
    {"kith-invite v", "an invitation"},
    {"kithd-identity v", "the identity of a daemon"},
    {"kith-disclosure v", "a file of keys that open a log"},
};
/// 24 words of at most eight letters, with blanks; a longer text is none.
constexpr std::size_t words_bytes_max = 400;

}  // namespace

std::optional<std::string> secret_in(std::string_view text) {
  text = trimmed(text);
  for (const auto& [first_line, what] : secrets) {
    if (text.starts_with(first_line)) return what;
  }
  if (text.size() > words_bytes_max) return std::nullopt;
  auto seed = seed_from_words(text);
  if (!seed) return std::nullopt;
  wipe(seed->bytes);
  return "the recovery words of a member";
}

}  // namespace kith::client
