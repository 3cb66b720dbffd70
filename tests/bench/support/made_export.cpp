#include "tests/bench/support/made_export.hpp"

#include "client/archive_folder.hpp"
#include "client/commands/verifying.hpp"
#include "client/in_order.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/archive_writer.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/support/archive.hpp"

namespace kith::bench {
namespace {

using testing::ArchivedMember;

constexpr std::size_t body_bytes = 1024;
constexpr std::size_t records_at_once = 1'000;
constexpr Millis first_ms = 1'790'000'000'000;
constexpr const char* folder_of_log = "commons/ZZA";

/// An entry as it is written.
struct Entry {
  std::string leaf;
  Bytes payload;
  bool is_clear = false;
};

Entry entry_of(LeafClass leaf_class, std::uint64_t index, Bytes payload) {
  return {encode_leaf(make_leaf(leaf_class, first_ms + index * 1000, payload)), std::move(payload),
          leaf_class == LeafClass::clear};
}

Bytes record_of(const ArchivedMember& member, std::uint64_t index) {
  Record record;
  record.nonce.bytes.fill(0);
  for (std::size_t i = 0; i < sizeof(index); ++i) {
    record.nonce.bytes[i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  record.kind = "document";
  std::string body = "# Entry " + std::to_string(index) + "\n\n";
  body.append(body_bytes - body.size(), 'x');
  record.body = to_bytes(view(body));
  record.author = member.author.public_key();
  record.time = first_ms + index;
  record.network = member.network;
  record.log = member.log();
  return encode(record);
}

/// Entries [first, last), signed in batches and sealed.
std::vector<Entry> entries_of(const ArchivedMember& member, std::uint64_t first, std::uint64_t last,
                              std::size_t batch) {
  const Key32 key = made_keys(member.log()).r_keys.front();
  std::vector<Entry> entries;
  for (std::uint64_t at = first; at < last;) {
    std::vector<Bytes> records;
    for (; records.size() < batch && at + records.size() < last;) {
      records.push_back(record_of(member, at + records.size()));
    }
    for (const SignedRecord& one :
         sign_batch(member.network, member.log(), records, member.author)) {
      Nonce24 nonce;
      nonce.bytes.fill(0);
      for (std::size_t i = 0; i < sizeof(at); ++i) {
        nonce.bytes[i] = static_cast<std::uint8_t>(at >> (8 * i));
      }
      auto sealed = seal_payload(key, member.log(), nonce, encode_text(one));
      must(sealed.has_value(), "a record is not sealed");
      entries.push_back(entry_of(LeafClass::record, at++, std::move(*sealed)));
    }
  }
  return entries;
}

/// One of the two exports.
class Writing {
 public:
  Writing(const std::filesystem::path& place, bool is_whole)
      : is_whole_(is_whole),
        folder_(begun(place)),
        writer_([this](const auto& path, BytesView content) {
          return folder_.write(std::string(folder_of_log) + '/' + path, content);
        }) {}

  void add(const std::vector<Entry>& entries) {
    Bytes bundle;
    Bytes payloads;
    for (const Entry& entry : entries) {
      append_to_bundle(bundle, view(entry.leaf));
      peer::append_payload(payloads, is_whole_ || entry.is_clear
                                         ? std::optional<BytesView>(entry.payload)
                                         : std::nullopt);
    }
    must(writer_.add(bundle).has_value(), "a bundle is not written");
    write(payloads_path(bundles_++, static_cast<unsigned>(entries.size())), payloads);
    size_ += entries.size();
  }
  void finish(const ArchivedMember& member) {
    const auto root = writer_.finish();
    must(root.has_value(), "the tree is not written");
    const std::string checkpoint = sign_checkpoint(member.log(), size_, *root, member.log_key);
    write(std::string(checkpoint_name), to_bytes(view(checkpoint)));
    const std::string certificates = encode_certificates({});
    must(folder_.write(std::string(certificates_name), view(certificates)).has_value(),
         "the certificates are not written");
    Manifest manifest;
    manifest.network = member.network;
    manifest.network_name = "Five Rivers";
    manifest.exporter = member.id();
    manifest.time = first_ms;
    manifest.is_whole = is_whole_;
    manifest.certificates = blake2b({view(certificates)});
    ArchivedLog& log = manifest.logs.emplace_back();
    log.path = folder_of_log;
    log.member = member.id();
    log.size = size_;
    log.checkpoint = blake2b({view(checkpoint)});
    manifest.vkeys.push_back(encode_vkey(log_note_key(member.log(), member.log_key.public_key())));
    must(folder_.write(std::string(manifest_name), view(encode_manifest(manifest))).has_value() &&
             folder_.finish().has_value(),
         "the export is not written");
  }

 private:
  static client::FolderWriter begun(const std::filesystem::path& place) {
    auto folder = client::FolderWriter::begin(place);
    must(folder.has_value(), "no export can be written to " + place.string());
    return std::move(*folder);
  }
  void write(const std::string& path, const Bytes& content) {
    must(folder_.write(std::string(folder_of_log) + '/' + path, content).has_value(),
         path + " is not written");
  }

  bool is_whole_;
  client::FolderWriter folder_;
  ArchiveWriter writer_;
  std::uint64_t bundles_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

LogAudit::Keys made_keys(const LogId& log) {
  LogAudit::Keys keys;
  keys.g_keys = {log_key(testing::archive_keys().g, log)};
  keys.r_keys = {log_key(testing::archive_keys().r, log)};
  return keys;
}

std::size_t make_export(const std::filesystem::path& whole, const std::filesystem::path& clear,
                        const MadeExport& made) {
  const ArchivedMember member(1, testing::archive_network());
  Writing to_whole(whole, true);
  Writing to_clear(clear, false);
  std::vector<Entry> bundle;
  for (const auto& [leaf_class, text] : testing::usual_texts(member, 2)) {
    bundle.push_back(entry_of(leaf_class, bundle.size(), text));
  }
  std::uint64_t payload_bytes = 0;
  const auto flush = [&] {
    for (const Entry& entry : bundle) payload_bytes += entry.payload.size();
    to_whole.add(bundle);
    to_clear.add(bundle);
    bundle.clear();
  };
  const std::uint64_t records = made.entries - bundle.size();
  client::in_order((records + records_at_once - 1) / records_at_once, client::cores(),
                   [&](std::uint64_t n) {
                     const std::uint64_t first = 2 + n * records_at_once;
                     return entries_of(member, first,
                                       std::min(made.entries, first + records_at_once), made.batch);
                   },
                   [&](std::vector<Entry> entries) {
                     for (Entry& entry : entries) {
                       bundle.push_back(std::move(entry));
                       if (bundle.size() == limits::tile_hashes) flush();
                     }
                   });
  if (!bundle.empty()) flush();
  to_whole.finish(member);
  to_clear.finish(member);
  return payload_bytes / made.entries;
}

}  // namespace kith::bench
