// What decides who is a member. The input is read twice: as the first two entries of a founder's
// log, where two bytes say how long the first one is, and as choices of what some members write,
// whatever sense it makes, and in which order a daemon hears of it.
#include <array>
#include <set>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/governance/fold.hpp"
#include "protocol/records/record.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/protocol/governance/builders.hpp"

using namespace kith;

namespace {

void begin(BytesView input) {
  if (input.size() < 2) return;
  const BytesView rest = input.subspan(2);
  const std::size_t split =
      std::min<std::size_t>(read_integer<std::uint16_t>(input.first(2)), rest.size());
  const BytesView founding = rest.first(split);
  const BytesView certificate = rest.subspan(split);
  auto fold = GovernanceFold::begin(founding, certificate);
  if (!fold) return;
  // What begins a network names itself: its only member signed both.
  const NetworkState& state = fold->state();
  KITH_CHECK(state.members.size() == 1 && state.members.contains(fold->founder()));
  KITH_CHECK(state.electors() == std::vector<MemberId>{fold->founder()});
  KITH_CHECK(equal(state.network.view(), state.decision.view()));
  const auto signed_by = verify_certificate(certificate, fold->founder());
  KITH_CHECK(signed_by && signed_by->network == state.network);
  KITH_CHECK(decode_text(founding));
  KITH_CHECK(fold->advance({}) == 0 && fold->open_proposals({}).empty());
}

/// The members 0 to 4 and whoever they admit write; one daemon hears of it bit by bit.
class Scene {
 public:
  explicit Scene(BytesView input)
      : input_(input), first_(first(input_)), growing_(first_, testing::person(0).id) {}

  void play() {
    for (int steps = 0; steps < steps_max && !input_.empty(); ++steps) step();
    hear_all();
    look();
  }

 private:
  static constexpr std::size_t persons = 8;
  static constexpr int steps_max = 256;
  static constexpr int everybody = 8;

  static Rule rule(std::uint8_t choice) {
    return {static_cast<Rule::Form>(choice % 3), choice % 3 == 1 ? 1U + choice / 3 % 4 : 0U};
  }
  static NetworkState first(fuzz::Input& input) {
    Charter charter;
    const std::size_t members = 1 + input.byte() % 5;
    const std::uint8_t choice = input.byte();
    charter.admit = rule(choice);
    charter.part = rule(static_cast<std::uint8_t>(choice / 16));
    return testing::network_of(members, charter);
  }

  void step() {
    const std::uint8_t choice = input_.byte();
    const std::size_t who = choice / 8 % persons;
    switch (choice % 8) {
      case 0:
        return propose(who);
      case 1:
      case 2:
      case 3:
        return speak(who, choice % 8);
      case 4:
        return hear(who);
      case 5:
        return cosign(who, input_.byte());
      case 6:
        return who % 2 == 0 ? hear_all() : speak(who, everybody);
      default:
        return look();
    }
  }

  // What is written.
  void propose(std::size_t who) {
    std::vector<Effect> effects{effect()};
    if (input_.byte() % 4 == 0) effects.push_back(effect());
    const std::size_t basis = input_.byte() % (growing_.history().size() + 1);
    const DecisionId on = basis < growing_.history().size()
                              ? growing_.history()[growing_.history().size() - 1 - basis].decision
                              : DecisionId{{0xEE}};
    proposals_.push_back(floor_.propose(who, on, std::move(effects)));
  }
  void speak(std::size_t who, int how) {
    const std::size_t choice = input_.byte();
    const RecordId about = choice < 8 * proposals_.size()
                               ? proposals_[proposals_.size() - 1 - choice % proposals_.size()]
                               : testing::test_id("unknown");
    constexpr std::array<std::uint32_t, 8> rounds{
        1, 1, 2, 2, 3, 0, limits::round_max, limits::round_max + 1};
    const std::uint32_t round = rounds[input_.byte() % rounds.size()];
    if (how == everybody) return floor_.decide(first_.members.size(), about, round);
    if (how == 1) return floor_.agree(who, about, round);
    if (how == 2) return floor_.see(who, about, round);
    floor_.say(who, about, static_cast<Consent::Word>(input_.byte() % 3), round);
  }
  Effect effect() {
    const std::uint8_t choice = input_.byte();
    const std::size_t whom = choice / 8 % persons;
    Charter charter = first_.charter;
    switch (choice % 8) {
      case 0:
        return Part{testing::person(whom).id};
      case 1:
        return Pause{testing::person(whom).id};
      case 2:
        return Resume{testing::person(whom).id};
      case 3:
        charter.admit = rule(static_cast<std::uint8_t>(whom));
        return ChangeCharter{charter};
      case 4:
        return Admit{input_.bytes().size() % 2 == 0 ? Bytes{} : testing::person(whom).statement,
                     testing::person((whom + 1) % persons).profile};
      default:
        return testing::admit(whom);
    }
  }

