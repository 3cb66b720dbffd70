#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/signing.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/disclosure.hpp"
#include "protocol/records/disclosure_consent.hpp"
#include "protocol/records/document.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr unsigned secret_mode = 0600;

std::optional<Error> wrong_with(const DiscloseOptions& options, const Desk& desk) {
  const auto words = check_disclosure_words(options.recipient, options.purpose);
  if (!words) return words.error();
  if (options.allow) {
    if (options.out.empty() && options.member.empty()) return std::nullopt;
    return fail(Errc::usage,
                "--allow is about your own log and writes no file: leave --out and --member out");
  }
  if (options.out.empty()) return fail(Errc::usage, "say with --out FILE where the keys go");
  std::error_code ignored;
  if (!std::filesystem::exists(desk.working_folder / options.out, ignored)) return std::nullopt;
  return fail(Errc::conflict, options.out + " exists already: choose another name");
}

/// Asks after what was just shown. Without anybody to ask, only --yes will do.
std::optional<Error> person_stops(const DiscloseOptions& options, const std::string& question,
                                  const Console& console) {
  if (options.yes) return std::nullopt;
  if (!can_ask(console)) {
    return fail(Errc::usage, "there is no terminal to ask on; add --yes if it is meant so");
  }
  if (confirm(console, question)) return std::nullopt;
  return fail(Errc::unavailable, "nothing was done");
}

void show_words(const DiscloseOptions& options, const Console& console) {
  console.err << "  to   " << clean_line(options.recipient) << "\n  for  "
              << clean_line(options.purpose) << '\n';
}

void show_entries(const std::vector<local::RecordSummary>& entries, const Console& console) {
  for (const local::RecordSummary& entry : entries) {
    console.err << "  " << short_id(entry.id) << "  " << kind_of(entry) << "  "
                << clean_line(entry.title) << '\n';
  }
}

// ---- keys for somebody ----

void show_what_is_opened(const local::DiscloseAnswer& preview, const DiscloseOptions& options,
                         const Console& console) {
  const std::string code = clean_line(preview.code);
  if (preview.records.empty()) {
    console.err << "The keys of the whole log of " << code << ": "
                << counted(preview.size, "entry", "entries")
                << " that are here, and all that it logs later\nunder the same keys\n";
  } else {
    console.err << "The keys of " << counted(preview.records.size(), "entry", "entries") << " of "
                << code << " and of nothing else:\n";
    show_entries(preview.records, console);
  }
  show_words(options, console);
  if (preview.consent) {
    console.err << "  with the consent of " << code << ", entry " << short_id(*preview.consent)
                << '\n';
  }
  console.err << "Whoever has them can read this for ever. It cannot be taken back.\n";
}

/// The answer, if it is what was asked for.
Result<Disclosure> disclosure_in(const local::DiscloseAnswer& answer,
                                 const DiscloseOptions& options,
                                 const local::StatusAnswer& status) {
  auto disclosure = decode_disclosure(answer.file);
  const bool fits =
      disclosure && disclosure->network == status.network && disclosure->member == answer.member &&
      disclosure->discloser == status.member && disclosure->recipient == options.recipient &&
      disclosure->purpose == options.purpose && disclosure->records.empty() == options.ids.empty();
  if (fits) return disclosure;
  return fail(Errc::io, "kithd's answer does not fit together; are kith and kithd of one version?");
}

