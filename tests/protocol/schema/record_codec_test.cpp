#include "protocol/schema/record_codec.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

/// One struct, seen as bytes alone: what its decoder makes of them when encoded again.
struct Codec {
  const char* name;
  Bytes sample;
  std::function<Result<Bytes>(BytesView)> again;
};

template <class Value, class Decode>
Codec codec(const char* name, const Value& value, Decode decode) {
  return {name, encode(value), [decode](BytesView bytes) -> Result<Bytes> {
            const auto decoded = decode(bytes);
            if (!decoded) return decoded.error();
            return encode(*decoded);
          }};
}

std::vector<Codec> codecs() {
  return {codec("record", samples::record(), decode_record),
          codec("certificate", samples::certificate(), decode_certificate),
          codec("cut list", samples::cut_list(), decode_cut_list),
          codec("enrolment", samples::enrolment(), decode_enrolment),
          codec("profile", samples::profile(), decode_profile),
          codec("founding", samples::founding(), decode_founding),
          codec("proposal", samples::proposal(), decode_proposal),
          codec("consent", samples::consent(), decode_consent),
          codec("seen", samples::seen(), decode_seen),
          codec("key grant", samples::key_grant(), decode_key_grant)};
}

template <class Value, class Decode>
void expect_refused(const Value& value, Decode decode, Errc code) {
  const auto decoded = decode(encode(value));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, code) << decoded.error().detail;
}

TEST(RecordCodec, EveryStructComesBackAsItWas) {
  EXPECT_EQ(*decode_record(encode(samples::record())), samples::record());
  EXPECT_EQ(*decode_certificate(encode(samples::certificate())), samples::certificate());
  EXPECT_EQ(*decode_cut_list(encode(samples::cut_list())), samples::cut_list());
  EXPECT_EQ(*decode_enrolment(encode(samples::enrolment())), samples::enrolment());
  EXPECT_EQ(*decode_profile(encode(samples::profile())), samples::profile());
  EXPECT_EQ(*decode_founding(encode(samples::founding())), samples::founding());
  EXPECT_EQ(*decode_proposal(encode(samples::proposal())), samples::proposal());
  EXPECT_EQ(*decode_consent(encode(samples::consent())), samples::consent());
  EXPECT_EQ(*decode_seen(encode(samples::seen())), samples::seen());
  EXPECT_EQ(*decode_key_grant(encode(samples::key_grant())), samples::key_grant());
}

TEST(RecordCodec, EmptyPartsComeBackAsTheyWere) {
  Record record;
  record.kind = "x";
  EXPECT_EQ(*decode_record(encode(record)), record);
  EXPECT_EQ(*decode_certificate(encode(Certificate{})), Certificate{});
  const Profile profile{"A", "B", "", {}};
  EXPECT_EQ(*decode_profile(encode(profile)), profile);
  Founding founding{profile, {}};
  founding.charter.name = "N";
  EXPECT_EQ(*decode_founding(encode(founding)), founding);
}

TEST(RecordCodec, TheBytesAreThoseOfTheFormat) {
  // One struct pointer, one word of data, one pointer to 32 bytes.
  EXPECT_EQ(to_hex(encode(samples::seen())),
            "0000000001000100"
            "0100000000000000"
            "0100000002010000" +
                to_hex(Bytes(32, 0x11)));
}

TEST(RecordCodec, NoTruncationIsAccepted) {
  for (const Codec& codec : codecs()) {
    for (std::size_t size = 0; size < codec.sample.size(); ++size) {
      EXPECT_FALSE(codec.again(BytesView(codec.sample).first(size))) << codec.name << " " << size;
    }
  }
}

TEST(RecordCodec, AnySingleBitFlipIsRefusedOrDecodesToExactlyThoseBytes) {
  for (const Codec& codec : codecs()) {
    std::size_t accepted = 0;
    for (std::size_t bit = 0; bit < codec.sample.size() * 8; ++bit) {
      Bytes flipped = codec.sample;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
      const auto again = codec.again(flipped);
      if (!again) continue;
      ++accepted;
      EXPECT_EQ(*again, flipped) << codec.name << " bit " << bit;
    }
    // Every bit of a hash or a key may be another one.
    EXPECT_GE(accepted, 256U) << codec.name;
  }
}

