#include "tests/support/archive.hpp"

#include <fstream>

#include "protocol/base/check.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/archive_writer.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/log/witness.hpp"
#include "protocol/records/record.hpp"
#include "protocol/schema/peer_codec.hpp"

namespace kith::testing {
namespace {

constexpr Millis first_ms = 1'790'000'000'000;
constexpr std::uint64_t cosigned_s = 1'790'000'100;

SigningKey key_of(std::uint8_t member, std::uint8_t role) {
  Seed seed;
  seed.bytes.fill(member);
  seed.bytes[0] = role;
  return SigningKey(seed);
}

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(BytesView bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::uint8_t> to) override {
    const std::size_t size = std::min(to.size(), rest_.size());
    std::ranges::copy(rest_.first(size), to.begin());
    rest_ = rest_.subspan(size);
    return size;
  }

 private:
  BytesView rest_;
};

Bytes seal(const ArchivedMember& member, LeafClass leaf_class, const Bytes& text,
           std::uint64_t index) {
  if (leaf_class == LeafClass::clear) return text;
  const SpaceKeys keys = archive_keys();
  const Key32 key = log_key(leaf_class == LeafClass::governance ? keys.g : keys.r, member.log());
  Nonce24 nonce;
  for (std::size_t i = 0; i < sizeof(index); ++i) {
    nonce.bytes[i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  auto sealed = seal_payload(key, member.log(), nonce, text);
  KITH_CHECK(sealed.has_value());
  return *sealed;
}

/// Writes one log; its root at each size that is asked for.
std::map<std::uint64_t, TreeHash> write_log(const ArchivedMember& member, const std::string& folder,
                                            const ArchiveOptions& options,
                                            const std::vector<std::uint64_t>& sizes,
                                            MemoryArchive& archive) {
  ArchiveWriter writer([&](const std::string& path, BytesView content) -> Result<bool> {
    archive.files[folder + '/' + path] = to_bytes(content);
    return true;
  });
  const auto texts =
      options.texts ? options.texts(member, options.size) : usual_texts(member, options.size);
  std::map<std::uint64_t, TreeHash> roots;
  CompactRange range;
  for (std::uint64_t first = 0; first < texts.size(); first += limits::tile_hashes) {
    const std::uint64_t last = std::min<std::uint64_t>(texts.size(), first + limits::tile_hashes);
    Bytes bundle;
    Bytes payloads;
    for (std::uint64_t i = first; i < last; ++i) {
      const auto& [leaf_class, text] = texts[i];
      const Bytes payload = seal(member, leaf_class, text, i);
      const std::string leaf = encode_leaf(make_leaf(leaf_class, first_ms + i * 1000, payload));
      append_to_bundle(bundle, view(leaf));
      const bool is_held = options.is_whole || leaf_class == LeafClass::clear;
      peer::append_payload(payloads, is_held ? std::optional<BytesView>(payload) : std::nullopt);
      range.push(leaf_hash(view(leaf)));
      if (std::ranges::count(sizes, range.size()) > 0) roots[range.size()] = range.root();
    }
    KITH_CHECK(writer.add(bundle).has_value());
    archive.files[folder + '/' +
                  payloads_path(first / limits::tile_hashes, static_cast<unsigned>(last - first))] =
        payloads;
  }
  const auto root = writer.finish();
  KITH_CHECK(root.has_value() && *root == range.root());
  return roots;
}

}  // namespace

Result<Bytes> MemoryArchive::read(const std::string& path, std::size_t bytes_max) const {
  const auto found = files.find(path);
  if (found == files.end()) return fail(Errc::not_found, "it is missing");
  if (found->second.size() > bytes_max) return fail(Errc::too_large, "it is too long");
  return found->second;
}

Result<std::unique_ptr<ByteSource>> MemoryArchive::open(const std::string& path) const {
  const auto found = files.find(path);
  if (found == files.end()) return fail(Errc::not_found, "it is missing");
  return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(found->second));
}

void MemoryArchive::each(const std::function<bool(const std::string&)>& each) const {
  for (const auto& [path, _] : files) {
    if (!each(path)) return;
  }
}

NetworkId archive_network() {
  NetworkId network;
  network.bytes.fill(0x4e);
  return network;
}

SpaceKeys archive_keys() {
  SpaceKeys keys;
  keys.g.bytes.fill(0x67);
  keys.r.bytes.fill(0x72);
  return keys;
}

ArchivedMember::ArchivedMember(std::uint8_t seed, const NetworkId& of)
    : network(of),
      identity(key_of(seed, 1)),
      log_key(key_of(seed, 2)),
      witness_key(key_of(seed, 3)),
      steward(key_of(seed, 4)),
      author(key_of(seed, 5)) {
  certificate.network = network;
  certificate.member = id();
  certificate.number = first_ms;
  certificate.log_key = log_key.public_key();
  certificate.witness_key = witness_key.public_key();
  certificate.daemon_key = key_of(seed, 6).public_key();
  certificate.steward = steward.public_key();
  DhSecret secret;
  secret.bytes.fill(seed);
  certificate.transport_key = certificate.sealing_key = dh_public(secret);
  statement = sign_certificate(certificate, identity);
}

LogId ArchivedMember::log() const { return log_id(network, id(), commons); }

Bytes text_by(const SigningKey& author, const ArchivedMember& member, const std::string& kind,
              const Bytes& body, std::uint64_t number) {
  Record record;
  for (std::size_t i = 0; i < sizeof(number); ++i) {
    record.nonce.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  record.kind = kind;
  record.body = body;
  record.author = author.public_key();
  record.time = first_ms + number;
  record.network = member.network;
  record.log = member.log();
  return encode_text(sign_batch(member.network, member.log(), {encode(record)}, author).front());
}

std::vector<std::pair<LeafClass, Bytes>> usual_texts(const ArchivedMember& member,
                                                     std::uint64_t size) {
  constexpr Scopes publish_and_speak = 3;
  std::vector<std::pair<LeafClass, Bytes>> texts;
  for (std::uint64_t i = 0; i < size; ++i) {
    if (i == 0) {
      texts.emplace_back(LeafClass::clear, encode_text(CertificateText{member.statement}));
    } else if (i == 1) {
      texts.emplace_back(LeafClass::clear,
                         encode_text(EnrolmentText{sign_enrolment(
                             {member.network, member.id(), 1, member.author.public_key(),
                              publish_and_speak, member.steward.public_key()},
                             member.steward)}));
    } else if (i % 7 == 0) {
      texts.emplace_back(LeafClass::governance,
                         text_by(member.author, member, "consent",
                                 encode(Consent{RecordId{{9}}, 1, Consent::Word::agree}), i));
    } else {
      const std::string body = "# Entry " + std::to_string(i) + "\n\ntext\n";
      texts.emplace_back(LeafClass::record,
                         text_by(member.author, member, "document", to_bytes(view(body)), i));
    }
  }
  return texts;
}

MemoryArchive make_archive(const ArchiveOptions& options) {
  const NetworkId network = archive_network();
  MemoryArchive archive;
  Manifest manifest;
  manifest.network = network;
  manifest.network_name = "Five Rivers";
  manifest.exporter = MemberId{{1}};
  manifest.time = first_ms;
  manifest.is_whole = options.is_whole;
  std::vector<ArchivedMember> witnesses;
  for (std::size_t i = 0; i < options.witnesses + options.further; ++i) {
    const bool is_owner = i == 0 && options.own_witness;
    witnesses.emplace_back(static_cast<std::uint8_t>(is_owner ? 1 : 100 + i), network);
  }
  for (std::size_t i = 0; i < options.logs; ++i) {
    const ArchivedMember member(static_cast<std::uint8_t>(1 + i), network);
    const std::string folder = "commons/ZZ" + std::string(1, static_cast<char>('A' + i));
    const std::uint64_t smaller = std::max<std::uint64_t>(1, options.size / 2);
    const auto roots = write_log(member, folder, options, {options.size, smaller}, archive);
    const SigningKey signer = options.signer ? options.signer(member) : member.log_key;
    auto note =
        decode_note(sign_checkpoint(member.log(), options.size, roots.at(options.size), signer));
    KITH_CHECK(note.has_value());
    std::vector<Cosignature> further;
    for (std::size_t w = 0; w < witnesses.size(); ++w) {
      const bool is_line = w < options.witnesses;
      const std::uint64_t size = is_line ? options.size : smaller;
      const Cosignature word = cosign(member.log(), size, roots.at(size), witnesses[w].id(),
                                      cosigned_s + w, witnesses[w].witness_key);
      if (is_line) {
        note->signatures.push_back(to_note_signature(word, witnesses[w].witness_key.public_key()));
      } else {
        further.push_back(word);
      }
    }
    ArchivedLog& log = manifest.logs.emplace_back();
    log.path = folder;
    log.member = member.id();
    log.size = options.size;
    archive.files[folder + "/checkpoint"] = to_bytes(view(encode_note(*note)));
    if (!further.empty()) {
      archive.files[folder + "/kith/cosignatures"] = to_bytes(view(encode_cosignatures(further)));
    }
    manifest.vkeys.push_back(encode_vkey(log_note_key(member.log(), signer.public_key())));
  }
  std::vector<Bytes> statements;
  for (const ArchivedMember& witness : witnesses) {
    statements.push_back(witness.statement);
    manifest.vkeys.push_back(
        encode_vkey(witness_note_key(witness.id(), witness.witness_key.public_key())));
  }
  archive.files[std::string(certificates_name)] = to_bytes(view(encode_certificates(statements)));
  archive.files[std::string(manifest_name)] = to_bytes(view(encode_manifest(manifest)));
  list_anew(archive);
  return archive;
}

void write_archive(const MemoryArchive& archive, const std::filesystem::path& folder) {
  for (const auto& [path, content] : archive.files) {
    std::filesystem::create_directories((folder / path).parent_path());
    std::ofstream file(folder / path, std::ios::binary);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file << text(content);
    file.close();
  }
}

std::string fork_by(const ArchivedMember& owner, std::uint64_t size) {
  const auto tree = [&](std::uint8_t branch) {
    const TreeHash root{{branch}};
    return SignedTree{size, root, sign_checkpoint(owner.log(), size, root, owner.log_key),
                      owner.statement};
  };
  return encode_evidence(make_evidence(commons, tree(1), tree(2), {}, {}));
}

std::string two_words_of(const ArchivedMember& witness, const LogId& log) {
  constexpr std::uint64_t size = 13;
  const auto tree = [&](std::uint8_t branch) {
    const TreeHash root{{branch}};
    const Cosignature word = cosign(log, size, root, witness.id(), cosigned_s, witness.witness_key);
    return SignedTree{size, root, note_of(word, witness.witness_key.public_key()),
                      witness.statement};
  };
  return encode_evidence(make_evidence(SpaceId{}, tree(1), tree(2), {}, {}));
}

void add_evidence(MemoryArchive& archive, const std::string& evidence) {
  std::size_t position = 0;
  while (archive.files.contains(evidence_path(position))) ++position;
  archive.files[evidence_path(position)] = to_bytes(view(evidence));
  list_anew(archive);
}

void list_anew(MemoryArchive& archive) {
  auto manifest = decode_manifest(text(archive.files.at(std::string(manifest_name))));
  KITH_CHECK(manifest.has_value());
  const auto hash_of = [&](const std::string& path) {
    return blake2b({BytesView(archive.files.at(path))});
  };
  manifest->certificates = hash_of(std::string(certificates_name));
  manifest->evidence.clear();
  for (std::size_t i = 0; archive.files.contains(evidence_path(i)); ++i) {
    manifest->evidence.push_back(hash_of(evidence_path(i)));
  }
  for (ArchivedLog& log : manifest->logs) {
    log.checkpoint = hash_of(log.path + "/checkpoint");
    const std::string further = log.path + "/kith/cosignatures";
    log.cosignatures.reset();
    if (archive.files.contains(further)) log.cosignatures = hash_of(further);
  }
  archive.files[std::string(manifest_name)] = to_bytes(view(encode_manifest(*manifest)));
}

TreeHash root_of(const ArchivedMember& member,
                 const std::vector<std::pair<LeafClass, Bytes>>& texts) {
  CompactRange range;
  for (std::uint64_t i = 0; i < texts.size(); ++i) {
    const auto& [leaf_class, text] = texts[i];
    const Bytes payload = seal(member, leaf_class, text, i);
    range.push(leaf_hash(view(encode_leaf(make_leaf(leaf_class, first_ms + i * 1000, payload)))));
  }
  return range.root();
}

Result<ArchiveReport> audit_of(const ArchiveFiles& files, bool with_keys) {
  auto audit = ArchiveAudit::begin(files, [&](const LogId& log) {
    LogAudit::Keys keys;
    if (with_keys) {
      keys.g_keys = {log_key(archive_keys().g, log)};
      keys.r_keys = {log_key(archive_keys().r, log)};
    }
    return keys;
  });
  if (!audit) return audit.error();
  for (auto log = audit->next_log(); log; log = audit->next_log()) {
    for (std::uint64_t n = 0; n < log->bundles(); ++n) log->absorb(log->check(n));
    audit->end(*log);
  }
  return audit->finish();
}

}  // namespace kith::testing
