#include "daemon/identity.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

constexpr std::string_view header = "kithd-identity v1\n";
/// A certificate with its cut list, an invitation, a profile and a dozen keys are far below it.
constexpr std::size_t identity_bytes_max = 256 * limits::ki;

void add_line(std::string& to, std::string_view name, std::string_view value) {
  to.append(name).append(" ").append(value).append("\n");
}

template <class Tag, std::size_t N>
void add_octets(std::string& to, std::string_view name, const Octets<Tag, N>& value) {
  add_line(to, name, to_base32(value.view()));
}

/// Reads lines "name value" in a fixed order. The first failure is kept and ends the reading.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool next_is(std::string_view name) const {
    return !failure_ && rest_.starts_with(name) && rest_.substr(name.size()).starts_with(' ');
  }

  std::string_view value(std::string_view name) {
    const std::size_t end = rest_.find('\n');
    if (!next_is(name) || end == std::string_view::npos) {
      refuse(name, "is missing");
      return {};
    }
    const std::string_view value = rest_.substr(name.size() + 1, end - name.size() - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }

  template <class Tag, std::size_t N>
  void octets(std::string_view name, Octets<Tag, N>& to) {
    auto bytes = from_base32(value(name));
    if (!bytes || bytes->size() != N) return refuse(name, "is damaged");
    to = Octets<Tag, N>::from(*bytes);
    wipe(*bytes);
  }

  void bytes(std::string_view name, Bytes& to) {
    const auto decoded = from_base64(value(name));
    if (!decoded) return refuse(name, "is damaged");
    to = *decoded;
  }

  /// A line for people, bounded and free of control characters.
  void words(std::string_view name, std::string& to, std::size_t bytes_max) {
    to = value(name);
    if (!failure_ && (to.size() > bytes_max || one_line(to, bytes_max) != to)) {
      refuse(name, "is damaged");
    }
  }

  void refuse(std::string_view name, std::string_view how) {
    if (failure_) return;
    failure_ = fail(Errc::malformed,
                    "the line \"" + std::string(name) + "\" of the identity " + std::string(how));
  }

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] bool finished() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  std::optional<Error> failure_;
};

void read_profile(Reader& reader, Profile& profile) {
  reader.words("code", profile.code, limits::code_bytes_max);
  reader.words("name", profile.name, limits::name_bytes_max);
  reader.words("role", profile.role, limits::name_bytes_max);
  while (reader.next_is("address")) {
    if (profile.addresses.size() == limits::addresses_max) {
      return reader.refuse("address", "stands there too often");
    }
    reader.words("address", profile.addresses.emplace_back(), limits::name_bytes_max);
  }
}

void read_invitation(Reader& reader, std::optional<Invitation>& to) {
  Bytes bytes;
  reader.bytes("invitation", bytes);
  if (reader.failure()) return;
  const auto invitation = decode_invitation(text(bytes));
  if (!invitation) return reader.refuse("invitation", "is damaged");
  to = *invitation;
}

}  // namespace

std::vector<DhSecret> answering_keys(const Identity& identity) {
  std::vector<DhSecret> keys{identity.transport_key};
  keys.insert(keys.end(), identity.former_transport_keys.begin(),
              identity.former_transport_keys.end());
  return keys;
}

std::string encode_identity(const Identity& identity) {
  std::string out(header);
  add_octets(out, "network", identity.network);
  add_octets(out, "member", identity.member);
  add_line(out, "certificate", to_base64(identity.certificate));
  if (!identity.cut_list.empty()) add_line(out, "cut-list", to_base64(identity.cut_list));
  add_octets(out, "log-key", identity.log_key);
  add_octets(out, "witness-key", identity.witness_key);
  add_octets(out, "transport-key", identity.transport_key);
  for (const DhSecret& former : identity.former_transport_keys) {
    add_octets(out, "former-transport-key", former);
  }
  add_octets(out, "sealing-key", identity.sealing_key);
  add_octets(out, "daemon-key", identity.daemon_key);
  add_line(out, "code", identity.profile.code);
  add_line(out, "name", identity.profile.name);
  add_line(out, "role", identity.profile.role);
  for (const std::string& address : identity.profile.addresses) add_line(out, "address", address);
  add_octets(out, "founder", identity.founder);
  add_octets(out, "decision", identity.decision);
  if (identity.network_secret) add_octets(out, "network-secret", *identity.network_secret);
  if (identity.commons_keys) {
    add_octets(out, "commons-key-g", identity.commons_keys->g);
    add_octets(out, "commons-key-r", identity.commons_keys->r);
  }
  if (identity.invitation) {
    add_line(out, "invitation", to_base64(view(encode_invitation(*identity.invitation))));
  }
  return out;
}

Result<Identity> decode_identity(std::string_view text) {
  if (text.size() > identity_bytes_max) return fail(Errc::too_large, "not an identity: too long");
  if (!text.starts_with(header)) {
    return fail(Errc::malformed, "the first line is not \"kithd-identity v1\"");
  }
  Reader reader(text.substr(header.size()));
  Identity identity;
  reader.octets("network", identity.network);
  reader.octets("member", identity.member);
  reader.bytes("certificate", identity.certificate);
  if (reader.next_is("cut-list")) reader.bytes("cut-list", identity.cut_list);
  reader.octets("log-key", identity.log_key);
  reader.octets("witness-key", identity.witness_key);
  reader.octets("transport-key", identity.transport_key);
  while (reader.next_is("former-transport-key")) {
    if (identity.former_transport_keys.size() == limits::former_transport_keys_max) {
      reader.refuse("former-transport-key", "stands there too often");
      break;
    }
    reader.octets("former-transport-key", identity.former_transport_keys.emplace_back());
  }
  reader.octets("sealing-key", identity.sealing_key);
  reader.octets("daemon-key", identity.daemon_key);
  read_profile(reader, identity.profile);
  reader.octets("founder", identity.founder);
  reader.octets("decision", identity.decision);
  if (reader.next_is("network-secret")) {
    reader.octets("network-secret", identity.network_secret.emplace());
  }
  if (reader.next_is("commons-key-g")) {
    reader.octets("commons-key-g", identity.commons_keys.emplace().g);
    reader.octets("commons-key-r", identity.commons_keys->r);
  }
  if (reader.next_is("invitation")) read_invitation(reader, identity.invitation);
  if (reader.failure()) return *reader.failure();
  if (!reader.finished()) return fail(Errc::malformed, "the identity goes on after its last line");
  // One identity, one text: an invitation, for instance, could stand there in other forms.
  if (encode_identity(identity) != text) return fail(Errc::malformed, "the identity was changed");
  return identity;
}

}  // namespace kith::daemon