TEST(RecordCodec, BytesAfterTheSegmentAreRefused) {
  for (const Codec& codec : codecs()) {
    Bytes longer = codec.sample;
    longer.resize(longer.size() + 8, 0);
    EXPECT_FALSE(codec.again(longer)) << codec.name;
    longer.resize(longer.size() - 7);
    EXPECT_FALSE(codec.again(longer)) << codec.name;
  }
}

TEST(RecordCodec, ANullPointerIsNoSecondFormOfAnEmptyText) {
  const Bytes good = encode(Profile{"A", "B", "", {}});
  ASSERT_EQ(good.size(), 64U);  // Root, four pointers, one word for each text.
  Bytes twin = good;
  std::fill(twin.begin() + 24, twin.begin() + 32, std::uint8_t{0});  // The role.
  twin[32] = static_cast<std::uint8_t>(twin[32] - 4);  // The empty list begins a word earlier.
  twin.resize(56);
  EXPECT_TRUE(decode_profile(good));
  const auto decoded = decode_profile(twin);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().detail, "profile: not the one encoding of its content");
}

TEST(RecordCodec, AFieldOfALaterVersionIsRefused) {
  Bytes grown = encode(samples::seen());
  grown[4] = 2;  // Two words of data instead of one ...
  const std::uint8_t more[8] = {1};
  grown.insert(grown.begin() + 16, more, more + 8);  // ... the second of which is not zero.
  EXPECT_FALSE(decode_seen(grown));
}

TEST(RecordCodec, AnUnalignedBufferDecodes) {
  const Bytes bytes = encode(samples::record());
  Bytes shifted(1, 0);
  append(shifted, bytes);
  EXPECT_EQ(*decode_record(BytesView(shifted).subspan(1)), samples::record());
}

TEST(RecordCodec, AnEffectOfALaterVersionIsMalformed) {
  Proposal proposal;
  proposal.effects = {Part{samples::member(4)}};
  Bytes bytes = encode(proposal);
  ASSERT_EQ(bytes[64], 1);  // The effect's number, after root, two pointers, basis and list tag.
  bytes[64] = 5;
  const auto decoded = decode_proposal(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), fail(Errc::malformed, "proposal: an effect is none of this version"));
}

TEST(RecordCodec, AWordOfALaterVersionIsMalformed) {
  Bytes bytes = encode(samples::consent());
  ASSERT_EQ(bytes[12], 2);
  bytes[12] = 3;
  const auto decoded = decode_consent(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), fail(Errc::malformed, "consent: the word is none of this version"));
}

TEST(RecordCodec, AnOctetTooFewOrTooManyIsMalformed) {
  // A list of 31 bytes takes as many words as one of 32.
  for (const unsigned size : {31U, 33U}) {
    Bytes bytes = encode(samples::seen());
    bytes[20] = static_cast<std::uint8_t>(2 | size << 3);
    bytes[21] = static_cast<std::uint8_t>(size >> 5);
    if (size == 31) bytes.back() = 0;
    if (size == 33) bytes.resize(bytes.size() + 8, 0);
    const auto decoded = decode_seen(bytes);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), fail(Errc::malformed, "seen: the proposal has the wrong length"));
  }
}

TEST(RecordCodec, APointerThatLeavesTheSegmentIsRefused) {
  for (const unsigned lowest : {0x02U, 0x03U, 0xF9U, 0xFDU}) {  // Far, other, and backwards.
    Bytes bytes = encode(samples::seen());
    bytes[16] = static_cast<std::uint8_t>(lowest);
    EXPECT_FALSE(decode_seen(bytes)) << lowest;
  }
}

