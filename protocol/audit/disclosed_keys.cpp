#include "protocol/audit/disclosed_keys.hpp"

#include <algorithm>
#include <set>

#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith {
namespace {

/// Of the records that a disclosure names, how many were opened; the others are findings.
std::uint64_t count_records(const std::string& file, const Disclosure& disclosure,
                            const LogReport& log, Findings& findings) {
  std::uint64_t opened = 0;
  for (const DisclosedRecord& record : disclosure.records) {
    const std::string entry = "entry " + std::to_string(record.index);
    const auto found = log.opened_alone.find(record.index);
    if (found == log.opened_alone.end() || found->second.key != record.key) {
      findings.add(Verdict::incomplete, file,
                   "its key of " + entry + " opens nothing" +
                       (record.index < log.log.size ? "" : ": this export ends before it"));
      continue;
    }
    const RecordId& id = found->second.id;
    if (id.is_zero()) continue;  // What is wrong with it is told by the log's own findings.
    ++opened;
    if (id == record.id) continue;
    findings.add(
        Verdict::damaged, file,
        "it says that " + entry + " is record " + to_base32(record.id.view()) + ", but it is not");
  }
  return opened;
}

/// Entries that the keys of a disclosed log opened, whatever other keys there were.
std::uint64_t count_opened(const Disclosure& disclosure, const LogReport& log) {
  std::set<Key32> keys;
  for (const LogKeys& pair : disclosure.log_keys) keys.insert({pair.g, pair.r});
  std::uint64_t opened = 0;
  for (const auto& [key, entries] : log.opened_by) {
    if (keys.contains(key)) opened += entries;
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
                  file + " holds keys of another network, " + to_base32(disclosure.network.view()));
    }
    const bool is_here = std::ranges::any_of(manifest.logs, [&](const ArchivedLog& log) {
      return log.member == disclosure.member && log.space == disclosure.space;
    });
    if (!is_here) {
      return fail(Errc::conflict, file + " holds keys of the log of member " +
                                      to_base32(disclosure.member.view()) +
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
    told.opened = count_opened(disclosure, *log);
    // A log may hold nothing that is sealed.
    if (told.opened > 0 || log->opened + log->sealed == 0) continue;
    report.findings.add(
        Verdict::incomplete, file,
        "its keys open nothing of the log of member " + to_base32(disclosure.member.view()));
  }
}

}  // namespace kith
