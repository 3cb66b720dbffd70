#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "protocol/crypto/crypto.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/schema/record_codec.hpp"

/// What a payload holds once opened ("text"), and the author's signature over one act of
/// publishing.
namespace kith {

/// A record with its place in the batch that its author signed.
struct SignedRecord {
  std::uint32_t count = 1;  ///< Records in the batch, 1..batch_records_max.
  std::uint32_t index = 0;
  Path path;  ///< Inclusion of the record id in the batch's tree.
  Signature signature{};
  Bytes record;  ///< As signed.
  friend bool operator==(const SignedRecord&, const SignedRecord&) = default;
};
struct CertificateText {
  Bytes statement;
  friend bool operator==(const CertificateText&, const CertificateText&) = default;
};
struct EnrolmentText {
  Bytes statement;
  friend bool operator==(const EnrolmentText&, const EnrolmentText&) = default;
};
/// Where its certificate cuts the member's logs; the hash in that certificate is of it.
struct CutListText {
  Bytes list;  ///< As encode(CutList) gives it.
  friend bool operator==(const CutListText&, const CutListText&) = default;
};
/// u8 1 | u32 count | u32 index | u8 path length | path | signature | record,
/// u8 2 | certificate statement, u8 3 | enrolment statement, u8 4 | cut list.
using PayloadText = std::variant<SignedRecord, CertificateText, EnrolmentText, CutListText>;
[[nodiscard]] Bytes encode_text(const PayloadText& text);
[[nodiscard]] Result<PayloadText> decode_text(BytesView bytes);

/// Signs the records (encoded, 1..batch_records_max) as one batch:
/// `kith/records/v1` | network | log | u32 count | root, root over leaf_hash(record id).
[[nodiscard]] std::vector<SignedRecord> sign_batch(const NetworkId& network, const LogId& log,
                                                   const std::vector<Bytes>& records,
                                                   const SigningKey& author);
/// From a record of a batch to the batch's root. Remembers the last walk: neighbours share most of
/// the way, and what lies ahead follows from where one stands and the rest of the path alone.
class BatchWalk {
 public:
  /// The root that `record`, whose id is `id`, and its path lead to. bad_proof.
  [[nodiscard]] Result<TreeHash> root(const SignedRecord& record, const RecordId& id);

 private:
  struct Step {
    std::uint32_t at = 0;  // Position on its level, and the last one there.
    std::uint32_t last = 0;
    TreeHash hash{};
    friend bool operator==(const Step&, const Step&) = default;
  };
  /// Which step of the last walk this is, if all that followed it is the same.
  [[nodiscard]] std::optional<std::size_t> same_from(const Step& step,
                                                     std::span<const TreeHash> ahead) const;
  void keep(std::vector<Step> steps, const std::vector<TreeHash>& path, const TreeHash& root);

  std::vector<Step> steps_;  // One before each hash of the path.
  std::vector<TreeHash> path_;
  TreeHash root_{};
};

/// A record whose author signed it, and its id.
struct VerifiedRecord {
  RecordId id;
  Record record;
};

/// The same for what was verified before; only its form is checked.
[[nodiscard]] Result<VerifiedRecord> read_unverified(const SignedRecord& signed_record);

/// Remembers the batches whose signature was checked: one check for 1,000 records. Bounded (the
/// oldest are forgotten). One for each thread.
class BatchVerifier {
 public:
  /// Checks canonical form, that the record names `network` and `log`, its path and the author's
  /// signature. Nothing is said about the author's right to speak: see KeyHistory.
  [[nodiscard]] Result<VerifiedRecord> verify(const SignedRecord& signed_record,
                                              const NetworkId& network, const LogId& log);

 private:
  std::vector<Hash> known_;  // H over all that the signature covers, and the signature; a ring.
  std::size_t next_ = 0;
  std::optional<Hash> newest_;  // The one that was met last.
  BatchWalk walk_;
};

}  // namespace kith
