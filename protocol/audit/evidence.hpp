#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/keys/authors.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/schema/cosignature.hpp"
#include "protocol/schema/record_codec.hpp"

/// Evidence (`.kith-evidence`): two things signed by one member that cannot both be true, with all
/// that is needed to see it. Anyone can check it, with nothing else at hand.
namespace kith {

/// The first line of the file.
inline constexpr std::string_view evidence_header = "kith-evidence v1";

/// What the file says. Of one contradiction there is one encoding: the smaller size (then the
/// smaller root, or statement) comes first.
struct Evidence {
  std::vector<Bytes> certificates;  ///< Of who signed: of both notes, or of each.
  SpaceId space;                    ///< Of a log's checkpoints; zeros otherwise.
  std::vector<std::string> notes;   ///< Two, of one signature line each. None: the certificates ...
                                    ///< ... themselves contradict each other.
  TreeHash root{};                  ///< The larger tree's root at the smaller size ...
  Path path;                        ///< ... and how it leads there. Only if the sizes differ.

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// Which of a member's keys said two things.
enum class Liar : std::uint8_t { log_key, witness_key, recovery_key };

/// What evidence that verified proves.
struct Contradiction {
  Liar liar = Liar::log_key;
  NetworkId network;
  MemberId member;                         ///< Whose key it is.
  std::optional<LogId> log;                ///< The log that is spoken of; nothing for certificates.
  std::array<std::uint64_t, 2> numbers{};  ///< Of the certificates, for the first and the second.
  std::array<Checkpoint, 2> said{};        ///< Empty for certificates.
  std::array<std::uint64_t, 2> times_s{};  ///< Of a witness's words, by its clock; else 0.

  /// Keys of certificates below this number do not count any more: then nor does the evidence.
  [[nodiscard]] std::uint64_t number() const { return std::min(numbers[0], numbers[1]); }
};

/// News of a cut may take so long to reach a witness.
inline constexpr std::uint64_t cut_news_s = 24 * 3'600;
/// Whether an honest witness may have said both about the log whose key history this is: one about
/// what a certificate cut away, the other about what took its place. Both are of more entries than
/// that certificate has before it, and the earlier is no later than a day after it was made.
[[nodiscard]] bool excused_by_cut(const Contradiction& proven, const KeyHistory& keys);

/// What evidence of two signed checkpoints or cosignatures of one log is made of. Whoever makes it
/// holds the tree of the larger size: `root` and `path` are what Evidence says of it; they are
/// ignored if the sizes are equal.
struct SignedTree {
  std::uint64_t size = 0;
  TreeHash root{};
  std::string note;   ///< With one signature line.
  Bytes certificate;  ///< That names the key.
};
[[nodiscard]] Evidence make_evidence(const SpaceId& space, SignedTree one, SignedTree other,
                                     const TreeHash& root, Path path);
/// Of two certificates of one number.
[[nodiscard]] Evidence make_evidence(Bytes one, Bytes other);
/// A note with the witness's line alone.
[[nodiscard]] std::string note_of(const Cosignature& cosignature, const PublicKey& witness_key);

/// Lines; docs/PROTOCOL.
[[nodiscard]] std::string encode_evidence(const Evidence& evidence);
/// Strict: only what encode_evidence() writes. Nothing is verified. malformed, too_large.
[[nodiscard]] Result<Evidence> decode_evidence(std::string_view text);
/// Whether it proves anything: every signature, every hash, and that both cannot be true.
/// bad_signature, bad_proof or malformed otherwise.
[[nodiscard]] Result<Contradiction> verify_evidence(const Evidence& evidence);

/// What it proves, in one line for a person.
[[nodiscard]] std::string in_words(const Contradiction& proven);
/// Whether anything follows from it still. `newest` is the highest number of that member's
/// certificates, and `newest_cut` that of those which cut; 0: none is known.
[[nodiscard]] bool still_counts(const Contradiction& proven, std::uint64_t newest,
                                std::uint64_t newest_cut);

}  // namespace kith
