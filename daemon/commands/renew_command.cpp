#include "daemon/commands/renew_command.hpp"

#include <ostream>

#include "daemon/clock.hpp"
#include "daemon/commands/given.hpp"
#include "daemon/data_dir.hpp"
#include "daemon/random.hpp"
#include "daemon/renewal.hpp"
#include "daemon/watch/trail.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"

namespace kith::daemon {
namespace {

using Reason = Certificate::Reason;

/// Why only the other command, or first another one, will do; nothing if there is no reason.
std::optional<Error> why_not_renew(const OwnLogFound& found, const Identity& identity,
                                   const Certificate& now) {
  const bool is_entered = found.keys.newest_certificate_number() >= now.number;
  if (!is_entered && !identity.cut_list.empty()) {
    return fail(
        Errc::conflict,
        "the last kithd cut is not entered in this member's log yet: run kithd until it says "
        "so, then renew; nothing was changed");
  }
  if (found.has_two_histories) {
    return fail(
        Errc::conflict,
        "two histories of this member's log are known, so its log key is in other hands or "
        "a copy of this directory runs elsewhere: new keys alone do not heal that; stop the "
        "other one and use kithd cut; nothing was changed");
  }
  return std::nullopt;
}

struct Made {
  Identity identity;
  OwnLogFound found;
  std::optional<CutLog> cut;
  std::uint64_t number = 0;
};

Result<Made> make(const DataDir& dir, const RenewSettings& settings) {
  const auto before = dir.load_identity();
  if (!before) return before.error();
  const auto now = verify_certificate(before->certificate, before->member);
  if (!now) return fail(now.error(), "the certificate in the identity");
  Made made;
  Renewal how;
  if (!settings.steward.empty()) {
    const auto steward = read_steward(settings.steward);
    if (!steward) return steward.error();
    how.steward = *steward;
  }
  const storage::LmdbDatabase database(dir.log(), storage::log_tables(),
                                       storage::LmdbDatabase::Durability::full);
  const auto txn = database.read();
  made.found = survey(*txn, *before);
  const storage::HighWaterFile high_water(dir.high_water());
  if (const auto mark = high_water.marks().find(made.found.log);
      mark != high_water.marks().end() && !settings.give_up_tail) {
    made.found.marked = mark->second.size;
  }
  if (settings.cut) {
    const auto cut = where_to_cut(*txn, made.found, *before);
    if (!cut) return cut.error();
    made.cut = *cut;
    how.cut.logs = {*cut};
    how.reason = Reason::cut;
  } else {
    if (const auto why = why_not_renew(made.found, *before, *now)) return *why;
    how.reason = settings.reason == "lost" ? Reason::lost : Reason::planned;
  }
  auto words = read_recovery_words(settings.words_file);
  if (!words) return words.error();
  how.now = wall_now();
  how.highest_known = made.found.keys.newest_certificate_number();
  auto identity = renew(*before, SigningKey(*words), how, fill_random);
  wipe(words->bytes);
  if (!identity) return identity.error();
  made.identity = std::move(*identity);
  made.number = verify_certificate(made.identity.certificate, made.identity.member)->number;
  return made;
}

/// In this order: whatever a crash leaves behind, one of the two identities is there as a whole,
/// and what it needs.
Result<bool> save(const DataDir& dir, const Made& made) {
  const std::string act = made.cut ? "cut" : "renew";
  const auto noted =
      note_in_trail(dir.trail(), wall_now(), act, {{"certificate", std::to_string(made.number)}});
  if (!noted) return noted;
  if (made.cut) {
    // No key that is in force has signed more.
    storage::HighWaterFile(dir.high_water())
        .cut({{made.cut->log, {made.cut->size, made.cut->root}}});
  }
  return dir.save_identity(made.identity);
}

void show(const std::string& dir, const Made& made, const RenewSettings& settings,
          std::ostream& out) {
  out << "New log, witness, transport, sealing and daemon keys were made, under certificate "
      << made.number << ".\n";
  if (made.cut) {
    out << "This member's log is cut at " << made.cut->size << " of " << made.found.size
        << " entries: what the replaced keys signed beyond counts for nothing.\n";
    if (made.cut->size < made.found.size) {
      out << "What this member's people said in the entries that are given up is published again "
             "by itself.\n";
    }
  }
  out << "Whoever dials the replaced transport key is answered, and told of the new one.\n";
  if (!settings.steward.empty()) {
    out << "The steward who was named before keeps every right until the new one takes it away: "
           "kith author withdraw.\n";
  }
  out << "\nThe file \"identity\" in " << dir
      << " is another one now: renew its backup.\nNext: kithd --dir " << dir
      << " run, which enters the certificate in the log.\n";
}

}  // namespace

Exit renew_command(const std::string& dir, const RenewSettings& settings, std::ostream& out,
                   std::ostream& err) {
  const auto data = DataDir::open(dir);
  if (!data) {
    err << "kithd: " << data.error().detail << '\n';
    return data.error().code == Errc::not_found ? Exit::configuration : Exit::failed;
  }
  const auto made = make(*data, settings);
  const auto saved = made ? save(*data, *made) : made.error();
  if (!saved) {
    err << "kithd: " << saved.error().detail << '\n';
    return saved.error().code == Errc::usage ? Exit::usage : Exit::failed;
  }
  show(dir, *made, settings, out);
  return Exit::ok;
}

}  // namespace kith::daemon
