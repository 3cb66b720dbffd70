#include "protocol/keys/key_file.hpp"

#include <gtest/gtest.h>

#include <set>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/sha256.hpp"
#include "protocol/keys/word_list.hpp"
#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

const Bytes salt(16, 0x5A);
const Nonce24 nonce = samples::filled<Nonce24>(0x4E);

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string with_crlf(const std::string& text) {
  std::string changed;
  for (const char c : text) changed += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return changed;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

Invitation invitation() {
  Invitation value;
  value.network = samples::filled<NetworkId>(1);
  value.network_name = "Example Partnership";
  value.sponsor = samples::member(1);
  value.sponsor_transport = samples::dh_key(2);
  value.addresses = {"kith.example:7411", "192.0.2.1:443"};
  value.secret = samples::filled<Key32>(3);
  value.expires = 1'700'000'000'000;
  value.decision = samples::filled<DecisionId>(4);
  value.founder = samples::member(5);
  return value;
}

TEST(KeyFile, InClearItOpensWithoutAPassphrase) {
  const SigningKey key = samples::signing_key(1);
  const std::string text = encode_key_file(key);
  EXPECT_TRUE(text.starts_with("kith-key v1\npublic kith-author-"));
  EXPECT_EQ(inspect_key_file(text)->public_key, key.public_key());
  EXPECT_FALSE(inspect_key_file(text)->needs_passphrase);
  EXPECT_EQ(open_key_file(text, "")->seed(), key.seed());
  EXPECT_EQ(open_key_file(text, "whatever")->seed(), key.seed());
}

TEST(KeyFile, UnderAPassphraseOnlyItOpensIt) {
  const SigningKey key = samples::signing_key(1);
  const std::string text = encode_key_file(key, "correct horse", salt, nonce);
  EXPECT_EQ(inspect_key_file(text)->public_key, key.public_key());
  EXPECT_TRUE(inspect_key_file(text)->needs_passphrase);
  EXPECT_EQ(open_key_file(text, "correct horse")->seed(), key.seed());
  for (const char* wrong : {"", "correct hors", "Correct horse"}) {
    const auto opened = open_key_file(text, wrong);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::forbidden);
  }
  EXPECT_EQ(text.find(to_base32(key.seed().view())), std::string::npos);
}

TEST(KeyFile, ThePublicKeyCannotBeSwapped) {
  const std::string own = encode_author(samples::public_key(1));
  const std::string other = encode_author(samples::public_key(9));
  const std::string clear = replaced(encode_key_file(samples::signing_key(1)), own, other);
  ASSERT_FALSE(inspect_key_file(clear));
  EXPECT_EQ(inspect_key_file(clear).error().code, Errc::malformed);
  const std::string sealed =
      replaced(encode_key_file(samples::signing_key(1), "secret", salt, nonce), own, other);
  ASSERT_FALSE(open_key_file(sealed, "secret"));
  EXPECT_EQ(open_key_file(sealed, "secret").error().code, Errc::forbidden);
}

TEST(KeyFile, WindowsLineEndsDoNoHarm) {
  const SigningKey key = samples::signing_key(1);
  EXPECT_EQ(open_key_file(with_crlf(encode_key_file(key)), "")->seed(), key.seed());
}

TEST(KeyFile, EveryTruncationAndAdditionIsMalformed) {
  for (const std::string& text : {encode_key_file(samples::signing_key(1)),
                                  encode_key_file(samples::signing_key(1), "p", salt, nonce)}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_FALSE(inspect_key_file(text.substr(0, size))) << size;
    }
    EXPECT_FALSE(inspect_key_file(text + "\n"));
    EXPECT_FALSE(inspect_key_file(text + "note hello\n"));
    EXPECT_FALSE(inspect_key_file("\n" + text));
    EXPECT_FALSE(inspect_key_file(replaced(text, "v1", "v2")));
  }
  const auto huge = inspect_key_file(std::string(2048, 'a'));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, Errc::too_large);
}

TEST(KeyFile, NoChangedCharacterOpensAnotherKey) {
  const std::string text = encode_key_file(samples::signing_key(1));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(open_key_file(changed, "")) << at;
  }
}

TEST(AuthorText, ItComesBackAsItWas) {
  const PublicKey key = samples::public_key(3);
  const std::string text = encode_author(key);
  EXPECT_EQ(text.size(), 12U + 52U);
  EXPECT_EQ(*decode_author(text), key);
}

