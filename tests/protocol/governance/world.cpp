#include "tests/protocol/governance/world.hpp"

#include <algorithm>

#include "protocol/base/text.hpp"

namespace kith::testing {

namespace {

std::size_t number_of(const MemberId& member) {
  for (std::size_t number = 0; number < World::names; ++number) {
    if (person(number).id == member) return number;
  }
  return World::names;
}

std::size_t number_of(const Admit& admission) {
  for (std::size_t number = 0; number < World::names; ++number) {
    if (person(number).statement == admission.certificate) return number;
  }
  return World::names;
}

const ProposalStanding* standing_of(const std::vector<ProposalStanding>& open, const RecordId& id) {
  const auto found = std::ranges::find(open, id, &ProposalStanding::id);
  return found == open.end() ? nullptr : &*found;
}

/// The newest round in which anybody agreed; 1 if nobody has.
std::uint32_t newest_round(const ProposalStanding& standing) {
  std::uint32_t newest = 1;
  for (const auto& [_, round] : standing.agreed_in) newest = std::max(newest, round);
  return newest;
}

}  // namespace

World::World(const WorldSettings& settings) : settings_(settings), random_(settings.seed) {
  members_ = settings.members == 0 ? 3 + below(4) : settings.members;
  if (settings.split) members_ = 5;
  liar_ = settings.split ? 4 : below(members_);
  careless_ = chance(0.7) ? 0 : 0.1;
  if (settings.careless >= 0) careless_ = settings.careless;
  two_faced_ = chance(0.6);
  const auto rule = [&](bool may_be_k) {
    const std::uint64_t which = below(may_be_k ? 3 : 2);
    if (which == 0) return Rule{};
    return which == 1 ? Rule{Rule::Form::all, 0} : Rule{Rule::Form::k_of_n, 3};
  };
  Charter charter;
  charter.admit = rule(true);
  charter.part = rule(false);
  charter.charter = rule(true);
  if (settings.split) charter = {};
  first_ = network_of(!settings.split && chance(0.2) ? 1 : members_, charter);
  for (auto& [member, state] : first_.members) {
    state.profile.role = settings_.roles[number_of(member) % settings_.roles.size()];
  }
  logs_.assign(names, std::vector<Branch>(1));
  if (settings.split) logs_[liar_].emplace_back();
  views_.assign(names, View(names));
  for (std::size_t who = 0; who < names; ++who) folds_.push_back(begin());
}

GovernanceFold World::begin() const {
  FoldRules rules;
  rules.rounds = settings_.rounds;
  rules.agreed_only = settings_.agreed_only;
  // A proposal has one basis and so one outcome; checking its certificate once is enough.
  rules.apply = [this](const NetworkState& before, const RecordId& id, const Proposal& proposal) {
    const auto known = applied_.find(id);
    if (known != applied_.end()) return known->second;
    return applied_.emplace(id, kith::apply(before, id, proposal)).first->second;
  };
  return GovernanceFold(first_, person(0).id, rules);
}

void World::add(std::size_t who, std::size_t branch, const RecordId& id,
                std::variant<Proposal, Consent, Seen> said) {
  std::vector<GovernanceEntry>& entries = logs_[who][branch].entries;
  entries.push_back({entries.size(), id, std::move(said)});
  ++written_;
}

RecordId World::propose(std::size_t who, std::size_t branch, const DecisionId& basis,
                        Effect effect) {
  const RecordId id = test_id("proposal " + std::to_string(written_));
  if (auto* admission = std::get_if<Admit>(&effect)) {
    const std::size_t subject = number_of(*admission);
    admission->profile.role = settings_.roles[subject % settings_.roles.size()];
  }
  add(who, branch, id, Proposal{basis, {std::move(effect)}});
  proposals_.emplace_back(id, basis);
  return id;
}

void World::say(std::size_t who, std::size_t branch, const RecordId& id, Consent::Word word,
                std::uint32_t round) {
  add(who, branch, test_id("word " + std::to_string(written_)), Consent{id, round, word});
}

void World::see(std::size_t who, std::size_t branch, const Seen& seen) {
  add(who, branch, test_id("seen " + std::to_string(written_)), seen);
}

std::uint64_t World::common(std::size_t who) const {
  if (logs_[who].size() == 1) return logs_[who][0].entries.size();
  const auto& a = logs_[who][0].entries;
  const auto& b = logs_[who][1].entries;
  std::uint64_t same = 0;
  while (same < a.size() && same < b.size() && a[same].id == b[same].id) ++same;
  return same;
}

GovernanceLogs World::logs_of(const View& view) const {
  GovernanceLogs logs;
  for (std::size_t who = 0; who < names; ++who) {
    const Held& held = view[who];
    const auto& entries = logs_[who][held.branch].entries;
    GovernanceLog& log = logs[person(who).id];
    log.member = person(who).id;
    log.complete = held.size;
    log.entries.assign(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(held.size));
    for (const auto& [witness, size] : held.cosigned) log.cosigned[person(witness).id] = size;
  }
  return logs;
}

World::View World::whole(std::size_t branch) const {
  View view(names);
  for (std::size_t who = 0; who < names; ++who) {
    const std::size_t held = std::min(branch, logs_[who].size() - 1);
    view[who] = {held, logs_[who][held].entries.size(), logs_[who][held].cosigned};
  }
  return view;
}

GovernanceFold World::folded(const View& view) const {
  GovernanceFold fold = begin();
  fold.advance(logs_of(view));
  return fold;
}

GovernanceFold World::folded_whole() const {
  GovernanceFold a = folded(whole(0));
  GovernanceFold b = folded(whole(1));
  return a.history().size() >= b.history().size() ? a : b;
}

void World::deliver(View& view, std::size_t keep_own) {
  for (std::size_t who = 0; who < names; ++who) {
    Held& held = view[who];
    const std::size_t other = below(logs_[who].size());
    if (held.size <= common(who) && other != held.branch) {
      held.branch = other;
      held.cosigned.clear();  // They spoke of the other branch's roots.
    }
    const Branch& branch = logs_[who][held.branch];
    if (who == keep_own) {
      held.size = branch.entries.size();
      held.cosigned = branch.cosigned;
      continue;
    }
    if (!chance(0.8)) continue;
    const std::uint64_t missing =
        branch.entries.size() - std::min<std::uint64_t>(held.size, branch.entries.size());
    held.size += chance(0.4) ? below(missing + 1) : missing;
    for (const auto& [witness, size] : branch.cosigned) {
      if (chance(0.8)) held.cosigned[witness] = std::max(held.cosigned[witness], size);
    }
  }
}

void World::act_on_a_side(std::size_t who) {
  if (who >= members_) return;
  const std::size_t side = who == liar_ ? below(2) : side_of(who);
  const std::size_t face = who == liar_ ? side : 0;
  View& view = views_[face == 0 ? who : names - 1];
  for (std::size_t owner = 0; owner < members_; ++owner) {
    if (owner != liar_ && side_of(owner) != side) continue;
    Held& held = view[owner];
    held.branch = owner == liar_ ? side : 0;
    held.size = logs_[owner][held.branch].entries.size();
    held.cosigned = logs_[owner][held.branch].cosigned;
  }
  act_honestly(who, face);
  // Everyone cosigns everyone, but the liar's log as it knows it.
  for (std::size_t owner = 0; owner < members_; ++owner) {
    Branch& branch = logs_[owner][owner == liar_ ? side : 0];
    if (owner != who) branch.cosigned[who] = branch.entries.size();
  }
  if (chance(0.2)) seen_chains_.push_back(chain_of(folded(view)));
}

void World::cosign(std::size_t who) {
  for (std::size_t owner = 0; owner < names; ++owner) {
    if (owner == who) continue;
    std::vector<Branch>& branches = logs_[owner];
    if (who == liar_) {
      for (Branch& branch : branches) branch.cosigned[who] = branch.entries.size();
      continue;
    }
    auto side = side_.find({who, owner});
    if (side == side_.end())
      side = side_.emplace(std::pair{who, owner}, below(branches.size())).first;
    if (branches.size() == 2) {
      // Whoever cosigned beyond the fork stays on that branch; whoever did not may take either.
      const std::uint64_t other = branches[1 - side->second].cosigned[who];
      if (other > common(owner)) side->second = 1 - side->second;
    }
    Branch& branch = branches[side->second];
    if (chance(0.7)) branch.cosigned[who] = branch.entries.size();
  }
}

Effect World::any_effect(const NetworkState& state) {
  for (int tries = 0; tries < 20; ++tries) {
    const std::size_t subject = below(names);
    const MemberId& id = person(subject).id;
    const auto member = state.members.find(id);
    const std::uint64_t which = below(5);
    if (member == state.members.end()) {
      if (which < 2) return admit(subject);
    } else if (member->second.paused) {
      if (which >= 3) return Resume{id};
    } else if (state.electors().size() > 1) {
      if (which == 2) return Part{id};
      if (which == 3) return Pause{id};
    }
  }
  ChangeCharter change{state.charter};
  change.charter.name = "charter " + std::to_string(written_);
  return change;
}

RecordId World::choose(const std::vector<ProposalStanding>& open, std::size_t who, std::size_t face,
                       const GovernanceFold& fold) {
  // What passed last is what can still be decided; otherwise any proposal its witnesses hold.
  const ProposalStanding* last = nullptr;
  std::vector<const ProposalStanding*> safe;
  for (const ProposalStanding& standing : open) {
    if (!standing.valid) continue;
    if (standing.agreed || standing.proposer == person(who).id) safe.push_back(&standing);
    if (standing.passed_in.empty()) continue;
    if (last == nullptr || standing.passed_in.back() > last->passed_in.back()) last = &standing;
  }
  if (last != nullptr) return last->id;
  if (safe.empty() && !open.empty() && chance(0.8)) return {};  // Its witnesses will hold it soon.
  if ((safe.empty() || chance(0.04)) && proposals_.size() < settings_.proposals_max) {
    return propose(who, face, fold.state().decision, any_effect(fold.state()));
  }
  if (safe.empty()) return {};
  if (chance(0.15)) return safe[below(safe.size())]->id;
  return (*std::ranges::max_element(
              safe, {}, [](const ProposalStanding* standing) { return standing->words.size(); }))
      ->id;
}

void World::act_honestly(std::size_t who, std::size_t face) {
  const std::size_t daemon = face == 0 ? who : names - 1;
  GovernanceFold& fold = folds_[daemon];
  const GovernanceLogs logs = logs_of(views_[daemon]);
  fold.advance(logs);
  const MemberId& self = person(who).id;
  const auto* state = fold.state_after(fold.state().decision);
  if (!state->members.contains(self) || state->members.at(self).paused) return;
  if (const auto seen = fold.seen_due(logs, self)) {
    see(who, face, *seen);
    return;
  }

  const auto open = fold.open_proposals(logs);
  const RecordId id = choose(open, who, face, fold);
  if (id.is_zero()) return;
  const bool has_agreed = std::ranges::any_of(open, [&](const ProposalStanding& standing) {
    const auto word = standing.words.find(self);
    return word != standing.words.end() && word->second == Consent::Word::agree;
  });
  const bool has_passed = standing_of(open, id) && !standing_of(open, id)->passed_in.empty();
  if (has_agreed && chance(has_passed ? 0.9 : 0.6)) {
    for (const ProposalStanding& other : open) {
      if (other.agreed && !other.words.contains(self) && chance(0.3)) {
        say(who, face, other.id, chance(0.8) ? Consent::Word::stand_aside : Consent::Word::object,
            newest_round(other));
      }
    }
    return;
  }
  say(who, face, id, Consent::Word::agree, fold.round_for(logs, self, id));
}

void World::act_at_random(std::size_t who, bool may_fork) {
  std::vector<Branch>& branches = logs_[who];
  if (may_fork && branches.size() == 1 && !branches[0].entries.empty() && chance(0.3)) {
    const auto point = static_cast<std::ptrdiff_t>(below(branches[0].entries.size()));
    const auto& entries = branches[0].entries;
    branches.push_back({{entries.begin(), entries.begin() + point}, {}});
  }
  const std::size_t branch = below(branches.size());
  if (proposals_.empty() || (chance(0.03) && proposals_.size() < settings_.proposals_max)) {
    const GovernanceFold fold = folded_whole();
    propose(who, branch, fold.state().decision, any_effect(fold.state()));
    return;
  }
  const std::size_t recent =
      chance(0.7) ? std::min<std::size_t>(proposals_.size(), 6) : proposals_.size();
  const RecordId id = proposals_[proposals_.size() - 1 - below(recent)].first;
  const std::vector<std::uint32_t> rounds = {1, 1, 2, 2, 3, 4, 99};
  const std::uint32_t round = rounds[below(rounds.size())];
  switch (below(4)) {
    case 0:
      return see(who, branch, {id, round});
    case 1:
      return say(who, branch, id, Consent::Word::stand_aside, round);
    default:
      return say(who, branch, id, Consent::Word::agree, round);
  }
}

WorldReport World::run() {
  const std::size_t steps = 20 + below(240);
  std::vector<std::size_t> voices;
  WorldReport report;
  for (std::size_t step = 0; step < steps; ++step) {
    if (step % 16 == 0) {
      const GovernanceFold fold = folded_whole();
      seen_chains_.push_back(chain_of(fold));
      voices = {liar_};
      for (const MemberId& elector : fold.state().electors()) {
        voices.push_back(number_of(elector));
      }
    }
    const std::size_t who = chance(0.9) ? voices[below(voices.size())] : below(names);
    if (settings_.split) {
      act_on_a_side(who);
      continue;
    }
    deliver(views_[who], who);
    if (who == liar_ && !(two_faced_ && chance(0.5))) {
      act_at_random(who, true);
    } else if (chance(careless_)) {
      act_at_random(who, false);
    } else {
      act_honestly(who);
    }
    for (int i = 0; i < 2; ++i) cosign(voices[below(voices.size())]);
    if (step % 5 == 0) cosign(below(names));
    if (step % 8 == 0) seen_chains_.push_back(chain_of(folded(views_[who])));
  }
  for (std::size_t who = 0; who < names; ++who) {
    folds_[who].advance(logs_of(views_[who]));
    seen_chains_.push_back(chain_of(folds_[who]));
    const std::size_t fresh = folded(views_[who]).history().size();
    report.lagging += folds_[who].history().size() < fresh ? 1 : 0;
  }
  for (int i = 0; i < 6; ++i) {  // Views nobody had.
    View view(names);
    deliver(view, names);
    seen_chains_.push_back(chain_of(folded(view)));
  }

  const GovernanceFold full = folded_whole();
  report.chain = chain_of(full);
  report.forks = logs_[liar_].size() - 1;
  report.two_agreed_branches = has_two_agreed_branches(full);
  for (const auto& chain : seen_chains_) compare(chain, report);
  note_answers(report);
  if (!report.two_agreed_branches) {
    probe_late_words(report);
    probe_going_on(report);
  }
  return report;
}

void World::compare(const std::vector<DecisionId>& chain, WorldReport& report) {
  ++report.views;
  const bool is_prefix = chain.size() <= report.chain.size() && is_one_chain(chain, report.chain);
  report.views_off_the_chain += is_prefix ? 0 : 1;
}

bool World::is_agreed(std::size_t branch, const GovernanceFold& fold) const {
  if (branch >= logs_[liar_].size()) return false;
  const Branch& log = logs_[liar_][branch];
  std::map<MemberId, std::uint64_t> cosigned;
  for (const auto& [who, size] : log.cosigned) cosigned[person(who).id] = size;
  return std::ranges::any_of(fold.history(), [&](const NetworkState& state) {
    const auto witnesses = state.commons_witnesses(person(liar_).id);
    return agreed_size(witnesses, cosigned, log.entries.size()) > common(liar_);
  });
}

bool World::has_two_agreed_branches(const GovernanceFold& fold) const {
  return is_agreed(0, fold) && is_agreed(1, fold);
}

void World::note_answers(WorldReport& report) const {
  for (const std::size_t branch : {0, 1}) {
    const View view = whole(branch);
    const GovernanceLogs logs = logs_of(view);
    const GovernanceFold fold = folded(view);
    for (const ProposalStanding& standing : fold.open_proposals(logs)) {
      report.answers.push_back(to_hex(standing.id.view()) + standing.explanation +
                               std::to_string(standing.valid) +
                               std::to_string(newest_round(standing)));
      for (std::size_t who = 0; who < names; ++who) {
        report.answers.push_back(std::to_string(fold.round_for(logs, person(who).id, standing.id)));
      }
    }
    for (std::size_t who = 0; who < names; ++who) {
      const auto seen = fold.seen_due(logs, person(who).id);
      report.answers.push_back(seen ? to_hex(seen->proposal.view()) : "nothing");
    }
  }
}

void World::probe_late_words(WorldReport& report) {
  const std::set<MemberId> parted = folded_whole().state().parted;
  for (std::size_t who = 0; who < names; ++who) {
    if (!parted.contains(person(who).id)) continue;
    const std::vector<Branch> saved = logs_[who];
    for (std::size_t branch = 0; branch < logs_[who].size(); ++branch) {
      for (const auto& [id, basis] : proposals_) {
        say(who, branch, id, Consent::Word::agree, 1 + static_cast<std::uint32_t>(below(4)));
        see(who, branch, {id, 1 + static_cast<std::uint32_t>(below(4))});
      }
    }
    for (std::size_t witness = 0; witness < names; ++witness) {
      logs_[who][0].cosigned[witness] = logs_[who][0].entries.size();
    }
    ++report.late_word_probes;
    report.late_word_changes += chain_of(folded_whole()) == report.chain ? 0 : 1;
    logs_[who] = saved;
  }
}

void World::probe_going_on(WorldReport& report) {
  if (careless_ > 0) return;
  const auto everyone = [&](const NetworkState& state) {
    std::vector<std::size_t> live;
    for (const MemberId& elector : state.electors()) {
      if (elector != person(liar_).id) live.push_back(number_of(elector));
    }
    return live;
  };
  const auto cosign_all = [&](const std::vector<std::size_t>& live) {
    for (const std::size_t who : live) {
      for (std::size_t owner = 0; owner < names; ++owner) {
        Branch& branch = logs_[owner][0];
        if (logs_[owner].size() == 1) branch.cosigned[who] = branch.entries.size();
      }
    }
  };

  NetworkState state = folded_whole().state();
  std::vector<std::size_t> live = everyone(state);
  if (live.size() == state.electors().size() && live.size() > 2 && chance(0.7)) {
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(below(live.size())));
  }
  cosign_all(live);
  const GovernanceFold fold = folded_whole();
  state = fold.state();
  std::erase_if(live, [&](std::size_t who) {
    const auto member = state.members.find(person(who).id);
    return member == state.members.end() || member->second.paused;
  });
  const std::size_t electors = state.electors().size();
  if (live.size() + 1 < electors || 2 * live.size() <= electors) return;
  ++report.go_on_probes;
  if (!go_on(live, fold.history().size())) ++report.stuck;
}

