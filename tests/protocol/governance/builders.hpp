#pragma once

#include <string>

#include "protocol/governance/fold.hpp"
#include "protocol/keys/certificate.hpp"

/// Members, states and logs for the tests of governance.
namespace kith::testing {

/// The network of every test here.
[[nodiscard]] NetworkId test_network();
/// Someone with real keys; the same number gives the same keys.
struct Person {
  MemberId id;
  Certificate certificate;
  Bytes statement;
  Profile profile;
};
/// `number` below 64.
[[nodiscard]] const Person& person(std::size_t number);
/// A certificate of `number` that names `network`.
[[nodiscard]] Bytes statement_for(std::size_t number, const NetworkId& network);
[[nodiscard]] Admit admit(std::size_t number);
[[nodiscard]] Part part(std::size_t number);
[[nodiscard]] Pause pause(std::size_t number);
[[nodiscard]] ChangeCharter rename_to(std::string name);

/// A network with persons 0..count-1 as if Founding had admitted them all.
[[nodiscard]] NetworkState network_of(std::size_t count, const Charter& charter = {});
/// A fold that begins there.
[[nodiscard]] GovernanceFold fold_of(std::size_t count, const Charter& charter = {});
[[nodiscard]] DecisionId founding();
[[nodiscard]] RecordId test_id(std::string_view text);

/// Whether the shorter of two chains is the beginning of the longer.
[[nodiscard]] bool is_one_chain(const std::vector<DecisionId>& a, const std::vector<DecisionId>& b);
[[nodiscard]] std::vector<DecisionId> chain_of(const GovernanceFold& fold);

/// Logs written by hand. Every entry takes the next index of its log.
class Floor {
 public:
  RecordId propose(std::size_t who, const DecisionId& basis, std::vector<Effect> effects);
  void say(std::size_t who, const RecordId& proposal, Consent::Word word, std::uint32_t round = 1);
  void agree(std::size_t who, const RecordId& proposal, std::uint32_t round = 1);
  void see(std::size_t who, const RecordId& proposal, std::uint32_t round = 1);
  /// All of `count` members agree in `round`, then log their Seens.
  void decide(std::size_t count, const RecordId& proposal, std::uint32_t round = 1);

  /// Everyone has cosigned all there is.
  [[nodiscard]] GovernanceLogs all() const;
  /// As they are written, cosigned by nobody.
  GovernanceLogs logs;

 private:
  void add(std::size_t who, const RecordId& id, std::variant<Proposal, Consent, Seen> said);
  std::size_t written_ = 0;
};

}  // namespace kith::testing