TEST(RecordCodec, ATextThatIsNotUtf8IsMalformed) {
  Record record = samples::record();
  record.kind = "note\xFF";
  expect_refused(record, decode_record, Errc::malformed);
  Founding founding = samples::founding();
  founding.charter.aim = "a\xED\xA0\x80";
  expect_refused(founding, decode_founding, Errc::malformed);
  founding = samples::founding();
  founding.charter.aim = std::string("a\0b", 3);
  expect_refused(founding, decode_founding, Errc::malformed);
}

TEST(RecordCodec, AKindIsAWord) {
  for (const char* good : {"a", "early_warning", "kind2"}) EXPECT_TRUE(is_kind_word(good)) << good;
  for (const char* bad : {"", "2nd", "_a", "Kind", "a b", "a-b"}) {
    EXPECT_FALSE(is_kind_word(bad)) << bad;
    Record record = samples::record();
    record.kind = bad;
    expect_refused(record, decode_record, Errc::malformed);
  }
  Record record = samples::record();
  record.kind = std::string(limits::name_bytes_max + 1, 'a');
  expect_refused(record, decode_record, Errc::too_large);
}

TEST(RecordCodec, AnUnknownKindIsKept) {
  Record record = samples::record();
  record.kind = "training_heatmap";
  EXPECT_TRUE(decode_record(encode(record)));
}

TEST(RecordCodec, ARecordIsAtMostAPayload) {
  Record record = samples::record();
  record.body.resize(limits::payload_bytes_max);
  expect_refused(record, decode_record, Errc::too_large);
  record.body.resize(limits::document_bytes_max);
  EXPECT_TRUE(decode_record(encode(record)));
}

TEST(RecordCodec, ACertificateNamesAtMostFourRelays) {
  Certificate certificate = samples::certificate();
  certificate.relays.resize(limits::relays_max);
  const Bytes most = encode(certificate);
  EXPECT_TRUE(decode_certificate(most));
  EXPECT_LE(most.size() + Signature::size, limits::statement_bytes_max);
  certificate.relays.resize(limits::relays_max + 1);
  expect_refused(certificate, decode_certificate, Errc::too_large);
}

TEST(RecordCodec, ACutListNamesEachLogOnceInOrder) {
  const auto refused = [](auto change, Errc code) {
    CutList list = samples::cut_list();
    change(list.logs);
    expect_refused(list, decode_cut_list, code);
  };
  refused([](auto& logs) { logs.clear(); }, Errc::malformed);
  refused([](auto& logs) { std::swap(logs[0], logs[1]); }, Errc::malformed);
  refused([](auto& logs) { logs[1].log = logs[0].log; }, Errc::malformed);
  refused([](auto& logs) { logs[1].size = limits::tree_size_max + 1; }, Errc::too_large);
  CutList most;
  for (std::size_t i = 0; i <= limits::cut_logs_max; ++i) {
    LogId log;
    log.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    log.bytes[1] = static_cast<std::uint8_t>(i);
    most.logs.push_back({log, i, TreeHash{{1}}});
  }
  expect_refused(most, decode_cut_list, Errc::too_large);
  most.logs.pop_back();
  EXPECT_EQ(*decode_cut_list(encode(most)), most);
  EXPECT_LE(encode(most).size(), limits::cut_list_bytes_max);
}

TEST(RecordCodec, EnrolmentsBeginAtOneAndKnowThreeScopes) {
  Enrolment enrolment = samples::enrolment();
  enrolment.number = 0;
  expect_refused(enrolment, decode_enrolment, Errc::malformed);
  enrolment = samples::enrolment();
  enrolment.scopes = 8;
  expect_refused(enrolment, decode_enrolment, Errc::malformed);
  enrolment.scopes = 0;
  EXPECT_TRUE(decode_enrolment(encode(enrolment)));
}

