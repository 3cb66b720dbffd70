#pragma once

#include <string>
#include <vector>

#include "protocol/audit/archive_audit.hpp"
#include "protocol/audit/proof_audit.hpp"
#include "protocol/records/document.hpp"
#include "protocol/schema/local_codec.hpp"

/// What --json prints: docs/JSON.md, shape by shape. Keys are never renamed or removed, and only
/// ASCII is written, so that no text of others can do anything to a terminal. Without a line end.
namespace kith::client {

[[nodiscard]] std::string json_of(const Error& error);

/// The same as one line, for watch.
[[nodiscard]] std::string json_line_of(const Error& error);

/// Something wrong with a file that should be published.
struct FileComplaint {
  std::string file;
  Complaint complaint;
};
[[nodiscard]] std::string json_of(const Error& error, const std::vector<FileComplaint>& complaints);

[[nodiscard]] std::string json_of(const local::StatusAnswer& status);
[[nodiscard]] std::string json_of(const local::MembersAnswer& members);
[[nodiscard]] std::string json_of(const local::ProposalsAnswer& proposals);
[[nodiscard]] std::string json_of(const local::ListAnswer& list);
[[nodiscard]] std::string json_of(const local::ShowAnswer& shown);
[[nodiscard]] std::string json_of(const local::ThreadAnswer& thread);
[[nodiscard]] std::string json_of(const local::FrontAnswer& front);
/// `intact` is the verdict on all of them together.
[[nodiscard]] std::string json_of(const local::AuditAnswer& audit, bool intact);
/// One line: watch prints many.
[[nodiscard]] std::string json_of(const local::WatchAnswer& arrival);
/// `own` marks the caller's own key; may be null.
[[nodiscard]] std::string json_of(const local::AuthorsAnswer& authors, const PublicKey* own);

struct KeyMade {
  std::string author;
  std::string key_file;
  bool has_passphrase = false;
};
[[nodiscard]] std::string json_of(const KeyMade& made);

struct Enrolled {
  std::string author;
  Scopes scopes = 0;
  std::uint32_t number = 0;
  std::uint64_t index = 0;
};
[[nodiscard]] std::string json_of(const Enrolled& enrolled);

struct Invited {
  std::string invitation;
  std::string file;  ///< Empty: not written to a file.
  Millis expires = 0;
  std::string network_name;
  MemberId sponsor;
};
[[nodiscard]] std::string json_of(const Invited& invited);

struct FormMade {
  std::string kind;
  std::string file;  ///< Empty: not written to a file.
  std::string form;
};
[[nodiscard]] std::string json_of(const FormMade& made);

struct PublishedEntry {
  RecordId id;
  std::string kind;
  std::string title;
  std::string file;  ///< Empty: it came from no file.
  std::uint64_t index = 0;
};
struct Published {
  std::vector<PublishedEntry> entries;
  std::uint64_t size = 0;
  std::string checkpoint;
  std::string waiting;  ///< Not empty: it is in no log yet, and this is why.
};
[[nodiscard]] std::string json_of(const Published& published);

/// An export that was written.
struct Exported {
  std::string folder;
  Manifest manifest;
  std::vector<LogReport> reports;
  std::vector<std::string> frozen;    ///< Codes of members with two conflicting histories.
  std::vector<std::string> left_out;  ///< Of those whose content in clear has not arrived yet.

  /// Contents that should be in it and are not held here.
  [[nodiscard]] std::uint64_t missing() const;
};
[[nodiscard]] std::string json_of(const Exported& exported);
/// A proof that was made.
struct Proven {
  RecordId id;
  std::uint64_t index = 0;
  std::uint32_t confirmed = 0;
  std::uint32_t witnesses = 0;
  std::string file;  ///< Empty: not written to a file.
  std::string proof;
};
[[nodiscard]] std::string json_of(const Proven& proven);
/// A file of keys that was written.
struct Disclosed {
  std::string file;
  std::string code;  ///< Of the member whose log it opens.
  Disclosure disclosure;
};
/// Without the keys.
[[nodiscard]] std::string json_of(const Disclosed& disclosed);
[[nodiscard]] std::string json_of(const ProofReport& report, bool expected);
/// `expected`: whether the ids were given by the auditor.
[[nodiscard]] std::string json_of(const ArchiveReport& report, bool expected);

/// What has come of a proposal.
struct ProposalOutcome {
  enum class State {
    open,
    decided,
    closed,   ///< Something else was decided, or more since.
    ignored,  ///< It counts for nothing.
  };
  RecordId id;
  State state = State::open;
  std::string explanation;  ///< Of an open one: what it waits for.
};
[[nodiscard]] std::string json_of(const Published& published,
                                  const std::vector<ProposalOutcome>& outcomes);

}  // namespace kith::client
