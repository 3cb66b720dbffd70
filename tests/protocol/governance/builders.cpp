#include "tests/protocol/governance/builders.hpp"

#include <algorithm>

namespace kith::testing {

namespace {

Seed seed_of(std::size_t number, std::uint8_t use) {
  Seed seed;
  seed.bytes.fill(use);
  seed.bytes[0] = static_cast<std::uint8_t>(number);
  return seed;
}

PublicKey key_of(std::size_t number, std::uint8_t use) {
  return SigningKey(seed_of(number, use)).public_key();
}

Certificate certificate_of(std::size_t number, const NetworkId& network) {
  Certificate certificate;
  certificate.network = network;
  certificate.member = MemberId::from(key_of(number, 1).view());
  certificate.number = 1'700'000'000'000 + number;
  certificate.log_key = key_of(number, 2);
  certificate.witness_key = key_of(number, 3);
  certificate.transport_key = dh_public(DhSecret::from(seed_of(number, 4).view()));
  certificate.sealing_key = dh_public(DhSecret::from(seed_of(number, 5).view()));
  certificate.daemon_key = key_of(number, 6);
  certificate.steward = key_of(number, 7);
  return certificate;
}

std::vector<Person> make_persons() {
  initialise_crypto();
  std::vector<Person> persons;
  for (std::size_t number = 0; number < 64; ++number) {
    Person one;
    one.certificate = certificate_of(number, test_network());
    one.id = one.certificate.member;
    one.statement = statement_for(number, test_network());
    one.profile.code = "M" + std::to_string(number);
    one.profile.name = "Member " + std::to_string(number);
    persons.push_back(std::move(one));
  }
  return persons;
}

}  // namespace

NetworkId test_network() { return NetworkId::from(test_id("network").view()); }
DecisionId founding() { return DecisionId::from(test_network().view()); }
RecordId test_id(std::string_view text) { return RecordId::from(blake2b({view(text)}).view()); }

const Person& person(std::size_t number) {
  static const std::vector<Person> persons = make_persons();
  return persons.at(number);
}

Bytes statement_for(std::size_t number, const NetworkId& network) {
  return sign_certificate(certificate_of(number, network), SigningKey(seed_of(number, 1)));
}

Admit admit(std::size_t number) { return {person(number).statement, person(number).profile}; }

NetworkState network_of(std::size_t count, const Charter& charter) {
  NetworkState state;
  state.network = test_network();
  state.decision = founding();
  state.charter = charter;
  for (std::size_t number = 0; number < count; ++number) {
    const Person& one = person(number);
    state.members.emplace(
        one.id, MemberState{one.profile, one.certificate, one.statement, founding(), false});
  }
  return state;
}

bool is_one_chain(const std::vector<DecisionId>& a, const std::vector<DecisionId>& b) {
  const std::size_t common = std::min(a.size(), b.size());
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
}

std::vector<DecisionId> chain_of(const GovernanceFold& fold) {
  std::vector<DecisionId> chain;
  for (const NetworkState& state : fold.history()) chain.push_back(state.decision);
  return chain;
}

void Floor::add(std::size_t who, const RecordId& id, std::variant<Proposal, Consent, Seen> said) {
  GovernanceLog& log = logs[person(who).id];
  log.member = person(who).id;
  log.entries.push_back({log.complete, id, std::move(said)});
  ++log.complete;
  ++written_;
}

RecordId Floor::propose(std::size_t who, const DecisionId& basis, std::vector<Effect> effects) {
  const RecordId id = test_id("proposal " + std::to_string(written_));
  add(who, id, Proposal{basis, std::move(effects)});
  return id;
}

void Floor::say(std::size_t who, const RecordId& proposal, Consent::Word word,
                std::uint32_t round) {
  add(who, test_id("word " + std::to_string(written_)), Consent{proposal, round, word});
}

void Floor::agree(std::size_t who, const RecordId& proposal, std::uint32_t round) {
  say(who, proposal, Consent::Word::agree, round);
}

void Floor::see(std::size_t who, const RecordId& proposal, std::uint32_t round) {
  add(who, test_id("seen " + std::to_string(written_)), Seen{proposal, round});
}

void Floor::decide(std::size_t count, const RecordId& proposal, std::uint32_t round) {
  for (std::size_t who = 0; who < count; ++who) agree(who, proposal, round);
  for (std::size_t who = 0; who < count; ++who) see(who, proposal, round);
}

GovernanceLogs Floor::all() const {
  GovernanceLogs cosigned = logs;
  for (auto& [member, log] : cosigned) {
    for (std::size_t who = 0; who < 64; ++who) log.cosigned[person(who).id] = log.complete;
  }
  return cosigned;
}

Part part(std::size_t number) { return {person(number).id}; }

Pause pause(std::size_t number) { return {person(number).id}; }

ChangeCharter rename_to(std::string name) {
  Charter charter;
  charter.name = std::move(name);
  return {charter};
}

GovernanceFold fold_of(std::size_t count, const Charter& charter) {
  return GovernanceFold(network_of(count, charter), person(0).id);
}

}  // namespace kith::testing
