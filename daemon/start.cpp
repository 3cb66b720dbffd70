// From what the disk holds to a Replica that goes on where it was.
#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

/// A member's log begins with its first certificate; the founder's with Founding. Whatever became
/// of the views, a daemon with its first keys knows at once that they may sign.
bool begins_with_certificate(const storage::ReadTxn& txn, const LogId& log,
                             const Bytes& certificate) {
  const Bytes text = encode_text(CertificateText{certificate});
  const auto leaves = storage::log_store::leaves(txn, log, 0, 2);
  return std::ranges::any_of(leaves, [&](const Leaf& leaf) { return commits_to(leaf, text); });
}

}  // namespace

Replica::Impl::Impl(Identity identity, Options given, const storage::HighWaterMarks& marks,
                    Host& world)
    : me(std::move(identity)),
      options(std::move(given)),
      host(world),
      log_key(me.log_key),
      witness_key(me.witness_key),
      daemon_key(me.daemon_key),
      own_log(log_id(me.network, me.member, commons)),
      engine([this](const LogId& log, const std::string& note) { return verify_note(log, note); },
             options.check_hashes) {
  const auto own = verify_certificate(me.certificate, me.member);
  KITH_CHECK(own.has_value());
  own_number = own->number;
  has_first_keys = own->reason == Certificate::Reason::first;
  heard[me.member].try_emplace(own_number, *own, me.certificate);
  if (me.commons_keys) space_keys.push_back(*me.commons_keys);
  const auto log_txn = host.log().read();
  const auto view_txn = host.views().read();
  load_invitations(*log_txn);
  load_confirmed_numbers(*log_txn);
  for (const storage::LogHead& head : storage::log_store::heads(*log_txn)) {
    load_log(*log_txn, *view_txn, head, marks);
  }
  rebuilding =
      own->reason == Certificate::Reason::lost && certificate_due && !marks.contains(own_log);
  load_evidence(*log_txn);
  look_for_given_up(*log_txn);
  load_waiting(*log_txn);
  for (auto& [_, state] : logs) state.frozen = has_two_histories(state.member);
}

void Replica::Impl::load_confirmed_numbers(const storage::ReadTxn& txn) {
  const Bytes prefix = confirmed_prefix();
  auto row = txn.at_or_after(storage::Table::meta, prefix);
  for (; row && storage::begins_with(row->key, prefix);
       row = txn.at_or_after(storage::Table::meta, storage::successor(row->key))) {
    // A damaged row costs one longer handshake.
    if (const auto kept = decode_confirmed(row->key, row->value)) {
      confirmed_numbers[kept->member] = kept->number;
    }
  }
}

void Replica::Impl::load_log(const storage::ReadTxn& log_txn, const storage::ReadTxn& view_txn,
                             const storage::LogHead& head, const storage::HighWaterMarks& marks) {
  LogState& state = logs[head.log];
  state.member = head.member;
  state.size = head.size();
  state.keys = KeyHistory(me.network, head.member);
  governance[state.member].member = head.member;
  state.cosignatures = storage::log_store::cosignatures(log_txn, head.log);
  for (const auto& [witness, cosignature] : state.cosignatures) {
    governance[state.member].cosigned[witness] = cosignature.size;
    if (witness == me.member) state.cosigned = cosignature.size;
  }
  if (const auto kept = storage::log_store::checkpoint(log_txn, head.log)) state.checkpoint = *kept;
  for (const std::uint64_t gap : storage::log_store::gaps(log_txn, head.log, 0, ~std::size_t{0})) {
    state.gaps.insert(gap);
  }
  if (const auto agreed = log_txn.get(storage::Table::meta, head.log.view())) {
    // Damaged: it follows from the cosignatures, unless the witnesses changed since.
    const AgreedState kept = decode_agreed(head.log, *agreed).value_or(AgreedState());
    state.agreed = kept.size;
    state.confirmed_before = kept.confirmed;
    for (const auto& [witness, size] : kept.confirmed) {
      std::uint64_t& known = governance[state.member].cosigned[witness];
      known = std::max(known, size);
    }
  }
  state.judged = storage::views::judged(view_txn, head.log);
  state.shown = storage::views::shown(view_txn, head.log);
  load_damage(log_txn, head.log, state);
  load_bad(view_txn, head.log, state);
  governance[state.member].complete = state.judged;
  storage::views::each_text(view_txn, head.log, [&](std::uint64_t index, BytesView text) {
    replay_text(state, index, text);
  });

  if (head.log != own_log) return;
  own_range = head.range;
  certificate_due = !begins_with_certificate(log_txn, own_log, me.certificate) &&
                    state.keys.newest_certificate_number() < own_number;
  const auto mark = marks.find(own_log);
  if (mark != marks.end()) {
    signed_before = mark->second;
    signed_size = mark->second.size;
  }
  // What was signed must be what is here; otherwise nothing more is signed before it is.
  if (signed_size > head.size()) {
    no_signing = "the store ends at entry " + std::to_string(head.size()) + " but entry " +
                 std::to_string(signed_size) +
                 " was signed before: waiting for a peer to give the missing tail back";
  } else if (!state.wanted.empty()) {
    no_signing =
        "some leaves of our own log are damaged: nothing is signed before a peer has given them "
        "back";
  } else if (!holds_what_was_signed(log_txn)) {
    no_signing =
        "the store does not hold what was signed before: restore it from another backup or ask "
        "your peers";
  }
}

