#include "protocol/log/note.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "tests/support/shared.hpp"

namespace kith {
namespace {

using testing::read_whole;
using testing::shared_path;

const SigningKey alice(Seed::from(Bytes(32, 1)));
const SigningKey bob(Seed::from(Bytes(32, 2)));
const NoteKey alice_key{"alice", KeyType::ed25519, alice.public_key()};
const NoteKey bob_key{"bob", KeyType::ed25519, bob.public_key()};
const NoteKey witness_key{"witness", KeyType::cosignature_v1, bob.public_key()};

NoteSignature signed_by(const SigningKey& key, const NoteKey& as, std::string_view said) {
  return {as.name, key_id(as), to_bytes(key.sign(view(said)).view())};
}

NoteSignature cosigned_by(const SigningKey& key, const NoteKey& as, std::uint64_t time_s,
                          std::string_view said) {
  NoteSignature line{as.name, key_id(as), {}};
  append_integer(line.signature, time_s);
  append(line.signature, key.sign(view(cosigned_message(time_s, said))).view());
  return line;
}

Note two_signed() {
  return {"hello\n", {signed_by(alice, alice_key, "hello\n"), signed_by(bob, bob_key, "hello\n")}};
}

Errc refusal(std::string_view bytes) {
  const auto note = decode_note(bytes);
  EXPECT_FALSE(note) << bytes;
  return note ? Errc::usage : note.error().code;
}

Errc verdict(const Note& note, const std::vector<NoteKey>& known) {
  const auto signers = verify_note(note, known);
  return signers ? Errc::usage : signers.error().code;
}

std::string shared_line(const std::string& file) {
  std::string line = read_whole(*shared_path("vectors/c2sp-notes/" + file));
  while (line.ends_with('\n')) line.pop_back();
  return line;
}

TEST(Note, ComesBackAsItWas) {
  for (const std::string said : {"hello\n", "\n", "two\nlines\n", "an empty line\n\nwithin\n"}) {
    const Note note{said, {signed_by(alice, alice_key, said), {"x", 0, {1}}}};
    const auto decoded = decode_note(encode_note(note));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, note);
  }
}

TEST(Note, NamesTheKnownKeysThatSigned) {
  EXPECT_EQ(*verify_note(two_signed(), {alice_key, bob_key}),
            (std::vector<NoteKey>{alice_key, bob_key}));
  EXPECT_EQ(*verify_note(two_signed(), {bob_key}), (std::vector<NoteKey>{bob_key}));
  EXPECT_EQ(*verify_note(two_signed(), {witness_key, bob_key}), (std::vector<NoteKey>{bob_key}));
}

TEST(Note, WithoutAKnownSignerIsRefused) {
  EXPECT_EQ(verdict(two_signed(), {}), Errc::bad_signature);
  EXPECT_EQ(verdict(two_signed(), {{"carol", KeyType::ed25519, alice.public_key()}}),
            Errc::bad_signature);
  EXPECT_EQ(verdict(two_signed(), {{"alice", KeyType::ed25519, bob.public_key()}}),
            Errc::bad_signature);
}

TEST(Note, AFailingLineOfAKnownKeyRefusesTheWholeNote) {
  Note note = two_signed();
  note.signatures[1].signature[7] ^= 1;
  EXPECT_EQ(verdict(note, {alice_key, bob_key}), Errc::bad_signature);
  // To who does not know bob the line says nothing.
  EXPECT_EQ(*verify_note(note, {alice_key}), (std::vector<NoteKey>{alice_key}));
  note = two_signed();
  note.text = "hellO\n";
  EXPECT_EQ(verdict(note, {alice_key, bob_key}), Errc::bad_signature);
}

TEST(Note, ASecondLineOfOneKeyIsVerifiedToo) {
  Note note = two_signed();
  note.signatures.push_back(note.signatures[0]);
  EXPECT_EQ(*verify_note(note, {alice_key}), (std::vector<NoteKey>{alice_key}));
  note.signatures[2].signature[0] ^= 1;
  EXPECT_EQ(verdict(note, {alice_key}), Errc::bad_signature);
  std::swap(note.signatures[0], note.signatures[2]);
  EXPECT_EQ(verdict(note, {alice_key}), Errc::bad_signature);
}

TEST(Note, ASignatureOfAnotherLengthIsRefused) {
  for (const std::size_t size : {1U, 63U, 65U, 72U}) {
    Note note = two_signed();
    note.signatures[0].signature.resize(size);
    EXPECT_EQ(verdict(note, {alice_key}), Errc::bad_signature) << size;
  }
  for (const std::size_t size : {1U, 8U, 64U, 71U, 73U}) {
    Note note{"hello\n", {cosigned_by(bob, witness_key, 7, "hello\n")}};
    note.signatures[0].signature.resize(size);
    EXPECT_EQ(verdict(note, {witness_key}), Errc::bad_signature) << size;
  }
}

TEST(Note, ACosignatureCoversTimeAndText) {
  const Note note{"hello\n", {cosigned_by(bob, witness_key, 1790000000, "hello\n")}};
  EXPECT_EQ(*verify_note(note, {witness_key}), (std::vector<NoteKey>{witness_key}));
  for (std::size_t i = 0; i < 72; ++i) {
    Note changed = note;
    changed.signatures[0].signature[i] ^= 1;
    EXPECT_EQ(verdict(changed, {witness_key}), Errc::bad_signature) << i;
  }
  EXPECT_EQ(cosigned_message(5, "text\n"), "cosignature/v1\ntime 5\ntext\n");
}

TEST(Note, ACosignatureTimeThatOtherToolsCannotHoldIsRefused) {
  const auto at = [](std::uint64_t time_s) {
    return Note{"hello\n", {cosigned_by(bob, witness_key, time_s, "hello\n")}};
  };
  EXPECT_TRUE(verify_note(at(cosignature_time_s_max), {witness_key}));
  EXPECT_EQ(verdict(at(cosignature_time_s_max + 1), {witness_key}), Errc::bad_signature);
}

TEST(Note, AKeyOfOneTypeDoesNotStandForTheOther) {
  const NoteKey as_log{"witness", KeyType::ed25519, bob.public_key()};
  EXPECT_NE(key_id(as_log), key_id(witness_key));
  const Note cosigned{"hello\n", {cosigned_by(bob, witness_key, 7, "hello\n")}};
  EXPECT_EQ(verdict(cosigned, {as_log}), Errc::bad_signature);
  // Even under the other type's id, what was signed is another message.
  Note relabelled = cosigned;
  relabelled.signatures[0].key_id = key_id(as_log);
  EXPECT_EQ(verdict(relabelled, {as_log}), Errc::bad_signature);
  Note plain{"hello\n", {signed_by(bob, as_log, "hello\n")}};
  plain.signatures[0].key_id = key_id(witness_key);
  EXPECT_EQ(verdict(plain, {witness_key}), Errc::bad_signature);
}

TEST(Note, WithLenientBase64IsRefused) {
  const std::string good = encode_note(two_signed());
  ASSERT_TRUE(decode_note(good));
  // 4 + 64 bytes end in "=": the last digit before it has two spare bits.
  const std::size_t digit = good.find("=\n") - 1;
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t value = digits.find(good[digit]);
  ASSERT_EQ(value % 4, 0U);
  for (std::size_t spare = 1; spare < 4; ++spare) {
    std::string bad = good;
    bad[digit] = digits[value + spare];
    EXPECT_EQ(refusal(bad), Errc::malformed);
  }
  std::string unpadded = good;
  unpadded.erase(digit + 1, 1);
  EXPECT_EQ(refusal(unpadded), Errc::malformed);
  EXPECT_EQ(refusal(std::string(good).insert(digit + 1, "=")), Errc::malformed);
}

TEST(Note, InAnyOtherFormIsMalformed) {
  const std::string line = "\u2014 alice AAAAAAE=\n";  // An id and one byte.
  ASSERT_TRUE(decode_note("text\n\n" + line));
  ASSERT_TRUE(decode_note("text\n\n\n" + line));  // Two line ends belong to the text.
  for (const std::string& bytes : {std::string(),
                                   std::string("\n"),
                                   std::string("\n\n"),
                                   std::string("text\n"),
                                   std::string("text\n\n"),
                                   "text\n" + line,
                                   "\n" + line,
                                   "text\n\n" + line + "\n",
                                   "text\n\n" + line.substr(0, line.size() - 1),
                                   "text\n\n" + line + "more",
                                   "text\n\n" + line + "more\n",
                                   "te\txt\n\n" + line,
                                   "te\rxt\n\n" + line,
                                   "te\x01xt\n\n" + line,
                                   std::string("te\0xt\n\n", 7) + line,
                                   "te\xFFxt\n\n" + line,
                                   "te\xC0\xAFxt\n\n" + line,
                                   std::string("text\n\n- alice AAAAAAE=\n"),
                                   std::string("text\n\n\u2013 alice AAAAAAE=\n"),
                                   std::string("text\n\n\u2014alice AAAAAAE=\n"),
                                   std::string("text\n\n\u2014  AAAAAAE=\n"),
                                   std::string("text\n\n\u2014 alice\n"),
                                   std::string("text\n\n\u2014 alice \n"),
                                   std::string("text\n\n\u2014 alice  AAAAAAE=\n"),
                                   std::string("text\n\n\u2014 alice AAAAAAE= \n"),
                                   std::string("text\n\n\u2014 alice AAAAAA==\n"),
                                   std::string("text\n\n\u2014 alice AAAA\n"),
                                   std::string("text\n\n\u2014 al+ice AAAAAAE=\n"),
                                   std::string("text\n\n\u2014 al\u00A0ice AAAAAAE=\n"),
                                   std::string("text\n\n\u2014 al\u3000ice AAAAAAE=\n"),
                                   std::string("text\n\n\u2014 al\u2003ice AAAAAAE=\n")}) {
    EXPECT_EQ(refusal(bytes), Errc::malformed);
  }
}

TEST(Note, KeepsToItsLimits) {
  Note note{"text\n", {}};
  for (std::size_t i = 0; i < limits::note_lines_max; ++i) note.signatures.push_back({"x", 0, {1}});
  EXPECT_TRUE(decode_note(encode_note(note)));
  note.signatures.push_back({"x", 0, {1}});
  EXPECT_EQ(refusal(encode_note(note)), Errc::too_large);

  note.signatures.resize(1);
  note.text = std::string(limits::note_bytes_max - encode_note(note).size(), 'x') + note.text;
  EXPECT_TRUE(decode_note(encode_note(note)));
  note.text.insert(0, "x");
  EXPECT_EQ(refusal(encode_note(note)), Errc::too_large);
}

TEST(Note, HoldsALineAsLongAsThatOfAPostQuantumKey) {
  const Note note{"text\n", {{"x", 0, Bytes(3'700, 7)}, signed_by(alice, alice_key, "text\n")}};
  const auto decoded = decode_note(encode_note(note));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(verify_note(*decoded, {alice_key}));
}

TEST(NoteKey, ComesBackFromItsText) {
  for (const NoteKey& key : {alice_key, witness_key}) {
    const auto decoded = decode_vkey(encode_vkey(key));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, key);
  }
}

TEST(NoteKey, InAnyOtherFormIsRefused) {
  const auto refused = [](const std::string& vkey) {
    const auto key = decode_vkey(vkey);
    EXPECT_FALSE(key) << vkey;
    return key ? Errc::usage : key.error().code;
  };
  const std::string good = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  ASSERT_TRUE(decode_vkey(good));
  for (const std::string vkey :
       {"", "+", "++", "example.com/foo", "example.com/foo+530d903a", "example.com/foo+530d903a+",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2=",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv",
        // The same key, taken for a witness's: the id is another.
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"}) {
    EXPECT_EQ(refused(vkey), Errc::malformed);
  }
  EXPECT_EQ(refused(good + "\n"), Errc::malformed);
  EXPECT_EQ(refused(std::string(limits::note_bytes_max, 'x') + good), Errc::too_large);
  // ECDSA (2), TreeHeadSignature (5), ML-DSA-44 (6), none assigned (255).
  for (const int type : {0, 2, 5, 6, 255}) {
    Bytes bytes{static_cast<std::uint8_t>(type)};
    bytes.resize(33);
    EXPECT_EQ(refused("x+00000000+" + to_base64(bytes)), Errc::not_found);
  }
}

TEST(OutsideVectors, TheSpecificationsExampleNoteVerifies) {
  KITH_NEEDS_SHARED();
  const auto key = decode_vkey(shared_line("spec-example.vkey"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name, "example.com/foo");
  EXPECT_EQ(encode_vkey(*key), shared_line("spec-example.vkey"));
  const std::string bytes = read_whole(*shared_path("vectors/c2sp-notes/spec-example.note"));
  const auto note = decode_note(bytes);
  ASSERT_TRUE(note);
  EXPECT_EQ(encode_note(*note), bytes);
  EXPECT_EQ(note->text, "This is an example message.\n");
  EXPECT_EQ(*verify_note(*note, {*key}), (std::vector<NoteKey>{*key}));
}

TEST(OutsideVectors, EverySingleBitFlipOfTheExampleNoteIsRefused) {
  KITH_NEEDS_SHARED();
  const auto key = decode_vkey(shared_line("spec-example.vkey"));
  ASSERT_TRUE(key);
  const std::string bytes = read_whole(*shared_path("vectors/c2sp-notes/spec-example.note"));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto note = decode_note(changed);
    EXPECT_FALSE(note && verify_note(*note, {*key})) << bit;
  }
}

}  // namespace
}  // namespace kith
