#include "protocol/keys/key_file.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/schema/record_codec.hpp"

namespace kith {
namespace {

constexpr std::string_view key_file_header = "kith-key v1";
constexpr std::string_view invitation_header = "kith-invite v1";
constexpr std::string_view author_prefix = "kith-author-";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t sealed_seed_bytes = Seed::size + 16;
constexpr std::size_t key_file_bytes_max = 1 * limits::ki;
constexpr std::size_t invitation_bytes_max = 4 * limits::ki;

/// As read_octets(), leaving no second copy of a secret in memory.
template <class Tag, std::size_t N>
Result<bool> read_secret(NamedLines& lines, std::string_view name, Octets<Tag, N>& to) {
  const auto value = lines.value(name);
  if (!value) return value.error();
  auto bytes = from_base32(*value);
  const bool fits = bytes && bytes->size() == N;
  if (fits) to = Octets<Tag, N>::from(*bytes);
  if (bytes) wipe(*bytes);
  if (fits) return true;
  return fail(Errc::malformed, "the line \"" + std::string(name) + "\" is damaged");
}

using Salt = Octets<struct SaltTag, salt_bytes>;
using SealedSeed = Octets<struct SealedSeedTag, sealed_seed_bytes>;

struct ParsedKeyFile {
  PublicKey public_key;
  std::optional<SigningKey> key;  // Only if the seed is in clear.
  Salt salt;
  Nonce24 nonce;
  SealedSeed sealed;
};

Result<bool> read_sealed(NamedLines& lines, ParsedKeyFile& to) {
  const auto salt = read_octets(lines, "salt", to.salt);
  if (!salt) return salt;
  const auto nonce = read_octets(lines, "nonce", to.nonce);
  if (!nonce) return nonce;
  return read_octets(lines, "sealed", to.sealed);
}

Result<bool> read_clear(NamedLines& lines, ParsedKeyFile& to) {
  Seed seed;
  const auto read = read_secret(lines, "seed", seed);
  if (!read) return read;
  to.key.emplace(seed);
  wipe(seed.bytes);
  if (to.key->public_key() != to.public_key) {
    return fail(Errc::malformed, "the two keys in the file do not belong together");
  }
  return true;
}

Result<ParsedKeyFile> parse_key_file(std::string_view text) {
  if (text.size() > key_file_bytes_max) return fail(Errc::too_large, "not a key file: too long");
  NamedLines lines(text);
  const auto header = lines.exactly(key_file_header);
  if (!header) return header.error();
  const auto author = lines.value("public");
  if (!author) return author.error();
  const auto public_key = decode_author(*author);
  if (!public_key) return public_key.error();

  ParsedKeyFile file;
  file.public_key = *public_key;
  const auto secret = lines.next_is("seed") ? read_clear(lines, file) : read_sealed(lines, file);
  if (!secret) return secret.error();
  if (!lines.finished()) return fail(Errc::malformed, "the key file goes on after its last line");
  return file;
}

/// Over every line before it: tells a damaged invitation from one that does not fit.
Hash check_of(std::string_view lines) { return blake2b({view(lines)}); }

std::string invitation_lines(const Invitation& invitation) {
  std::string text = std::string(invitation_header) + "\n";
  add_line(text, "network", to_base32(invitation.network.view()));
  add_line(text, "name", invitation.network_name);
  add_line(text, "sponsor", to_base32(invitation.sponsor.view()));
  add_line(text, "transport", to_base32(invitation.sponsor_transport.view()));
  for (const std::string& address : invitation.addresses) add_line(text, "address", address);
  add_line(text, "secret", to_base32(invitation.secret.view()));
  add_line(text, "expires", std::to_string(invitation.expires));
  add_line(text, "decision", to_base32(invitation.decision.view()));
  add_line(text, "founder", to_base32(invitation.founder.view()));
  return text;
}

Result<bool> read_addresses(NamedLines& lines, std::vector<std::string>& to) {
  while (lines.next_is("address")) {
    const auto address = lines.value("address");
    if (!address) return address.error();
    if (!is_address(*address)) return fail(Errc::malformed, "an address is not host:port");
    if (to.size() == limits::addresses_max) return fail(Errc::too_large, "too many addresses");
    to.emplace_back(*address);
  }
  return true;
}

}  // namespace

std::string encode_key_file(const SigningKey& key) {
  std::string text = std::string(key_file_header) + "\n";
  add_line(text, "public", encode_author(key.public_key()));
  add_line(text, "seed", to_base32(key.seed().view()));
  return text;
}

std::string encode_key_file(const SigningKey& key, std::string_view passphrase, BytesView salt16,
                            const Nonce24& nonce) {
  KITH_CHECK(!passphrase.empty() && salt16.size() == salt_bytes);
  Key32 secret = passphrase_key(passphrase, salt16);
  const Bytes sealed = xchacha_seal(secret, nonce, key.public_key().view(), key.seed().view());
  wipe(secret.bytes);

  std::string text = std::string(key_file_header) + "\n";
  add_line(text, "public", encode_author(key.public_key()));
  add_line(text, "salt", to_base32(salt16));
  add_line(text, "nonce", to_base32(nonce.view()));
  add_line(text, "sealed", to_base32(sealed));
  return text;
}

Result<KeyFile> inspect_key_file(std::string_view text) {
  const auto file = parse_key_file(text);
  if (!file) return file.error();
  return KeyFile{file->public_key, !file->key.has_value()};
}

Result<SigningKey> open_key_file(std::string_view text, std::string_view passphrase) {
  const auto file = parse_key_file(text);
  if (!file) return file.error();
  if (file->key) return *file->key;
  if (passphrase.empty()) return fail(Errc::forbidden, "the key file needs its passphrase");

  Key32 secret = passphrase_key(passphrase, file->salt.view());
  auto seed = xchacha_open(secret, file->nonce, file->public_key.view(), file->sealed.view());
  wipe(secret.bytes);
  if (!seed) return fail(Errc::forbidden, "the passphrase is wrong or the key file is damaged");
  SigningKey key(Seed::from(*seed));
  wipe(*seed);
  if (key.public_key() != file->public_key) {
    return fail(Errc::malformed, "the two keys in the file do not belong together");
  }
  return key;
}

std::string encode_author(const PublicKey& key) {
  return std::string(author_prefix) + to_base32(key.view());
}

Result<PublicKey> decode_author(std::string_view text) {
  if (!text.starts_with(author_prefix)) {
    return fail(Errc::malformed, "an author's key begins with \"kith-author-\"");
  }
  const std::string_view digits = text.substr(author_prefix.size());
  const auto bytes = from_base32(digits.substr(0, 2 * PublicKey::size));
  if (!bytes || bytes->size() != PublicKey::size || digits.size() > 2 * PublicKey::size) {
    return fail(Errc::malformed, "the author's key is damaged or cut off");
  }
  const PublicKey key = PublicKey::from(*bytes);
  if (!is_valid_public_key(key)) return fail(Errc::malformed, "the author's key is mistyped");
  return key;
}

std::string encode_invitation(const Invitation& invitation) {
  std::string text = invitation_lines(invitation);
  add_line(text, "check", to_base32(check_of(text).view()));
  return text;
}

Result<Invitation> decode_invitation(std::string_view text) {
  if (text.size() > invitation_bytes_max) {
    return fail(Errc::too_large, "not an invitation: too long");
  }
  NamedLines lines(text);
  Invitation invitation;
  Hash check;
  const auto header = lines.exactly(invitation_header);
  if (!header) return header.error();
  // Each line is read only if those before it were good; a Result that failed stops the chain.
  Result<bool> read = read_octets(lines, "network", invitation.network);
  if (read) read = read_words(lines, "name", limits::name_bytes_max, invitation.network_name);
  if (read) read = read_octets(lines, "sponsor", invitation.sponsor);
  if (read) read = read_octets(lines, "transport", invitation.sponsor_transport);
  if (read) read = read_addresses(lines, invitation.addresses);
  if (read) read = read_secret(lines, "secret", invitation.secret);
  if (read) read = read_number(lines, "expires", invitation.expires);
  if (read) read = read_octets(lines, "decision", invitation.decision);
  if (read) read = read_octets(lines, "founder", invitation.founder);
  if (read) read = read_octets(lines, "check", check);
  if (!read) return fail(read.error(), "reading the invitation");
  if (!lines.finished()) return fail(Errc::malformed, "the invitation goes on after its last line");
  // Over what we would write, so that a CR added on the way does no harm.
  if (check != check_of(invitation_lines(invitation))) {
    return fail(Errc::malformed, "the invitation was changed on its way; ask for it again");
  }
  return invitation;
}

}  // namespace kith
