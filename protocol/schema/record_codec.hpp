#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The structs of log.capnp and their one canonical segment each. Decoders refuse whatever is not
/// canonical (malformed), whatever exceeds limits.hpp (too_large), and never throw: what they
/// accept is exactly what encode() makes of the value. Bytes once signed are kept: encode only what
/// is new. encode() checks no limit: what comes from a person is judged by decoding what was
/// encoded.
namespace kith {

/// Whether `word` may name a kind: a-z, digits and '_', a letter first, at most name_bytes_max.
[[nodiscard]] bool is_kind_word(std::string_view word);
/// Whether `address` is "host:port" with a port from 1; an IPv6 host stands in brackets.
[[nodiscard]] bool is_address(std::string_view address);

/// What a person or a daemon said.
struct Record {
  Octets<struct NonceTag, 16> nonce{};  ///< Random: two records never have one id.
  std::string kind;                     ///< A word of kind_table.hpp, or one this version lacks.
  Bytes body;                           ///< By kind: a document's bytes, or a canonical segment.
  PublicKey author;
  Millis time = 0;    ///< Claimed by the author.
  NetworkId network;  ///< Zeros in Founding.
  LogId log;          ///< Zeros in Founding.

  friend bool operator==(const Record&, const Record&) = default;
};
[[nodiscard]] Bytes encode(const Record& record);
[[nodiscard]] Result<Record> decode_record(BytesView bytes);

/// TrustKeys: the keys of a member that are in force, signed by its recovery key.
struct Certificate {
  enum class Reason : std::uint8_t { first, planned, lost, cut };

  NetworkId network;  ///< Also in the founder's first, which follows Founding in the log.
  MemberId member;
  std::uint64_t number = 0;  ///< Milliseconds since 1970 at signing, or the last plus one.
  PublicKey log_key;
  PublicKey witness_key;
  DhPublic transport_key;
  DhPublic sealing_key;
  PublicKey daemon_key;  ///< The daemon's author key: KeyGrant, Seen, erasure receipts.
  PublicKey steward;     ///< The first steward.
  std::vector<DhPublic> relays;
  Reason reason = Reason::first;
  Hash cut_list{};  ///< Only with Reason::cut: the hash of the list that follows in the log.

  friend bool operator==(const Certificate&, const Certificate&) = default;
};
[[nodiscard]] Bytes encode(const Certificate& certificate);
[[nodiscard]] Result<Certificate> decode_certificate(BytesView bytes);

/// Where a certificate that cuts ends the history of one of its member's logs: what an older key
/// signed beyond counts for nothing.
struct CutLog {
  LogId log;
  std::uint64_t size = 0;  ///< Also the index of that certificate in the log.
  TreeHash root{};         ///< Over so many leaves; zeros if there are none.
  friend bool operator==(const CutLog&, const CutLog&) = default;
};
/// The text that follows such a certificate in each log.
struct CutList {
  std::vector<CutLog> logs;  ///< 1..cut_logs_max, in order of log id, each once.
  friend bool operator==(const CutList&, const CutList&) = default;
};
[[nodiscard]] Bytes encode(const CutList& list);
[[nodiscard]] Result<CutList> decode_cut_list(BytesView bytes);

/// What an author may do. A set of bits.
enum class Scope : std::uint8_t { none = 0, publish = 1, speak = 2, steward = 4 };
using Scopes = std::uint8_t;
inline constexpr Scopes all_scopes = 7;

/// Enrolment of an author by a steward; without scopes it is a withdrawal.
struct Enrolment {
  NetworkId network;
  MemberId member;
  std::uint32_t number = 0;  ///< 1, 2, 3 … for each member; out of turn is void.
  PublicKey author;
  Scopes scopes = 0;
  PublicKey steward;  ///< Whose signature follows.

