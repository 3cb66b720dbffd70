// The statements at the beginning of a log, signed or not by whom they should be: what is void
// changes nothing, numbers only rise, and nobody speaks who was not enrolled.
#include "protocol/base/check.hpp"
#include "protocol/keys/authors.hpp"
#include "tests/fuzz/input.hpp"

using namespace kith;

namespace {

SigningKey key(std::uint8_t which) { return SigningKey(Seed::from(Bytes(32, which))); }

Certificate certificate(const NetworkId& network, fuzz::Input& input) {
  Certificate made;
  made.network = input.byte() % 8 == 0 ? NetworkId{} : network;
  made.member = MemberId::from(key(input.byte() % 8 == 0 ? 2 : 1).public_key().view());
  made.number = input.number(20);
  made.log_key = key(3).public_key();
  made.witness_key = key(4).public_key();
  made.transport_key = DhPublic::from(Bytes(32, 5));
  made.sealing_key = DhPublic::from(Bytes(32, 6));
  made.daemon_key = key(static_cast<std::uint8_t>(7 + input.byte() % 2)).public_key();
  made.steward = key(static_cast<std::uint8_t>(10 + input.byte() % 3)).public_key();
  return made;
}

Enrolment enrolment(const NetworkId& network, std::uint32_t next, fuzz::Input& input) {
  Enrolment made;
  made.network = network;
  made.member = MemberId::from(key(1).public_key().view());
  made.number = input.byte() % 4 == 0 ? static_cast<std::uint32_t>(input.number(20)) : next;
  made.author = key(static_cast<std::uint8_t>(10 + input.byte() % 6)).public_key();
  made.scopes = static_cast<Scopes>(input.byte() % 8);
  return made;
}

bool any_scope(const KeyHistory& history, std::uint64_t index) {
  for (std::uint8_t author = 10; author < 16; ++author) {
    if (history.may(key(author).public_key(), 0, index)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const auto network = NetworkId::from(Bytes(32, 1));
  KeyHistory history(network, MemberId::from(key(1).public_key().view()));
  std::uint64_t index = 0;
  for (int i = 0; i < 24 && !input.empty(); ++i) {
    index += 1 + input.byte() % 3;
    const auto number = history.newest_certificate_number();
    const auto next = history.next_enrolment();
    const auto authors = history.authors();
    const auto statements = history.statements().size();
    const std::uint8_t kind = input.byte();
    bool counted = false;
    if (kind % 4 == 0) {
      counted = (kind & 4) != 0 ? history.add_certificate(index, input.bytes()).has_value()
                                : history.add_enrolment(index, input.bytes()).has_value();
    } else if (kind % 4 == 1) {
      const Certificate made = certificate(network, input);
      const auto signer = key(input.byte() % 8 == 0 ? 2 : 1);
      counted = history.add_certificate(index, sign_certificate(made, signer)).has_value();
      if (counted) KITH_CHECK(history.newest_certificate_number() == made.number);
    } else {
      Enrolment made = enrolment(network, next, input);
      const auto steward = key(static_cast<std::uint8_t>(10 + input.byte() % 6));
      made.steward = steward.public_key();
      const bool is_steward =
          history.may(steward.public_key(), static_cast<Scopes>(Scope::steward), index);
      counted = history.add_enrolment(index, sign_enrolment(made, steward)).has_value();
      KITH_CHECK(!counted || (is_steward && made.number == next));
      if (counted) KITH_CHECK(history.may(made.author, made.scopes, index) || made.scopes == 0);
    }
    KITH_CHECK(history.newest_certificate_number() >= number);
    KITH_CHECK(history.statements().size() == statements + (counted ? 1 : 0));
    if (!counted) {
      KITH_CHECK(history.next_enrolment() == next && history.authors() == authors);
      KITH_CHECK(history.newest_certificate_number() == number);
    }
    // Before the first statement that counts nobody speaks.
    if (history.statements().empty()) KITH_CHECK(!any_scope(history, index));
    KITH_CHECK(!any_scope(history, 0));
  }
  return 0;
}
