#pragma once

#include "protocol/crypto/crypto.hpp"
#include "protocol/schema/record_codec.hpp"

/// One value of each struct with every part filled in, and keys that are always the same.
namespace kith::samples {

template <class Value>
Value filled(std::uint8_t with) {
  return Value::from(Bytes(Value::size, with));
}

inline SigningKey signing_key(std::uint8_t number) { return SigningKey(filled<Seed>(number)); }
inline PublicKey public_key(std::uint8_t number) { return signing_key(number).public_key(); }
inline DhSecret dh_secret(std::uint8_t number) { return filled<DhSecret>(number); }
inline DhPublic dh_key(std::uint8_t number) { return dh_public(dh_secret(number)); }
inline MemberId member(std::uint8_t number) { return MemberId::from(public_key(number).view()); }

/// The recovery key of `member(1)`, and the steward that its certificate names.
inline SigningKey recovery() { return signing_key(1); }
inline SigningKey steward() { return signing_key(2); }

inline Record record() {
  Record value;
  value.nonce.bytes.fill(0xA5);
  value.kind = "document";
  value.body = to_bytes(view("We moved the falls round to the morning.\n"));
  value.author = public_key(2);
  value.time = 1'700'000'000'123;
  value.network = filled<NetworkId>(0x4E);
  value.log = filled<LogId>(0x4C);
  return value;
}

inline Certificate certificate() {
  Certificate value;
  value.network = filled<NetworkId>(0x4E);
  value.member = member(1);
  value.number = 1'700'000'000'000;
  value.log_key = public_key(11);
  value.witness_key = public_key(12);
  value.transport_key = dh_key(13);
  value.sealing_key = dh_key(14);
  value.daemon_key = public_key(15);
  value.steward = public_key(2);
  value.relays = {dh_key(16), dh_key(17)};
  value.reason = Certificate::Reason::cut;
  value.cut_list = filled<Hash>(0xC7);
  return value;
}

inline CutList cut_list() {
  return {
      {{filled<LogId>(1), 0, filled<TreeHash>(2)}, {filled<LogId>(3), 77, filled<TreeHash>(4)}}};
}

inline Enrolment enrolment() {
  Enrolment value;
  value.network = filled<NetworkId>(0x4E);
  value.member = member(1);
  value.number = 1;
  value.author = public_key(3);
  value.scopes = static_cast<Scopes>(Scope::publish) | static_cast<Scopes>(Scope::speak);
  value.steward = public_key(2);
  return value;
}

inline Profile profile() {
  return {"RXA", "Example Hospital Trust", "trust", {"kith.example:7411", "[2001:db8::1]:443"}};
}

inline Charter charter() {
  Charter value;
  value.name = "Example Partnership";
  value.aim = "Learn from one another.\nHarm nobody.\n";
  value.admit = {Rule::Form::all, 0};
  value.part = {Rule::Form::k_of_n, 3};
  value.space = {Rule::Form::k_of_n, 2};
  return value;
}

inline Founding founding() { return {profile(), charter()}; }

inline Proposal proposal() {
  Proposal value;
  value.basis = filled<DecisionId>(0xB0);
  value.effects = {Admit{Bytes(500, 0x0C), profile()}, Part{member(4)}, Pause{member(5)},
                   Resume{member(6)}, ChangeCharter{charter()}};
  return value;
}

inline Consent consent() { return {filled<RecordId>(0x99), 7, Consent::Word::agree}; }
inline Seen seen() { return {filled<RecordId>(0x11), 1}; }

inline KeyGrant key_grant() {
  return {filled<SpaceId>(0x5A),
          filled<DecisionId>(0xB0),
          filled<Hash>(1),
          filled<Hash>(2),
          {Bytes(112, 3), Bytes(112, 4)}};
}

}  // namespace kith::samples
