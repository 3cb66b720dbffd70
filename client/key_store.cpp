#include "client/key_store.hpp"

#include "protocol/keys/key_file.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr std::size_t key_file_bytes_max = 4096;
constexpr std::size_t passphrase_bytes_max = 1024;
constexpr std::size_t passphrase_bytes_min = 8;

Result<std::string> read_key_file(const Desk& desk) {
  auto text = files::read_secret(desk.key_file, key_file_bytes_max);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, "you have no author key at " + desk.key_file.string() +
                                     "; make one with: kith init");
  }
  return text;
}

/// From the file that the environment names; nothing if it names none.
Result<std::string> passphrase_from_file(const Desk& desk) {
  auto text = files::read_secret(*desk.passphrase_file, passphrase_bytes_max);
  if (!text) return fail(text.error(), "reading KITH_PASSPHRASE_FILE");
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return text;
}

Result<std::string> new_passphrase(const Desk& desk) {
  auto passphrase =
      desk.passphrase_file ? passphrase_from_file(desk) : desk.ask_secret("Choose a passphrase: ");
  if (!passphrase) return passphrase;
  if (passphrase->size() < passphrase_bytes_min) {
    return fail(Errc::usage, "the passphrase is too short; use at least " +
                                 std::to_string(passphrase_bytes_min) +
                                 " characters, for instance four words");
  }
  if (desk.passphrase_file) return passphrase;
  const auto again = desk.ask_secret("The same again: ");
  if (!again) return again;
  if (*again != *passphrase) {
    return fail(Errc::usage, "the two passphrases differ; no key was made; try again");
  }
  return passphrase;
}

Result<std::string> key_file_text(const Desk& desk, const SigningKey& key, bool with_passphrase) {
  if (!with_passphrase) return encode_key_file(key);
  auto passphrase = new_passphrase(desk);
  if (!passphrase) return passphrase;
  std::array<std::uint8_t, 16> salt{};
  Nonce24 nonce;
  desk.random(salt);
  desk.random(nonce.bytes);
  auto text = encode_key_file(key, *passphrase, salt, nonce);
  wipe(*passphrase);
  return text;
}

Result<bool> make_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  if (folder.empty() || std::filesystem::exists(folder, failed)) return true;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    return fail(Errc::io, "creating " + folder.string() + ": " + files::why(failed.value()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  return true;
}

}  // namespace

Result<PublicKey> make_key(const Desk& desk, bool with_passphrase) {
  // Asked before anything is typed; create() below still refuses in the same step as it writes.
  const Error exists =
      fail(Errc::conflict, desk.key_file.string() +
                               " holds a key already, and a key is never overwritten; use it, or "
                               "name another file with --key FILE");
  std::error_code hidden;
  if (std::filesystem::exists(desk.key_file, hidden)) return exists;
  if (hidden) return fail(Errc::io, desk.key_file.string() + ": " + files::why(hidden.value()));

  Seed seed;
  desk.random(seed.bytes);
  const SigningKey key(seed);
  wipe(seed.bytes);
  auto text = key_file_text(desk, key, with_passphrase);
  if (!text) return text.error();

  const auto folder = make_folder(desk.key_file.parent_path());
  if (!folder) return folder.error();
  const auto written = files::create(desk.key_file, view(*text), 0600);
  wipe(*text);
  if (!written && written.error().code == Errc::conflict) return exists;
  if (!written) return written.error();
  return key.public_key();
}

Result<PublicKey> own_author(const Desk& desk) {
  const auto text = read_key_file(desk);
  if (!text) return text.error();
  const auto key = inspect_key_file(*text);
  if (!key) return fail(key.error(), "reading " + desk.key_file.string());
  return key->public_key;
}

Result<SigningKey> open_key(const Desk& desk) {
  auto text = read_key_file(desk);
  if (!text) return text.error();
  const auto inspected = inspect_key_file(*text);
  if (!inspected) return fail(inspected.error(), "reading " + desk.key_file.string());

  Result<std::string> passphrase = std::string();
  if (inspected->needs_passphrase) {
    passphrase = desk.passphrase_file
                     ? passphrase_from_file(desk)
                     : desk.ask_secret("Passphrase of " + desk.key_file.string() + ": ");
  }
  if (!passphrase) return passphrase.error();
  auto key = open_key_file(*text, *passphrase);
  wipe(*passphrase);
  wipe(*text);
  if (!key && key.error().code == Errc::forbidden) {
    return fail(Errc::forbidden, "wrong passphrase for " + desk.key_file.string() + "; try again");
  }
  return key;
}

}  // namespace kith::client
