#include "protocol/audit/disclosed_keys.hpp"

#include <algorithm>

#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith {
namespace {

std::string id_of(BytesView id) { return to_base32(id); }

/// Of the records that a disclosure names, how many were opened; the others are findings.
std::uint64_t count_records(const std::string& file, const Disclosure& disclosure,
                            const LogReport& log, Findings& findings) {
  std::uint64_t opened = 0;
  for (const DisclosedRecord& record : disclosure.records) {
    const std::string entry = "entry " + std::to_string(record.index);
    const auto found = log.opened_alone.find(record.index);
    if (found == log.opened_alone.end()) {
      findings.add(Verdict::incomplete, file,
                   "its key of " + entry + " opens nothing" +
                       (record.index < log.log.size ? "" : ": this export ends before it"));
      continue;
    }
    ++opened;
    const bool is_bad = found->second.is_zero();  // Told by the log's own findings.
    if (is_bad || found->second == record.id) continue;
    findings.add(
        Verdict::damaged, file,
        "it says that " + entry + " is record " + id_of(record.id.view()) + ", but it is not");
  }
  return opened;
}

}  // namespace

void DisclosedKeys::add(std::string file, Disclosure disclosure) {
  given_.push_back({std::move(file), std::move(disclosure)});
}

Result<bool> DisclosedKeys::belong_to(const Manifest& manifest) const {
  for (const auto& [file, disclosure] : given_) {
    if (disclosure.network != manifest.network) {
      return fail(Errc::conflict,
                  file + " holds keys of another network, " + id_of(disclosure.network.view()));
    }
    const bool is_here = std::ranges::any_of(manifest.logs, [&](const ArchivedLog& log) {
      return log.member == disclosure.member && log.space == disclosure.space;
    });
    if (!is_here) {
      return fail(Errc::conflict, file + " holds keys of the log of member " +
                                      id_of(disclosure.member.view()) +
                                      ", which is not in this export");
    }
  }
  return true;
}

LogAudit::Keys DisclosedKeys::keys_of(const LogId& log) const {
  LogAudit::Keys keys;
  for (const auto& [_, disclosure] : given_) {
    if (disclosure.log() != log) continue;
    for (const LogKeys& pair : disclosure.log_keys) {
      keys.g_keys.push_back(pair.g);
      keys.r_keys.push_back(pair.r);
    }
    for (const DisclosedRecord& record : disclosure.records) {
      keys.payload_keys[record.index].push_back(record.key);
    }
  }
  return keys;
}

void DisclosedKeys::tell(ArchiveReport& report) const {
  for (const auto& [file, disclosure] : given_) {
    const auto log = std::ranges::find(report.logs, disclosure.log(), &LogReport::id);
    if (log == report.logs.end()) continue;
    DisclosureReport& told = report.disclosures.emplace_back(DisclosureReport{file, disclosure});
    if (!report.manifest.is_whole) {
      report.findings.add(Verdict::incomplete, file,
                          "its keys open nothing, as this export is without contents; ask for one "
                          "that was made with --with-payloads");
      continue;
    }
    if (!disclosure.records.empty()) {
      told.opened = count_records(file, disclosure, *log, report.findings);
      continue;
    }
    told.opened = log->opened;
    // A log may hold nothing that is sealed.
    if (log->opened > 0 || log->sealed == 0) continue;
    report.findings.add(
        Verdict::incomplete, file,
        "its keys open nothing of the log of member " + id_of(disclosure.member.view()));
  }
}

}  // namespace kith