bool World::go_on(const std::vector<std::size_t>& live, std::size_t decisions) {
  const auto settle = [&] {
    for (const std::size_t owner : live) {
      for (const std::size_t who : live) {
        logs_[owner][0].cosigned[who] = logs_[owner][0].entries.size();
      }
    }
  };
  // Evidence travels with the agreed checkpoint: in the end all hold the branch that is agreed.
  const std::size_t branch = is_agreed(1, folded_whole()) ? 1 : 0;
  const RecordId none{};
  RecordId id = none;
  for (int turn = 0; turn < 4; ++turn) {
    GovernanceFold fold = folded(whole(branch));
    std::uint32_t passed = 0;
    for (const ProposalStanding& open : fold.open_proposals(logs_of(whole(branch)))) {
      if (open.passed_in.empty() || open.passed_in.back() < passed) continue;
      passed = open.passed_in.back();
      id = open.id;
    }
    if (id == none) {  // Nothing passed: pause who is silent, or decide anything together.
      Effect effect = ChangeCharter{fold.state().charter};
      std::get<ChangeCharter>(effect).charter.name = "go on";
      for (const MemberId& elector : fold.state().electors()) {
        if (std::ranges::count(live, number_of(elector)) == 0) effect = Pause{elector};
      }
      id = propose(live[0], 0, fold.state().decision, effect);
    }
    for (const std::size_t who : live) {
      settle();
      const GovernanceLogs logs = logs_of(whole(branch));
      fold.advance(logs);
      if (fold.history().size() > decisions) return true;
      if (const auto seen = fold.seen_due(logs, person(who).id)) {
        see(who, 0, *seen);
      } else {
        say(who, 0, id, Consent::Word::agree, fold.round_for(logs, person(who).id, id));
      }
    }
    for (const std::size_t who : live) {
      settle();
      const GovernanceLogs logs = logs_of(whole(branch));
      fold.advance(logs);
      if (const auto seen = fold.seen_due(logs, person(who).id)) see(who, 0, *seen);
    }
    settle();
    fold.advance(logs_of(whole(branch)));
    if (fold.history().size() > decisions) return true;
  }
  return false;
}

}  // namespace kith::testing
