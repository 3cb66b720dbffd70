#include "protocol/keys/disclosure.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith {
namespace {

constexpr std::string_view header = "kith-disclosure v1";
constexpr std::string_view own_text = "-";  // No consent was needed.
constexpr std::string_view whole_log_text = "log";
constexpr std::string_view records_text = "records";

bool is_good_line(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && one_line(text, bytes_max) == text &&
         text.front() != ' ' && text.back() != ' ';
}

std::string lines_of(const Disclosure& disclosure) {
  std::string text = std::string(header) + "\n";
  const auto add = [&](std::string_view name, BytesView value) {
    add_line(text, name, to_base32(value));
  };
  add("network", disclosure.network.view());
  add("member", disclosure.member.view());
  add("space", disclosure.space.view());
  add("log", disclosure.log().view());
  add("discloser", disclosure.discloser.view());
  add_line(text, "consent",
           disclosure.consent ? to_base32(disclosure.consent->view()) : std::string(own_text));
  add_line(text, "recipient", disclosure.recipient);
  add_line(text, "purpose", disclosure.purpose);
  add_line(text, "time", std::to_string(disclosure.time));
  add_line(text, "opens", disclosure.records.empty() ? whole_log_text : records_text);
  for (const LogKeys& keys : disclosure.log_keys) {
    add("key-g", keys.g.view());
    add("key-r", keys.r.view());
  }
  for (const DisclosedRecord& record : disclosure.records) {
    add("record", record.id.view());
    add_line(text, "entry", std::to_string(record.index));
    add("key", record.key.view());
  }
  return text;
}

Result<bool> read_consent(NamedLines& lines, Disclosure& to) {
  const auto value = lines.value("consent");
  if (!value) return value.error();
  const bool is_own = *value == own_text;
  if (!is_own && !octets_from_base32(*value, to.consent.emplace())) {
    return fail(Errc::malformed, "the line \"consent\" is damaged");
  }
  if (is_own == (to.discloser == to.member)) return true;
  return fail(Errc::malformed, is_own ? "it lacks the consent of the member whose log it opens"
                                      : "it names a consent that nobody needs");
}

Result<bool> read_head(NamedLines& lines, Disclosure& to) {
  LogId log;
  Result<bool> read = read_octets(lines, "network", to.network);
  if (read) read = read_octets(lines, "member", to.member);
  if (read) read = read_octets(lines, "space", to.space);
  if (read) read = read_octets(lines, "log", log);
  if (read && log != to.log()) {
    read = fail(Errc::malformed, "its log is not that of its network, member and space");
  }
  if (read) read = read_octets(lines, "discloser", to.discloser);
  if (read) read = read_consent(lines, to);
  if (read) read = read_words(lines, "recipient", limits::recipient_bytes_max, to.recipient);
  if (read) read = read_words(lines, "purpose", limits::purpose_bytes_max, to.purpose);
  if (read) read = check_disclosure_words(to.recipient, to.purpose);
  if (read) read = read_number(lines, "time", to.time);
  return read;
}

Result<bool> read_log_keys(NamedLines& lines, Disclosure& to) {
  while (lines.next_is("key-g")) {
    if (to.log_keys.size() == limits::disclosed_keys_max) {
      return fail(Errc::too_large, "too many keys");
    }
    LogKeys& keys = to.log_keys.emplace_back();
    Result<bool> read = read_octets(lines, "key-g", keys.g);
    if (read) read = read_octets(lines, "key-r", keys.r);
    if (!read) return read;
  }
  if (to.log_keys.empty()) return fail(Errc::malformed, "it holds no key");
  return true;
}

Result<bool> read_records(NamedLines& lines, Disclosure& to) {
  while (lines.next_is("record")) {
    if (to.records.size() == limits::disclosed_records_max) {
      return fail(Errc::too_large, "too many records");
    }
    const bool is_first = to.records.empty();
    const std::uint64_t before = is_first ? 0 : to.records.back().index;
    DisclosedRecord& record = to.records.emplace_back();
    Result<bool> read = read_octets(lines, "record", record.id);
    if (read) read = read_number(lines, "entry", record.index);
    if (read) read = read_octets(lines, "key", record.key);
    if (!read) return read;
    if (!is_first && record.index <= before) {
      return fail(Errc::malformed, "its records are not in the order of the log");
    }
  }
  if (to.records.empty()) return fail(Errc::malformed, "it holds no key");
  return true;
}

Result<bool> read_keys(NamedLines& lines, Disclosure& to) {
  const auto opens = lines.value("opens");
  if (!opens) return opens.error();
  if (*opens == whole_log_text) return read_log_keys(lines, to);
  if (*opens == records_text) return read_records(lines, to);
  return fail(Errc::malformed, "the line \"opens\" is damaged");
}

}  // namespace

LogId Disclosure::log() const { return log_id(network, member, space); }

Result<bool> check_disclosure_words(std::string_view recipient, std::string_view purpose) {
  const auto refused = [](const char* what, std::size_t bytes_max) {
    return fail(Errc::usage, std::string("say ") + what + " in one line of at most " +
                                 std::to_string(bytes_max) + " bytes, without blanks around it");
  };
  if (!is_good_line(recipient, limits::recipient_bytes_max)) {
    return refused("to whom it is opened", limits::recipient_bytes_max);
  }
  if (!is_good_line(purpose, limits::purpose_bytes_max)) {
    return refused("for what it is opened", limits::purpose_bytes_max);
  }
  return true;
}

std::string encode_disclosure(const Disclosure& disclosure) {
  std::string text = lines_of(disclosure);
  add_line(text, "check", to_base32(blake2b({view(text)}).view()));
  return text;
}

Result<Disclosure> decode_disclosure(std::string_view text) {
  if (text.size() > disclosure_bytes_max) {
    return fail(Errc::too_large, "it is longer than any disclosure");
  }
  NamedLines lines(text);
  const auto first = lines.exactly(header);
  if (!first) return first.error();
  Disclosure disclosure;
  Result<bool> read = read_head(lines, disclosure);
  if (read) read = read_keys(lines, disclosure);
  if (!read) return fail(Errc::malformed, read.error().detail);
  std::string again = encode_disclosure(disclosure);
  const bool is_same = again == text;
  wipe(again);
  if (!is_same) return fail(Errc::malformed, "it was changed or cut off");
  return disclosure;
}

}  // namespace kith