Exit write_keys(const DiscloseOptions& options, const local::StatusAnswer& status, Daemon& daemon,
                const Console& console, const Desk& desk) {
  local::DiscloseRequest request{options.ids, options.member, options.recipient, options.purpose,
                                 true};
  const auto preview = ask<local::DiscloseAnswer>(daemon, console, request);
  if (!preview) return preview.exit;
  show_what_is_opened(*preview, options, console);
  if (const auto why = person_stops(options, "Write these keys?", console)) {
    return complain(console, *why);
  }
  request.preview = false;
  auto answer = ask<local::DiscloseAnswer>(daemon, console, request);
  if (!answer) return answer.exit;
  const auto disclosure = disclosure_in(*answer, options, status);
  auto written =
      disclosure ? files::create(desk.working_folder / options.out, view(answer->file), secret_mode)
                 : disclosure.error();
  wipe(answer.answer->file);
  if (!written) {
    console.err << "kith: the trail of kithd says that this was disclosed, but no file was "
                   "written\n";
    return complain(console, written.error());
  }
  if (console.json) {
    console.out << json_of(Disclosed{options.out, answer->code, *disclosure}) << '\n';
    return Exit::ok;
  }
  console.out << options.out << '\n';
  console.err << "This file is a secret that only you can read now: hand it over by a way you "
                 "trust, and then\ndelete it. It is used with: kith verify EXPORT --keys "
              << shell_word(options.out) << '\n';
  return Exit::ok;
}

// ---- a consent, so that others may ----

Answered<std::vector<local::RecordSummary>> own_entries(const DiscloseOptions& options,
                                                        const local::StatusAnswer& status,
                                                        Daemon& daemon, const Console& console) {
  std::vector<local::RecordSummary> entries;
  for (const std::string& id : options.ids) {
    const auto shown = ask<local::ShowAnswer>(daemon, console, local::ShowRequest{id});
    if (!shown) return {std::nullopt, shown.exit};
    if (shown->record.member != status.code) {
      const Error other = fail(
          Errc::forbidden, "entry " + short_id(shown->record.id) + " is in the log of " +
                               clean_line(shown->record.member) + ": only that member can consent");
      return {std::nullopt, complain(console, other)};
    }
    entries.push_back(shown->record);
  }
  return {std::move(entries), Exit::ok};
}

/// The document, if it reads as it is meant.
Result<std::string> consent_document(const DisclosureConsent& consent) {
  std::string document = make_disclosure_consent(consent);
  const auto again = read_disclosure_consent(document);
  if (again && *again == consent) return document;
  return fail(Errc::usage,
              "the words after --to and --purpose cannot be written down: leave "
              "unusual characters out, and name each entry once");
}

Exit allow(const DiscloseOptions& options, const local::StatusAnswer& status, Daemon& daemon,
           const Console& console, const Desk& desk) {
  const auto entries = own_entries(options, status, daemon, console);
  if (!entries) return entries.exit;
  DisclosureConsent consent{options.recipient, options.purpose, entries->empty(), {}};
  for (const auto& entry : *entries) consent.records.push_back(entry.id);
  const auto document = consent_document(consent);
  if (!document) return complain(console, document.error());
  console.err << "Any member of " << clean_line(status.network_name) << " may then open "
              << (consent.whole_log
                      ? "the whole log of " + clean_line(status.code) + ",\nnow and later"
                      : "these entries")
              << ":\n";
  show_entries(*entries, console);
  show_words(options, console);
  console.err << "Members will read this consent. It cannot be taken back.\n";
  if (const auto why = person_stops(options, "Consent?", console)) return complain(console, *why);
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());

  const std::string kind(disclosure_consent_kind);
  const auto published = send_records(
      {{kind, parse_document(*document).document.title, "",
        make_record(kind, to_bytes(view(*document)), status, key->public_key(), desk)}},
      status, *key, daemon, console);
  if (!published) return published.exit;
  if (console.json) {
    console.out << json_of(*published) << '\n';
    return Exit::ok;
  }
  console.out << full_id(published->entries.front().id.view()) << '\n';
  console.err << "the consent is published; whoever holds it runs kith disclose with the same ids "
                 "and words\n";
  return Exit::ok;
}

}  // namespace

Exit disclose(const DiscloseOptions& options, Daemon& daemon, const Console& console,
              const Desk& desk) {
  if (const auto wrong = wrong_with(options, desk)) return complain(console, *wrong);
  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  if (options.allow) return allow(options, *status, daemon, console, desk);
  return write_keys(options, *status, daemon, console, desk);
}

}  // namespace kith::client
