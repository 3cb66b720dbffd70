#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "protocol/audit/archive_audit.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/leaf.hpp"

/// Exports that no daemon wrote, so that a test can make them as false as it likes.
namespace kith::testing {

/// An export in memory.
class MemoryArchive : public ArchiveFiles {
 public:
  [[nodiscard]] Result<Bytes> read(const std::string& path, std::size_t bytes_max) const override;
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> open(const std::string& path) const override;
  void each(const std::function<bool(const std::string&)>& each) const override;

  std::map<std::string, Bytes> files;
};

/// One member with a log of its own: a certificate, the enrolment of an author, then what the
/// author says: records that are sealed, each signed alone, and every seventh a consent.
struct ArchivedMember {
  explicit ArchivedMember(std::uint8_t seed, const NetworkId& network);

  [[nodiscard]] MemberId id() const { return {identity.public_key().bytes}; }
  [[nodiscard]] LogId log() const;

  NetworkId network;
  SigningKey identity;
  SigningKey log_key;
  SigningKey witness_key;
  SigningKey steward;
  SigningKey author;
  Certificate certificate;
  Bytes statement;
};

/// What an export holds, and what is wrong with it.
struct ArchiveOptions {
  std::uint64_t size = 20;  ///< Entries of each log.
  std::size_t logs = 1;
  std::size_t witnesses = 2;  ///< Whose lines are in the checkpoint.
  std::size_t further = 0;    ///< Whose words for a smaller size lie beside it.
  bool is_whole = true;
  bool own_witness = false;  ///< The first witness is the owner of the first log.
  /// The payload texts of a log; by default as ArchivedMember says.
  std::function<std::vector<std::pair<LeafClass, Bytes>>(const ArchivedMember&, std::uint64_t)>
      texts;
  /// Whose key signs a log; by default its first log key.
  std::function<SigningKey(const ArchivedMember&)> signer = {};
};

[[nodiscard]] NetworkId archive_network();
/// The keys of the space that all sealed payloads are sealed with.
[[nodiscard]] SpaceKeys archive_keys();
[[nodiscard]] MemoryArchive make_archive(const ArchiveOptions& options);
/// As files in `folder`, which need not exist.
void write_archive(const MemoryArchive& archive, const std::filesystem::path& folder);
/// A file of evidence: `owner` signed two roots of one size of its log.
[[nodiscard]] std::string fork_by(const ArchivedMember& owner, std::uint64_t size = 13);
/// The same of a witness who confirmed both.
[[nodiscard]] std::string two_words_of(const ArchivedMember& witness, const LogId& log);
/// Puts evidence into an export, and lists all anew.
void add_evidence(MemoryArchive& archive, const std::string& evidence);
/// Writes the hashes of the list of contents again, as whoever forges an export would. Evidence
/// that is there is listed.
void list_anew(MemoryArchive& archive);
/// A payload text: what `author` says in the log of `member`.
[[nodiscard]] Bytes text_by(const SigningKey& author, const ArchivedMember& member,
                            const std::string& kind, const Bytes& body, std::uint64_t number);
[[nodiscard]] std::vector<std::pair<LeafClass, Bytes>> usual_texts(const ArchivedMember& member,
                                                                   std::uint64_t size);
/// The root of a log of these texts.
[[nodiscard]] TreeHash root_of(const ArchivedMember& member,
                               const std::vector<std::pair<LeafClass, Bytes>>& texts);
/// Checks all of it, on this thread.
[[nodiscard]] Result<ArchiveReport> audit_of(const ArchiveFiles& files, bool with_keys);

}  // namespace kith::testing
