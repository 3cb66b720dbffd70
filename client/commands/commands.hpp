#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/daemon.hpp"
#include "client/desk.hpp"

/// Every command of kith: a function of its options, a Daemon, a Console and a Desk, so that its
/// test needs no process. command_line.cpp fills the options.
namespace kith::client {

/// kith alone: what waits for you, what others answered you, what is new; at most 24 lines.
[[nodiscard]] Exit front(Daemon& daemon, const Console& console, const Desk& desk);

struct InitOptions {
  bool passphrase = false;
};
/// kith init: makes this person's author key.
[[nodiscard]] Exit init(const InitOptions& options, const Console& console, const Desk& desk);

struct AuthorOptions {
  std::string author;                             ///< "kith-author-…".
  std::vector<std::string> scopes = {"publish"};  ///< For enrol.
  bool yes = false;                               ///< Also what leaves no steward.
};
/// kith author enrol AUTHOR: lets a colleague act for this member; signed by a steward.
[[nodiscard]] Exit author_enrol(const AuthorOptions& options, Daemon& daemon,
                                const Console& console, const Desk& desk);
/// kith author withdraw AUTHOR: takes all of that back.
[[nodiscard]] Exit author_withdraw(const AuthorOptions& options, Daemon& daemon,
                                   const Console& console, const Desk& desk);
/// kith author list: who may do what.
[[nodiscard]] Exit author_list(Daemon& daemon, const Console& console, const Desk& desk);

struct InviteOptions {
  std::string out;                     ///< Empty: printed.
  std::vector<std::string> addresses;  ///< "host:port" of our daemon, else those of the profile.
};
/// kith invite: makes an invitation for one candidate.
[[nodiscard]] Exit invite(const InviteOptions& options, Daemon& daemon, const Console& console,
                          const Desk& desk);

/// kith proposals: who waits to be admitted, and what waits for a decision.
[[nodiscard]] Exit proposals(Daemon& daemon, const Console& console);

struct ConsentOptions {
  std::vector<std::string> targets;  ///< Ids of proposals, or codes of candidates.
  bool stand_aside = false;
  bool object = false;
  bool yes = false;
};
/// kith consent ID|CODE…: gives this member's word; for candidates it also makes the proposal.
[[nodiscard]] Exit consent(const ConsentOptions& options, Daemon& daemon, const Console& console,
                           const Desk& desk);

struct NewOptions {
  std::string kind;
  std::string out;  ///< Empty: KIND.md on a terminal, else standard output.
};
/// kith new KIND: an empty form to fill in.
[[nodiscard]] Exit new_form(const NewOptions& options, const Console& console, const Desk& desk);

struct PublishOptions {
  std::vector<std::string> files;
  bool again = false;  ///< Also what was published before.
  bool yes = false;
  std::uint32_t wait_witnesses = 0;  ///< Ends once so many others have confirmed it.
};
/// kith publish FILE…: signs the files as one act of publishing.
[[nodiscard]] Exit publish(const PublishOptions& options, Daemon& daemon, const Console& console,
                           const Desk& desk);

struct ReplyOptions {
  std::string id;
  std::optional<std::string> text;
  std::optional<std::string> file;  ///< "-": standard input.
  std::string as = "note";
};
/// kith reply ID: answers an entry.
[[nodiscard]] Exit reply(const ReplyOptions& options, Daemon& daemon, const Console& console,
                         const Desk& desk);

struct ListOptions {
  std::string kind;
  std::string member;
  std::uint32_t limit = 50;
  std::uint64_t before = ~0ULL;
  std::uint64_t after = 0;
};
/// kith list: entries, newest first.
[[nodiscard]] Exit list(const ListOptions& options, Daemon& daemon, const Console& console);

struct ShowOptions {
  std::string id;
  bool raw = false;
};
/// kith show ID: one entry, and whom to talk to about it.
[[nodiscard]] Exit show(const ShowOptions& options, Daemon& daemon, const Console& console);

/// kith thread ID: an entry, what it answers to, and all replies.
[[nodiscard]] Exit thread(const std::string& id, Daemon& daemon, const Console& console);

struct WatchOptions {
  std::optional<std::uint64_t> since;  ///< A sequence; nothing: from now on.
  std::uint64_t count = 0;             ///< Ends after so many; 0: never.
};
/// kith watch: entries as they arrive.
[[nodiscard]] Exit watch(const WatchOptions& options, Daemon& daemon, const Console& console);

/// kith peers: every member, whether it is connected, and what is held of it.
[[nodiscard]] Exit peers(Daemon& daemon, const Console& console);

/// kith status: this daemon in a dozen lines.
[[nodiscard]] Exit status(Daemon& daemon, const Console& console);

struct ExportOptions {
  std::string folder;
  std::string member;          ///< A code, or empty: every log.
  bool with_payloads = false;  ///< Sealed contents too.
};
/// kith export DIR: writes logs as static files that anyone can check.
[[nodiscard]] Exit export_to(const ExportOptions& options, Daemon& daemon, const Console& console,
                             const Desk& desk);

struct ProveOptions {
  std::string id;
  std::string out;  ///< Empty: printed.
};
/// kith prove ID: a file that shows that an entry is in its log, and who confirmed it.
[[nodiscard]] Exit prove(const ProveOptions& options, Daemon& daemon, const Console& console,
                         const Desk& desk);

struct DiscloseOptions {
  std::vector<std::string> ids;  ///< None: the whole log.
  std::string member;            ///< A code, or empty.
  std::string recipient;
  std::string purpose;
  std::string out;
  bool allow = false;  ///< Not to disclose, but to let other members do so.
  bool yes = false;
};
/// kith disclose [ID…]: the keys of this member's log, or of entries, for somebody outside.
[[nodiscard]] Exit disclose(const DiscloseOptions& options, Daemon& daemon, const Console& console,
                            const Desk& desk);

struct VerifyOptions {
  std::string path;
  std::vector<std::string> expected;  ///< Ids of the network or of members.
  std::vector<std::string> keys;      ///< Files that kith disclose wrote.
  std::string policy;                 ///< A file in tlog-policy syntax, or empty.
  bool report = false;                ///< Everything there is to say of an export, as text.
  std::string html;                   ///< A new file for the same as a page to print, or empty.
};
/// kith verify PATH: checks an export, a proof or evidence from its files alone.
[[nodiscard]] Exit verify(const VerifyOptions& options, const Console& console, const Desk& desk);

struct EvidenceOptions {
  std::string id;   ///< The first characters are enough.
  std::string out;  ///< A new file, or empty.
};
/// kith evidence list: what is held that proves two histories.
[[nodiscard]] Exit evidence_list(Daemon& daemon, const Console& console);
/// kith evidence show ID: one piece in words, and as a file to hand on.
[[nodiscard]] Exit evidence_show(const EvidenceOptions& options, Daemon& daemon,
                                 const Console& console, const Desk& desk);

struct AuditOptions {
  std::string member;  ///< A code, or empty: every log.
  std::string html;    ///< A new file for the report as a page to print, or empty.
};
/// kith audit [MEMBER]: replays whole logs; faults make the exit code 3.
[[nodiscard]] Exit audit(const AuditOptions& options, Daemon& daemon, const Console& console,
                         const Desk& desk);

}  // namespace kith::client