TEST(AuthorText, WhatIsNoKeyIsMalformed) {
  const std::string text = encode_author(samples::public_key(3));
  for (const std::string& bad :
       {std::string(), text.substr(12), text.substr(0, 63), text + "a", "x" + text, text + "\n",
        std::string("kith-author-"), encode_author(PublicKey{}), std::string(10'000, 'a')}) {
    const auto decoded = decode_author(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().code, Errc::malformed);
  }
}

TEST(WordList, ItIsTheListOfBip39) {
  EXPECT_EQ(to_hex(sha256(view(word_list_text)).view()),
            "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
  const auto& words = word_list();
  EXPECT_TRUE(std::ranges::is_sorted(words));
  EXPECT_EQ(std::set<std::string_view>(words.begin(), words.end()).size(), 2048U);
  for (unsigned i = 0; i < words.size(); ++i) EXPECT_EQ(word_number(words[i]), i);
  EXPECT_FALSE(word_number("kith"));
  EXPECT_FALSE(word_number(""));
}

TEST(RecoveryWords, TheyAreThoseOfBip39) {
  std::string zeros;
  for (int i = 0; i < 23; ++i) zeros += "abandon ";
  EXPECT_EQ(joined(recovery_words(Seed{})), zeros + "art");
  std::string ones;
  for (int i = 0; i < 23; ++i) ones += "zoo ";
  EXPECT_EQ(joined(recovery_words(samples::filled<Seed>(0xFF))), ones + "vote");
}

TEST(RecoveryWords, TheyLeadBackToTheSeed) {
  for (int i = 0; i < 256; ++i) {
    const Seed seed = Seed::from(blake2b({Bytes{static_cast<std::uint8_t>(i)}}).view());
    EXPECT_EQ(*seed_from_words(joined(recovery_words(seed))), seed);
  }
}

TEST(RecoveryWords, CaseAndBlanksDoNotMatter) {
  std::string words = "  ";
  for (int i = 0; i < 23; ++i) words += i % 2 == 0 ? "Abandon\r\n" : "ABANDON \t";
  EXPECT_EQ(*seed_from_words(words + "art\n"), Seed{});
}

TEST(RecoveryWords, WhatIsWrongIsSaid) {
  const auto words = recovery_words(samples::filled<Seed>(7));
  const auto said = [](const std::string& text) {
    const auto seed = seed_from_words(text);
    EXPECT_FALSE(seed);
    EXPECT_EQ(seed.error().code, Errc::malformed);
    return seed.error().detail;
  };
  auto changed = words;
  changed[4] = "kith";
  EXPECT_EQ(said(joined(changed)), "word 5 (\"kith\") is not in the list");
  changed = words;
  std::swap(changed[0], changed[1]);
  EXPECT_EQ(said(joined(changed)), "the checksum fails: a word is wrong or two are swapped");
  changed = words;
  changed.pop_back();
  EXPECT_EQ(said(joined(changed)), "there are 24 recovery words, not 23");
  EXPECT_EQ(said(""), "there are 24 recovery words, not 0");
  EXPECT_EQ(said(std::string(1000, 'a')), "this is longer than 24 recovery words");
}

TEST(RecoveryWords, AFingerprintIsTheFirstEightyEightBits) {
  EXPECT_EQ(joined(fingerprint_words(MemberId{})),
            "abandon abandon abandon abandon abandon abandon abandon abandon");
  MemberId member;
  member.bytes[10] = 1;  // The last of the 88 bits ...
  EXPECT_EQ(fingerprint_words(member)[7], "ability");
  member = {};
  member.bytes[11] = 0xFF;  // ... and the first beyond them.
  EXPECT_EQ(fingerprint_words(member), fingerprint_words(MemberId{}));
}

TEST(Invitation, ItComesBackAsItWas) {
  const std::string text = encode_invitation(invitation());
  EXPECT_TRUE(text.starts_with("kith-invite v1\n"));
  EXPECT_EQ(*decode_invitation(text), invitation());
  EXPECT_EQ(*decode_invitation(with_crlf(text)), invitation());
  Invitation without = invitation();
  without.addresses.clear();
  EXPECT_EQ(*decode_invitation(encode_invitation(without)), without);
}

TEST(Invitation, EveryChangedCharacterIsNoticed) {
  const std::string text = encode_invitation(invitation());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(decode_invitation(changed)) << at;
    EXPECT_FALSE(decode_invitation(text.substr(0, at))) << at;
  }
  EXPECT_FALSE(decode_invitation(text + "\n"));
}

TEST(Invitation, AChangeSaysToAskAgain) {
  const auto decoded = decode_invitation(
      replaced(encode_invitation(invitation()), "192.0.2.1:443", "192.0.2.9:443"));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(),
            fail(Errc::malformed, "the invitation was changed on its way; ask for it again"));
}

TEST(Invitation, WhatNobodyCouldMeanIsRefused) {
  const auto refused = [](auto change) {
    Invitation value = invitation();
    change(value);
    EXPECT_FALSE(decode_invitation(encode_invitation(value)));
  };
  refused([](Invitation& i) { i.network_name.clear(); });
  refused([](Invitation& i) { i.network_name = "two\nlines"; });
  refused([](Invitation& i) { i.network_name.assign(limits::name_bytes_max + 1, 'a'); });
  refused([](Invitation& i) { i.network_name = "\xFF"; });
  refused([](Invitation& i) { i.addresses.assign(limits::addresses_max + 1, "a:1"); });
  refused([](Invitation& i) { i.addresses = {"nowhere"}; });
  refused([](Invitation& i) { i.addresses = {""}; });
  const auto huge = decode_invitation(std::string(8192, 'a'));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, Errc::too_large);
}

}  // namespace
}  // namespace kith