bool Replica::Impl::holds_what_was_signed(const storage::ReadTxn& txn) const {
  const auto head = storage::log_store::head(txn, own_log);
  if (!head || head->size() < signed_size) return false;
  return !signed_before ||
         storage::log_store::root_at(txn, own_log, signed_before->size) == signed_before->root;
}

void Replica::Impl::sign_again_if_whole() {
  const LogState& own = logs.at(own_log);
  if (!no_signing || !own.wanted.empty()) return;
  // What is known of the tree at that size: a crash may have come between mark and checkpoint.
  const std::uint64_t known = signed_before ? signed_before->size : 0;
  if (std::max(known, own.checkpoint.size) < signed_size) return;
  if (!holds_what_was_signed(*host.log().read())) return;
  no_signing.reset();
  host.log_line("what was missing of our own log came back: publishing goes on");
  end_asking_if_answered();
}

void Replica::Impl::load_bad(const storage::ReadTxn& txn, const LogId& log, LogState& state) {
  constexpr std::size_t at_once = 1'024;
  std::uint64_t next = 0;
  for (;;) {
    const auto rows = storage::views::bad(txn, log, next, at_once);
    for (const auto& [index, why] : rows) {
      if (index >= state.shown) state.not_shown.insert(index);
      if (why != storage::views::missing_text) {
        ++state.bad;
        continue;
      }
      state.judged_gaps.erase(index);
      if (!state.gaps.contains(index)) {
        state.late.insert(index);  // It came, but was not judged before the end.
      }
    }
    if (rows.size() < at_once) return;
    next = rows.back().first + 1;
  }
}

void Replica::Impl::sign_the_mark_again() {
  // Our own checkpoint is not stored: it is made again, byte for byte. Nothing new is signed by it,
  // so this waits for nobody's answer; others may need it before they can give one.
  const auto own = logs.find(own_log);
  if (own == logs.end() || !signed_before || !own->second.wanted.empty() ||
      own->second.checkpoint.size >= signed_before->size) {
    return;
  }
  const auto [size, root] = *signed_before;
  const Certificate* in_force = own->second.keys.certificate_at(size);
  if (in_force == nullptr || in_force->log_key != log_key.public_key() ||
      !holds_what_was_signed(*host.log().read())) {
    return;
  }
  own->second.checkpoint = {size, root, sign_checkpoint(own_log, size, root, log_key)};
  if (!engine.follows(own_log)) return;
  step(sync::CheckpointKept{own_log, {size, root, own->second.checkpoint.note}, 0});
  recompute_agreed(own_log);
}

void Replica::Impl::load() {
  begin_asking();
  sign_the_mark_again();
  // Everything that is held is followed; the rest of the members after the fold.
  for (const auto& [log, _] : logs) begin_following(log);
  if (!logs.contains(own_log)) follow(own_log, me.member);
  if (me.network_secret) follow(commons_log(me.founder), me.founder);
  govern();
  end_asking_if_answered();
  if (const auto why = why_not_sign(); why && !rebuilding) host.log_line(*why);
  if (own_range && own_range->size() > 0 && !why_not_sign()) sign_what_is_held();
  for (const auto& [log, _] : logs) {
    judge_more(log);
    show_more(log);
  }
}

void Replica::Impl::sign_what_is_held() {
  // The key that signs is that of the last certificate in the log.
  if (certificate_due) return look_for_own_certificate();
  // A crash may have come between a commit and the high-water file: it comes first again.
  const storage::HighWaterMark mark{own_range->size(), own_range->root()};
  signing_held = true;
  signed_before = mark;
  write([mark, log = own_log](storage::WriteTxn&,
                              storage::HighWaterMarks& to_sign) { to_sign[log] = mark; },
        [this](const std::optional<Error>& failure) {
          signing_held = false;
          if (!failure) flush_own();
          host.wake_dialer();
        });
}

}  // namespace kith::daemon
