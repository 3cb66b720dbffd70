#include "protocol/log/checkpoint.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

template <class Value>
Value counting(std::uint8_t from) {
  Value value;
  for (std::uint8_t& byte : value.bytes) byte = from++;
  return value;
}

const LogId log_id = counting<LogId>(32);
const SigningKey signer(counting<Seed>(0));
const TreeHash root = leaf_hash(view("hello"));

// Made with Python (hashlib, cryptography).
constexpr std::string_view known_note =
    "kith/202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n1\n"
    "iipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCc=\n\n"
    "\u2014 kith/202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f "
    "Q/gqCXxfDVTHxKhjA/"
    "yLRBXD7Cg4tdvdHTsJxvOZHIuVDTZA82yJs1KaKRRTaFwPHDu6H8YHnVX7q0uszNLAOBmkBAU=\n";

Errc refusal(std::string_view text) {
  const auto checkpoint = decode_checkpoint(text);
  EXPECT_FALSE(checkpoint) << text;
  return checkpoint ? Errc::usage : checkpoint.error().code;
}

TEST(Origin, IsThePrefixAndTheLogIdInHex) {
  const std::string origin =
      "kith/202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
  EXPECT_EQ(log_origin(log_id), origin);
  EXPECT_EQ(*log_of_origin(origin), log_id);
  for (const std::string& bad :
       {std::string(), std::string("kith/"), origin.substr(1), origin + "0", origin + "00",
        origin.substr(0, origin.size() - 2), "Kith" + origin.substr(4),
        origin.substr(0, origin.size() - 1) + "F", origin.substr(0, origin.size() - 1) + "g",
        "kith/witness/" + origin.substr(5)}) {
    ASSERT_FALSE(log_of_origin(bad)) << bad;
    EXPECT_EQ(log_of_origin(bad).error().code, Errc::malformed);
  }
}

TEST(Checkpoint, IsSignedAsAnotherImplementationSignsIt) {
  EXPECT_EQ(sign_checkpoint(log_id, 1, root, signer), known_note);
  const auto checkpoint = verify_checkpoint(known_note, log_id, signer.public_key());
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(*checkpoint, (Checkpoint{log_origin(log_id), 1, root}));
}

TEST(Checkpoint, ComesBackAsItWas) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{256}, limits::tree_size_max}) {
    const Checkpoint checkpoint{"some origin", size, root};
    EXPECT_EQ(*decode_checkpoint(encode_checkpoint(checkpoint)), checkpoint);
  }
  const Checkpoint empty{"some origin", 0, empty_root()};
  EXPECT_EQ(*decode_checkpoint(encode_checkpoint(empty)), empty);
}

TEST(Checkpoint, HasOnlyOneEncoding) {
  const std::string hash = "iipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCc=\n";
  ASSERT_TRUE(decode_checkpoint("log\n1\n" + hash));
  for (const std::string& text :
       {std::string(),
        std::string("log\n1\n"),
        "log\n1\n" + hash.substr(0, 44),
        "log\n1\n" + hash + "extension\n",
        "log\n1\n" + hash + "\n",
        "log\n1\n" + hash + "x",
        "\n1\n" + hash,
        "log\n\n" + hash,
        "log\n01\n" + hash,
        "log\n+1\n" + hash,
        "log\n-1\n" + hash,
        "log\n 1\n" + hash,
        "log\n1 \n" + hash,
        "log\r\n1\n" + hash,
        "lo\xFFg\n1\n" + hash,
        "lo\tg\n1\n" + hash,
        std::string("log\n1\niipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCd=\n"),
        std::string("log\n1\niipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCc\n"),
        std::string("log\n1\niipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9\n"),
        "log\n0\n" + hash}) {
    EXPECT_EQ(refusal(text), Errc::malformed);
  }
  EXPECT_TRUE(decode_checkpoint("log\n4611686018427387904\n" + hash));
  EXPECT_EQ(refusal("log\n4611686018427387905\n" + hash), Errc::too_large);
  EXPECT_EQ(refusal("log\n18446744073709551617\n" + hash), Errc::too_large);
  EXPECT_EQ(refusal(std::string(limits::note_bytes_max, 'x') + "\n1\n" + hash), Errc::too_large);
}

TEST(Checkpoint, OfAnotherLogOrKeyIsRefused) {
  const SigningKey other(counting<Seed>(1));
  EXPECT_EQ(verify_checkpoint(known_note, log_id, other.public_key()).error().code,
            Errc::bad_signature);
  EXPECT_EQ(verify_checkpoint(known_note, counting<LogId>(33), signer.public_key()).error().code,
            Errc::bad_signature);

  // Signed under the name of one log, but saying the origin of another.
  const std::string said = encode_checkpoint({log_origin(counting<LogId>(33)), 1, root});
  const NoteKey key{log_origin(log_id), KeyType::ed25519, signer.public_key()};
  const Note crossed{said, {{key.name, key_id(key), to_bytes(signer.sign(view(said)).view())}}};
  EXPECT_EQ(verify_checkpoint(encode_note(crossed), log_id, signer.public_key()).error().code,
            Errc::malformed);
}

TEST(Checkpoint, WithAnExtensionLineIsRefusedThoughSigned) {
  const std::string said = encode_checkpoint({log_origin(log_id), 1, root}) + "extension\n";
  const NoteKey key{log_origin(log_id), KeyType::ed25519, signer.public_key()};
  const Note extended{said, {{key.name, key_id(key), to_bytes(signer.sign(view(said)).view())}}};
  EXPECT_EQ(verify_checkpoint(encode_note(extended), log_id, signer.public_key()).error().code,
            Errc::malformed);
}

TEST(Checkpoint, SignedByACosignatureKeyOnlyIsRefused) {
  const NoteKey key{log_origin(log_id), KeyType::cosignature_v1, signer.public_key()};
  const std::string said = encode_checkpoint({key.name, 1, root});
  NoteSignature line{key.name, key_id(key), {}};
  append_integer(line.signature, std::uint64_t{7});
  append(line.signature, signer.sign(view(cosigned_message(7, said))).view());
  const Note note{said, {line}};
  ASSERT_TRUE(verify_note(note, {key}));
  EXPECT_EQ(verify_checkpoint(note, key).error().code, Errc::malformed);
  EXPECT_EQ(verify_checkpoint(encode_note(note), log_id, signer.public_key()).error().code,
            Errc::bad_signature);
}

TEST(Checkpoint, EverySingleBitFlipIsRefused) {
  for (std::size_t bit = 0; bit < known_note.size() * 8; ++bit) {
    std::string changed(known_note);
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify_checkpoint(changed, log_id, signer.public_key())) << bit;
  }
}

TEST(CheckpointDeathTest, IsNeverSignedForSize0WithAnotherRoot) {
  EXPECT_TRUE(verify_checkpoint(sign_checkpoint(log_id, 0, empty_root(), signer), log_id,
                                signer.public_key()));
  EXPECT_DEATH(static_cast<void>(sign_checkpoint(log_id, 0, root, signer)), "internal error");
}

}  // namespace
}  // namespace kith
