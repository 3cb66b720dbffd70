#include "client/commands/verify_parts.hpp"

#include <algorithm>

#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "client/report_page.hpp"
#include "protocol/base/text.hpp"
#include "storage/files/file.hpp"

namespace kith::client {

Exit exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::intact:
      return Exit::ok;
    case Verdict::incomplete:
      return Exit::incomplete;
    case Verdict::damaged:
      return Exit::faults;
    case Verdict::forged:
      return Exit::forged;
    case Verdict::forked:
      break;
  }
  return Exit::forked;
}

bool is_named(const std::vector<std::string>& ids, BytesView id) {
  return std::ranges::any_of(
      ids, [&](const std::string& one) { return lower_case(one) == full_id(id); });
}

void print_findings(const Console& console, const Findings& findings) {
  for (const Finding& finding : findings.kept()) {
    console.out << name(finding.verdict) << ": " << clean_line(finding.file)
                << (finding.file.empty() ? "" : ": ") << clean_line(finding.what) << '\n';
  }
  if (findings.left_out() > 0) console.out << "… and " << findings.left_out() << " more\n";
}

void print_policy(const Console& console, const std::string& what, const PolicyOutcome& outcome) {
  std::string cosigned;
  for (const std::string& who : outcome.cosigned) {
    cosigned += (cosigned.empty() ? "" : ", ") + clean_line(who);
  }
  const std::string said = outcome.holds()
                               ? "it is met: asked for " + clean_line(outcome.quorum) +
                                     (cosigned.empty() ? "" : "; confirmed by " + cosigned)
                               : "IT IS NOT MET: " + clean_line(why_not(outcome));
  print_wide(console, "Policy: ", what + ": " + said);
  if (outcome.unknown_keys.empty()) return;
  console.out << "  confirmed as well, by keys that the policy does not name:\n";
  for (const std::string& vkey : outcome.unknown_keys) console.out << "    " << vkey << '\n';
}

void print_contradiction(const Console& console, const Contradiction& proven) {
  const auto date = [](std::uint64_t number) { return date_of(number).substr(0, 10); };
  const bool one_key = proven.numbers[0] == proven.numbers[1];
  if (proven.liar == Liar::recovery_key) {
    print_wide(console, "",
               "It holds. This member's recovery key signed two certificates of one number (of " +
                   date(proven.number()) +
                   ") that name different keys. So nobody can know which keys are the member's.");
  } else {
    const bool is_own = proven.liar == Liar::log_key;
    print_wide(console, "",
               std::string("It holds. This member ") +
                   (is_own ? "signed two histories of its own log"
                           : "confirmed two histories of another member's log, as a witness") +
                   ", which cannot both be true:");
    for (const Checkpoint& said : proven.said) {
      console.out << "  " << counted(said.size, "entry", "entries") << " with root "
                  << to_base64(said.root.view()) << '\n';
    }
    console.out << (proven.said[0].size == proven.said[1].size
                        ? "Of one number of entries there is one root.\n"
                        : "The larger one does not begin with the smaller.\n");
    console.out << "The log is " << to_hex(proven.log->view()) << ",\nand the key was certified on "
                << date(proven.numbers[0])
                << (one_key ? "" : " (the other on " + date(proven.numbers[1]) + ")") << ".\n";
  }
  print_wide(console, "",
             "It does not say who did it, nor why: a stolen key, or an old copy of a machine that "
             "was set going again, signs like this as well. Keep this file, ask the member, and "
             "tell the other members.");
}

Exit write_html(const AuditReport& report, const std::string& file, const Console& console,
                const Desk& desk) {
  constexpr unsigned for_everybody = 0644;
  if (file.empty()) return Exit::ok;
  const std::string html = html_of(page_of(report));
  const auto written = files::create(desk.working_folder / file, view(html), for_everybody);
  if (!written) return complain(console, written.error());
  console.err << "kith: the report is in " << clean_line(file) << '\n';
  return Exit::ok;
}

Answered<std::optional<Policy>> read_policy(const std::string& file, const Console& console,
                                            const Desk& desk) {
  if (file.empty()) return {std::optional<Policy>(), Exit::ok};
  const auto content = files::read(desk.working_folder / file, policy_bytes_max);
  if (!content) return {std::nullopt, complain(console, fail(Errc::usage, content.error().detail))};
  auto policy = decode_policy(*content);
  if (policy) return {std::optional<Policy>(std::move(*policy)), Exit::ok};
  return {std::nullopt, complain(console, fail(Errc::usage, file + ": " + policy.error().detail))};
}

}  // namespace kith::client