TEST(RecordCodec, AProfileIsFitToBeShown) {
  const auto refused = [](auto change, Errc code) {
    Profile profile = samples::profile();
    change(profile);
    expect_refused(profile, decode_profile, code);
  };
  refused([](Profile& p) { p.code.clear(); }, Errc::malformed);
  refused([](Profile& p) { p.code = "Ash"; }, Errc::malformed);
  refused([](Profile& p) { p.code = "A~B"; }, Errc::malformed);
  refused([](Profile& p) { p.name.clear(); }, Errc::malformed);
  refused([](Profile& p) { p.name = "two\nlines"; }, Errc::malformed);
  refused([](Profile& p) { p.role = "\x1B[2J"; }, Errc::malformed);
  refused([](Profile& p) { p.code.assign(limits::code_bytes_max + 1, 'A'); }, Errc::too_large);
  refused([](Profile& p) { p.name.assign(limits::name_bytes_max + 1, 'A'); }, Errc::too_large);
  refused([](Profile& p) { p.addresses.assign(9, "a:1"); }, Errc::too_large);
  refused([](Profile& p) { p.addresses = {"nowhere"}; }, Errc::malformed);
}

TEST(RecordCodec, AnAddressIsHostAndPort) {
  for (const char* good : {"a:1", "kith.example:65535", "192.0.2.1:443", "[2001:db8::1]:443"}) {
    EXPECT_TRUE(is_address(good)) << good;
  }
  for (const char* bad : {"", "a", "a:", ":1", "a:0", "a:65536", "a:01", "a:+1", "a b:1", "::1:443",
                          "[]:1", "a\n:1", "\xC3\xA4:1", "[a:1", "[[a]]:1"}) {
    EXPECT_FALSE(is_address(bad)) << bad;
  }
  EXPECT_FALSE(is_address(std::string(limits::name_bytes_max, 'a') + ":1"));
}

TEST(RecordCodec, ARulesNumberBelongsToItsForm) {
  for (const Rule rule : {Rule{Rule::Form::majority, 1}, Rule{Rule::Form::all, 2},
                          Rule{Rule::Form::k_of_n, 0}, Rule{Rule::Form::k_of_n, 16'385}}) {
    Founding founding = samples::founding();
    founding.charter.succession = rule;
    expect_refused(founding, decode_founding, Errc::malformed);
  }
}

TEST(RecordCodec, AProposalHasOneToSixtyFourEffects) {
  Proposal proposal = samples::proposal();
  proposal.effects.clear();
  expect_refused(proposal, decode_proposal, Errc::malformed);
  proposal.effects.assign(limits::effects_max, Part{samples::member(4)});
  EXPECT_TRUE(decode_proposal(encode(proposal)));
  proposal.effects.emplace_back(Part{samples::member(4)});
  expect_refused(proposal, decode_proposal, Errc::too_large);
  proposal.effects = {Admit{Bytes(limits::statement_bytes_max + 1, 1), samples::profile()}};
  expect_refused(proposal, decode_proposal, Errc::too_large);
}

TEST(RecordCodec, RoundsAreCountedFromOneToAMillion) {
  for (const std::uint32_t round : {0U, limits::round_max + 1}) {
    Consent consent = samples::consent();
    consent.round = round;
    expect_refused(consent, decode_consent, round == 0 ? Errc::malformed : Errc::too_large);
    Seen seen = samples::seen();
    seen.round = round;
    expect_refused(seen, decode_seen, round == 0 ? Errc::malformed : Errc::too_large);
  }
}

TEST(RecordCodec, AKeyGrantHasBoxesOfOneLength) {
  KeyGrant grant = samples::key_grant();
  grant.boxes.clear();
  expect_refused(grant, decode_key_grant, Errc::malformed);
  grant.boxes = {Bytes(111, 1)};
  expect_refused(grant, decode_key_grant, Errc::malformed);
  grant.boxes = {Bytes(113, 1)};
  expect_refused(grant, decode_key_grant, Errc::too_large);
}

TEST(RecordCodec, OneStructIsNoOther) {
  EXPECT_FALSE(decode_enrolment(encode(samples::certificate())));
  EXPECT_FALSE(decode_seen(encode(samples::consent())));
  EXPECT_FALSE(decode_profile(encode(samples::founding())));
  EXPECT_FALSE(decode_record(encode(samples::proposal())));
}

}  // namespace
}  // namespace kith