  // What of it the daemon hears: what it holds only grows.
  void hear(std::size_t whose) {
    const GovernanceLog& written = floor_.logs[testing::person(whose).id];
    GovernanceLog& held = held_of(whose);
    const std::size_t more = written.entries.size() - held.entries.size();
    const std::size_t count = held.entries.size() + input_.byte() % (more + 1);
    held.entries.assign(written.entries.begin(),
                        written.entries.begin() + static_cast<std::ptrdiff_t>(count));
    held.complete += input_.byte() % (count - held.complete + 1);
  }
  void cosign(std::size_t whose, std::uint8_t choice) {
    std::uint64_t& size = held_of(whose).cosigned[testing::person(choice % persons).id];
    size += choice / persons;
  }
  void hear_all() {
    for (std::size_t whose = 0; whose < persons; ++whose) {
      const GovernanceLog& written = floor_.logs[testing::person(whose).id];
      GovernanceLog& held = held_of(whose);
      held.entries = written.entries;
      held.complete = written.entries.size();
      for (std::size_t witness = 0; witness < persons; ++witness) {
        std::uint64_t& size = held.cosigned[testing::person(witness).id];
        size = std::max(size, held.complete);
      }
    }
  }
  GovernanceLog& held_of(std::size_t whose) {
    GovernanceLog& log = held_[testing::person(whose).id];
    log.member = testing::person(whose).id;
    return log;
  }

  // What must hold whatever was written.
  void look() {
    const auto before = testing::chain_of(growing_);
    const std::size_t added = growing_.advance(held_);
    const auto after = testing::chain_of(growing_);
    KITH_CHECK(after.size() == before.size() + added && testing::is_one_chain(before, after));
    KITH_CHECK(std::set<DecisionId>(after.begin(), after.end()).size() == after.size());
    KITH_CHECK(growing_.advance(held_) == 0);
    for (const NetworkState& state : growing_.history()) KITH_CHECK(!state.electors().empty());

    // Who hears it all at once decides the same and has the same duties.
    GovernanceFold at_once(first_, testing::person(0).id);
    at_once.advance(held_);
    KITH_CHECK(testing::chain_of(at_once) == after);
    const auto standings = growing_.open_proposals(held_);
    const auto others = at_once.open_proposals(held_);
    KITH_CHECK(standings.size() == others.size());
    for (std::size_t i = 0; i < standings.size(); ++i) {
      KITH_CHECK(standings[i].id == others[i].id && standings[i].words == others[i].words);
      KITH_CHECK(standings[i].passed_in == others[i].passed_in);
      KITH_CHECK(standings[i].explanation == others[i].explanation);
    }
    for (std::size_t who = 0; who < persons; ++who) {
      const MemberId& self = testing::person(who).id;
      KITH_CHECK(growing_.seen_due(held_, self) == at_once.seen_due(held_, self));
      for (const ProposalStanding& standing : standings) {
        const std::uint32_t round = growing_.round_for(held_, self, standing.id);
        KITH_CHECK(round >= 1 && round == at_once.round_for(held_, self, standing.id));
      }
    }
  }

  fuzz::Input input_;
  NetworkState first_;
  GovernanceFold growing_;
  testing::Floor floor_;
  GovernanceLogs held_;
  std::vector<RecordId> proposals_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  begin({data, size});
  Scene({data, size}).play();
  return 0;
}
