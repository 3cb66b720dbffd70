#include "daemon/commands/given.hpp"

#include "daemon/clock.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/outline.hpp"
#include "storage/files/file.hpp"
#include "storage/files/terminal.hpp"

namespace kith::daemon {
namespace {

constexpr std::size_t key_file_bytes_max = 16 * limits::ki;
constexpr std::size_t invitation_bytes_max = 16 * limits::ki;
constexpr std::size_t words_file_bytes_max = 4 * limits::ki;

Result<std::string> words_as_given(const std::string& words_file) {
  if (!words_file.empty()) return files::read_secret(words_file, words_file_bytes_max);
  auto typed = files::ask_secret(
      "The 24 recovery words (they are not shown; as many lines as you like, an empty one ends): ",
      [](std::string_view so_far) { return count_words(so_far) >= recovery_word_count; });
  if (typed || typed.error().code != Errc::not_found) return typed;
  return fail(Errc::unavailable,
              "there is no terminal to ask for the recovery words: put them into a file that only "
              "you may read, and name it with --words-file");
}

}  // namespace

Result<PublicKey> read_steward(const std::string& setting) {
  constexpr std::string_view author = "kith-author-";
  if (setting.starts_with(author)) return decode_author(setting);
  const auto content = files::read(setting, key_file_bytes_max);
  if (!content) {
    return fail(Errc::usage,
                "--steward is a kith-author-… line, a file that holds one, or an "
                "author's key file: " +
                    content.error().detail);
  }
  const std::string_view text = trimmed(*content);
  if (text.starts_with(author)) return decode_author(text);
  const auto key = inspect_key_file(*content);
  if (!key) {
    return fail(Errc::usage, "--steward: " + setting +
                                 " is no author's key file and holds no line kith-author-…; kith "
                                 "init makes the one and prints the other (" +
                                 key.error().detail + ")");
  }
  return key->public_key;
}

Result<Invitation> read_invitation(const std::string& path) {
  const auto content = files::read(path, invitation_bytes_max);
  if (!content) return content.error();
  // What a letter or an editor adds at the end does no harm.
  auto invitation = decode_invitation(std::string(trimmed(*content)) + "\n");
  if (!invitation) return fail(invitation.error(), "reading " + path);
  if (invitation->expires < wall_now()) {
    return fail(Errc::stale,
                "the invitation has expired: ask the member that made it for a new one");
  }
  if (invitation->addresses.empty()) {
    return fail(Errc::stale,
                "the invitation does not say where the member that made it can be reached: ask for "
                "a new one, made with kith invite --address HOST:PORT");
  }
  return invitation;
}

Result<Seed> read_recovery_words(const std::string& words_file) {
  auto words = words_as_given(words_file);
  if (!words) return words.error();
  auto seed = seed_from_words(*words);
  wipe(*words);
  return seed;
}

}  // namespace kith::daemon