  friend bool operator==(const Enrolment&, const Enrolment&) = default;
};
[[nodiscard]] Bytes encode(const Enrolment& enrolment);
[[nodiscard]] Result<Enrolment> decode_enrolment(BytesView bytes);

/// How a member is called and reached.
struct Profile {
  std::string code;
  std::string name;
  std::string role;                    ///< A label; no code reads it to grant anything.
  std::vector<std::string> addresses;  ///< "host:port".

  friend bool operator==(const Profile&, const Profile&) = default;
};

/// The rule for one kind of effect.
struct Rule {
  enum class Form : std::uint8_t { majority, k_of_n, all };
  Form form = Form::majority;
  std::uint32_t k = 0;  ///< Only with k_of_n.

  friend bool operator==(const Rule&, const Rule&) = default;
};

struct Charter {
  std::string name;
  std::string aim;
  Rule admit;
  Rule part;
  Rule charter;
  Rule space;       ///< Opening a space and changing its members.
  Rule succession;  ///< Pausing and resuming need a majority always and have no rule here.

  friend bool operator==(const Charter&, const Charter&) = default;
};

/// Kind "founding": leaf 0 of the founder's commons. Its record id is the network id.
struct Founding {
  Profile profile;
  Charter charter;

  friend bool operator==(const Founding&, const Founding&) = default;
};

/// One effect of a proposal.
struct Admit {
  Bytes certificate;  ///< The candidate's first statement, with signature.
  Profile profile;
  friend bool operator==(const Admit&, const Admit&) = default;
};
struct Part {
  MemberId member;
  friend bool operator==(const Part&, const Part&) = default;
};
struct Pause {
  MemberId member;
  friend bool operator==(const Pause&, const Pause&) = default;
};
struct Resume {
  MemberId member;
  friend bool operator==(const Resume&, const Resume&) = default;
};
struct ChangeCharter {
  Charter charter;
  friend bool operator==(const ChangeCharter&, const ChangeCharter&) = default;
};
using Effect = std::variant<Admit, Part, Pause, Resume, ChangeCharter>;

/// Kind "proposal".
struct Proposal {
  DecisionId basis;
  std::vector<Effect> effects;  ///< Done in order; 1..effects_max.
  friend bool operator==(const Proposal&, const Proposal&) = default;
};

/// Kind "consent": a word on a proposal.
struct Consent {
  enum class Word : std::uint8_t { object, stand_aside, agree };
  RecordId proposal;
  std::uint32_t round = 1;
  Word word = Word::object;
  friend bool operator==(const Consent&, const Consent&) = default;
};
/// "agree", "stand aside", "object".
[[nodiscard]] const char* name(Consent::Word word);

/// Kind "seen": a daemon saw `proposal` pass in `round`.
struct Seen {
  RecordId proposal;
  std::uint32_t round = 1;
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// Kind "keygrant": the keys of a space, one sealed box for each receiver.
struct KeyGrant {
  SpaceId space;
  DecisionId basis;
  Hash key_id_g;
  Hash key_id_r;
  std::vector<Bytes> boxes;  ///< crypto_box_seal(S_g | S_r), receivers in order of member id.
  friend bool operator==(const KeyGrant&, const KeyGrant&) = default;
};

[[nodiscard]] Bytes encode(const Profile& profile);
[[nodiscard]] Bytes encode(const Founding& founding);
[[nodiscard]] Bytes encode(const Proposal& proposal);
[[nodiscard]] Bytes encode(const Consent& consent);
[[nodiscard]] Bytes encode(const Seen& seen);
[[nodiscard]] Bytes encode(const KeyGrant& grant);
[[nodiscard]] Result<Profile> decode_profile(BytesView bytes);
[[nodiscard]] Result<Founding> decode_founding(BytesView bytes);
[[nodiscard]] Result<Proposal> decode_proposal(BytesView bytes);
[[nodiscard]] Result<Consent> decode_consent(BytesView bytes);
[[nodiscard]] Result<Seen> decode_seen(BytesView bytes);
[[nodiscard]] Result<KeyGrant> decode_key_grant(BytesView bytes);

}  // namespace kith
