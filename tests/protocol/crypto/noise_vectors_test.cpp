// Every handshake and transport message of the public vectors of our suite, byte for byte.
#include <cstdio>

#include "protocol/crypto/noise.hpp"
#include "tests/protocol/crypto/vectors.hpp"

namespace kith::noise {
namespace {

using testing::hex;
using testing::read_vectors;
using Json = nlohmann::json;

template <class T>
std::optional<T> optional_field(const Json& vector, const std::string& name) {
  if (!vector.contains(name)) return std::nullopt;
  return T::from(hex(vector.at(name).get<std::string>()));
}

Handshake make_side(const Json& vector, const Pattern& pattern, bool initiator) {
  const std::string side = initiator ? "init" : "resp";
  Keys keys;
  keys.static_secret = optional_field<DhSecret>(vector, side + "_static");
  keys.ephemeral_secret = optional_field<DhSecret>(vector, side + "_ephemeral");
  keys.remote_static = optional_field<DhPublic>(vector, side + "_remote_static");
  if (const auto psks = vector.find(side + "_psks"); psks != vector.end() && !psks->empty()) {
    keys.psk = Key32::from(hex(psks->at(0).get<std::string>()));
  }
  return {pattern, initiator, hex(vector.at(side + "_prologue").get<std::string>()), keys};
}

std::string name_of(const Json& vector) {
  return vector.at(vector.contains("protocol_name") ? "protocol_name" : "name").get<std::string>();
}

/// Both sides of one vector; returns how many messages were equal.
int run(const Json& vector) {
  const std::string name = name_of(vector);
  const std::string pattern_name = name.substr(6, name.find('_', 6) - 6);
  const auto found = pattern(pattern_name);
  EXPECT_TRUE(found.has_value()) << pattern_name;
  if (!found) return 0;
  Handshake initiator = make_side(vector, *found, true);
  Handshake responder = make_side(vector, *found, false);

  Transport at_initiator;
  Transport at_responder;
  int equal_messages = 0;
  bool from_initiator = true;
  for (const Json& message : vector.at("messages")) {
    const Bytes payload = hex(message, "payload");
    const Bytes expected = hex(message, "ciphertext");
    Result<Bytes> written = fail(Errc::usage, "");
    Result<Bytes> read = written;
    if (!initiator.finished()) {
      written = (from_initiator ? initiator : responder).write(payload);
      read = (from_initiator ? responder : initiator).read(expected);
      if (initiator.finished()) {
        at_initiator = initiator.split();
        at_responder = responder.split();
      }
    } else if (from_initiator) {
      written = at_initiator.initiator_to_responder.encrypt({}, payload);
      read = at_responder.initiator_to_responder.decrypt({}, expected);
    } else {
      written = at_responder.responder_to_initiator.encrypt({}, payload);
      read = at_initiator.responder_to_initiator.decrypt({}, expected);
    }
    EXPECT_TRUE(written && *written == expected);
    EXPECT_TRUE(read && *read == payload);
    equal_messages += written && *written == expected && read && *read == payload;
    from_initiator = !from_initiator;
  }
  EXPECT_TRUE(initiator.finished() && responder.finished());
  if (vector.contains("handshake_hash")) {
    EXPECT_EQ(to_bytes(at_initiator.handshake_hash.view()), hex(vector, "handshake_hash"));
    EXPECT_EQ(at_responder.handshake_hash, at_initiator.handshake_hash);
  }
  return equal_messages;
}

TEST(NoiseVectors, EveryOneOfOurSuiteAgrees) {
  KITH_NEEDS_SHARED();
  int ran = 0;
  int messages = 0;
  int hashes = 0;
  int other_suite = 0;
  int fallback = 0;
  for (const char* const file :
       {"cacophony.json", "snow.json", "noise-c-basic.json", "noise-c-fallback.json"}) {
    const Json parsed = read_vectors(std::string("noise/") + file);
    for (const Json& vector : parsed.at("vectors")) {
      const std::string name = name_of(vector);
      SCOPED_TRACE(std::string(file) + " " + name);
      if (name.find("fallback") != std::string::npos) {
        ++fallback;
      } else if (!name.ends_with("_25519_ChaChaPoly_SHA256")) {
        ++other_suite;
      } else {
        ++ran;
        messages += run(vector);
        hashes += vector.contains("handshake_hash");
      }
    }
  }
  std::printf(
      "noise: %d vectors ran (%d messages, %d handshake hashes), %d of another suite, "
      "%d of the fallback pattern\n",
      ran, messages, hashes, other_suite, fallback);
  EXPECT_EQ(ran, 22);
  EXPECT_EQ(other_suite, 22);
  EXPECT_EQ(fallback, 2);
}

}  // namespace
}  // namespace kith::noise
