#include "protocol/schema/record_codec.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/schema/log.capnp.h"

namespace kith {
namespace {

constexpr std::size_t key_grant_box_bytes = 48 + 64;  // A sealed box around two keys.
constexpr int nesting_max = 16;

// Writing. Every pointer is set, so that each value has exactly one segment.

capnp::Data::Reader blob(BytesView bytes) { return {bytes.data(), bytes.size()}; }
capnp::Text::Reader words(const std::string& text) { return {text.c_str(), text.size()}; }

template <class List, class Values, class Convert>
void write_list(List to, const Values& values, Convert convert) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, convert(values[i]));
}

unsigned count(std::size_t size) { return static_cast<unsigned>(size); }

void write(wire::Record::Builder to, const Record& from) {
  to.setNonce(blob(from.nonce.view()));
  to.setKind(words(from.kind));
  to.setBody(blob(from.body));
  to.setAuthor(blob(from.author.view()));
  to.setTime(from.time);
  to.setNetwork(blob(from.network.view()));
  to.setLog(blob(from.log.view()));
}

void write(wire::Certificate::Builder to, const Certificate& from) {
  const bool cut = from.reason == Certificate::Reason::cut;
  KITH_CHECK(cut || from.cut_list.is_zero());
  to.setNetwork(blob(from.network.view()));
  to.setMember(blob(from.member.view()));
  to.setNumber(from.number);
  to.setLogKey(blob(from.log_key.view()));
  to.setWitnessKey(blob(from.witness_key.view()));
  to.setTransportKey(blob(from.transport_key.view()));
  to.setSealingKey(blob(from.sealing_key.view()));
  to.setDaemonKey(blob(from.daemon_key.view()));
  to.setSteward(blob(from.steward.view()));
  write_list(to.initRelays(count(from.relays.size())), from.relays,
             [](const DhPublic& relay) { return blob(relay.view()); });
  to.setReason(static_cast<wire::Certificate::Reason>(from.reason));
  if (cut) to.setCutList(blob(from.cut_list.view()));
}

void write(wire::CutList::Builder to, const CutList& from) {
  auto logs = to.initLogs(count(from.logs.size()));
  for (unsigned i = 0; i < logs.size(); ++i) {
    logs[i].setLog(blob(from.logs[i].log.view()));
    logs[i].setSize(from.logs[i].size);
    logs[i].setRoot(blob(from.logs[i].root.view()));
  }
}

void write(wire::Enrolment::Builder to, const Enrolment& from) {
  to.setNetwork(blob(from.network.view()));
  to.setMember(blob(from.member.view()));
  to.setNumber(from.number);
  to.setAuthor(blob(from.author.view()));
  to.setScopes(from.scopes);
  to.setSteward(blob(from.steward.view()));
}

void write(wire::Profile::Builder to, const Profile& from) {
  to.setCode(words(from.code));
  to.setName(words(from.name));
  to.setRole(words(from.role));
  write_list(to.initAddresses(count(from.addresses.size())), from.addresses, words);
}

void write(wire::Rule::Builder to, const Rule& from) {
  to.setForm(static_cast<wire::Rule::Form>(from.form));
  to.setK(from.k);
}

void write(wire::Charter::Builder to, const Charter& from) {
  to.setName(words(from.name));
  to.setAim(words(from.aim));
  write(to.initAdmit(), from.admit);
  write(to.initPart(), from.part);
  write(to.initCharter(), from.charter);
  write(to.initSpace(), from.space);
  write(to.initSuccession(), from.succession);
}

void write(wire::Founding::Builder to, const Founding& from) {
  write(to.initProfile(), from.profile);
  write(to.initCharter(), from.charter);
}

void write(wire::Effect::Builder to, const Admit& from) {
  auto admit = to.initAdmit();
  admit.setCertificate(blob(from.certificate));
  write(admit.initProfile(), from.profile);
}
void write(wire::Effect::Builder to, const Part& from) { to.setPart(blob(from.member.view())); }
void write(wire::Effect::Builder to, const Pause& from) { to.setPause(blob(from.member.view())); }
void write(wire::Effect::Builder to, const Resume& from) { to.setResume(blob(from.member.view())); }
void write(wire::Effect::Builder to, const ChangeCharter& from) {
  write(to.initCharter(), from.charter);
}

void write(wire::Proposal::Builder to, const Proposal& from) {
  to.setBasis(blob(from.basis.view()));
  auto effects = to.initEffects(count(from.effects.size()));
  for (unsigned i = 0; i < effects.size(); ++i) {
    std::visit([&](const auto& effect) { write(effects[i], effect); }, from.effects[i]);
  }
}

void write(wire::Consent::Builder to, const Consent& from) {
  to.setProposal(blob(from.proposal.view()));
  to.setRound(from.round);
  to.setWord(static_cast<wire::Consent::Word>(from.word));
}

void write(wire::Seen::Builder to, const Seen& from) {
  to.setProposal(blob(from.proposal.view()));
  to.setRound(from.round);
}

void write(wire::KeyGrant::Builder to, const KeyGrant& from) {
  to.setSpace(blob(from.space.view()));
  to.setBasis(blob(from.basis.view()));
  to.setKeyIdG(blob(from.key_id_g.view()));
  to.setKeyIdR(blob(from.key_id_r.view()));
  write_list(to.initBoxes(count(from.boxes.size())), from.boxes,
             [](const Bytes& box) { return blob(box); });
}

/// Gives the one segment of `value` to `use`.
template <class Root, class Value, class Use>
auto with_segment(const Value& value, Use use) {
  // Most fit into this.
  std::array<capnp::word, 256> first_segment{};
  capnp::MallocMessageBuilder message(kj::arrayPtr(first_segment.data(), first_segment.size()));
  write(message.initRoot<Root>(), value);
  const auto give = [&](const auto& words) {
    const auto bytes = words.asBytes();
    return use(BytesView(bytes.begin(), bytes.size()));
  };
  // Fields written in their order are canonical already, unless a struct ends in zeros.
  if (message.isCanonical()) return give(message.getSegmentsForOutput()[0]);
  return give(capnp::canonicalize(message.getRoot<Root>().asReader()));
}

template <class Root, class Value>
Bytes to_segment(const Value& value) {
  return with_segment<Root>(value, [](BytesView encoded) { return to_bytes(encoded); });
}

// Reading.

/// Keeps the first thing that is wrong; reading goes on harmlessly after it.
class Reading {
 public:
  /// What is said is put together only if it must be.
  void require(bool good, Errc code, const char* said, const char* more = "") {
    if (!good && !error_) error_ = fail(code, std::string(said) + more);
  }

  template <class Tag, std::size_t N>
  void octets(capnp::Data::Reader from, Octets<Tag, N>& to, const char* what) {
    require(from.size() == N, Errc::malformed, what, " has the wrong length");
    if (from.size() == N) to = Octets<Tag, N>::from({from.begin(), from.size()});
  }

  void bytes(capnp::Data::Reader from, Bytes& to, std::size_t bytes_max, const char* what) {
    require(from.size() <= bytes_max, Errc::too_large, what, " is too long");
    if (from.size() <= bytes_max) to.assign(from.begin(), from.end());
  }

  void text(capnp::Text::Reader from, std::string& to, std::size_t bytes_max, const char* what) {
    require(from.size() <= bytes_max, Errc::too_large, what, " is too long");
    if (from.size() <= bytes_max) to.assign(from.begin(), from.size());
    require(is_utf8(to), Errc::malformed, what, " is not UTF-8");
  }

  /// One line without control characters.
  void line(capnp::Text::Reader from, std::string& to, std::size_t bytes_max, const char* what) {
    text(from, to, bytes_max, what);
    require(one_line(to, bytes_max) == to, Errc::malformed, what, " holds control characters");
  }

  /// Whether a list of `size` is within its limit and may be read.
  [[nodiscard]] bool list(std::size_t size, std::size_t size_max, const char* what) {
    require(size <= size_max, Errc::too_large, "too many ", what);
    return size <= size_max;
  }

  template <class To, class From>
  void word(From from, To& to, To last, const char* what) {
    const auto value = static_cast<unsigned>(from);
    require(value <= static_cast<unsigned>(last), Errc::malformed, what,
            " is none of this version");
    to = static_cast<To>(value);
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

void read(Reading& in, wire::Record::Reader from, Record& to) {
  in.octets(from.getNonce(), to.nonce, "the nonce");
  in.line(from.getKind(), to.kind, limits::name_bytes_max, "the kind");
  in.require(is_kind_word(to.kind), Errc::malformed, "the kind is not a word");
  in.bytes(from.getBody(), to.body, limits::payload_bytes_max, "the body");
  in.octets(from.getAuthor(), to.author, "the author");
  to.time = from.getTime();
  in.octets(from.getNetwork(), to.network, "the network");
  in.octets(from.getLog(), to.log, "the log");
}

void read(Reading& in, wire::Certificate::Reader from, Certificate& to) {
  in.octets(from.getNetwork(), to.network, "the network");
  in.octets(from.getMember(), to.member, "the member");
  to.number = from.getNumber();
  in.octets(from.getLogKey(), to.log_key, "the log key");
  in.octets(from.getWitnessKey(), to.witness_key, "the witness key");
  in.octets(from.getTransportKey(), to.transport_key, "the transport key");
  in.octets(from.getSealingKey(), to.sealing_key, "the sealing key");
  in.octets(from.getDaemonKey(), to.daemon_key, "the daemon's author key");
  in.octets(from.getSteward(), to.steward, "the steward");
  const auto relays = from.getRelays();
  if (in.list(relays.size(), limits::relays_max, "relays")) {
    for (const auto relay : relays) in.octets(relay, to.relays.emplace_back(), "a relay");
  }
  in.word(from.getReason(), to.reason, Certificate::Reason::cut, "the reason");
  if (to.reason == Certificate::Reason::cut) {
    in.octets(from.getCutList(), to.cut_list, "the cut list");
  }
}

void read(Reading& in, wire::CutList::Reader from, CutList& to) {
  const auto logs = from.getLogs();
  in.require(logs.size() > 0, Errc::malformed, "a cut list without a log");
  if (!in.list(logs.size(), limits::cut_logs_max, "logs")) return;
  for (const auto entry : logs) {
    CutLog& log = to.logs.emplace_back();
    in.octets(entry.getLog(), log.log, "a log");
    log.size = entry.getSize();
    in.require(log.size <= limits::tree_size_max, Errc::too_large, "a log is too large");
    in.octets(entry.getRoot(), log.root, "a root");
  }
  const bool in_order =
      std::ranges::adjacent_find(to.logs, std::greater_equal<>(), &CutLog::log) == to.logs.end();
  in.require(in_order, Errc::malformed, "the logs are not in order");
}

void read(Reading& in, wire::Enrolment::Reader from, Enrolment& to) {
  in.octets(from.getNetwork(), to.network, "the network");
  in.octets(from.getMember(), to.member, "the member");
  to.number = from.getNumber();
  in.require(to.number > 0, Errc::malformed, "enrolments are counted from 1");
  in.octets(from.getAuthor(), to.author, "the author");
  to.scopes = from.getScopes();
  in.require(to.scopes <= all_scopes, Errc::malformed, "a scope is none of this version");
  in.octets(from.getSteward(), to.steward, "the steward");
}

void read(Reading& in, wire::Profile::Reader from, Profile& to) {
  in.line(from.getCode(), to.code, limits::code_bytes_max, "the code");
  in.require(is_member_code(to.code), Errc::malformed,
             "the code is not of capital letters, digits and hyphens");
  in.line(from.getName(), to.name, limits::name_bytes_max, "the name");
  in.require(!to.name.empty(), Errc::malformed, "the name is empty");
  in.line(from.getRole(), to.role, limits::name_bytes_max, "the role");
  const auto addresses = from.getAddresses();
  if (!in.list(addresses.size(), limits::addresses_max, "addresses")) return;
  for (const auto address : addresses) {
    in.text(address, to.addresses.emplace_back(), limits::name_bytes_max, "an address");
    in.require(is_address(to.addresses.back()), Errc::malformed, "an address is not host:port");
  }
}

void read(Reading& in, wire::Rule::Reader from, Rule& to) {
  in.word(from.getForm(), to.form, Rule::Form::all, "the rule");
  to.k = from.getK();
  const bool counts = to.form == Rule::Form::k_of_n;
  in.require(counts ? to.k >= 1 && to.k <= limits::members_max : to.k == 0, Errc::malformed,
             "the rule's number does not fit its form");
}

void read(Reading& in, wire::Charter::Reader from, Charter& to) {
  in.line(from.getName(), to.name, limits::name_bytes_max, "the network's name");
  in.require(!to.name.empty(), Errc::malformed, "the network's name is empty");
  in.text(from.getAim(), to.aim, limits::aim_bytes_max, "the aim");
  read(in, from.getAdmit(), to.admit);
  read(in, from.getPart(), to.part);
  read(in, from.getCharter(), to.charter);
  read(in, from.getSpace(), to.space);
  read(in, from.getSuccession(), to.succession);
}

void read(Reading& in, wire::Founding::Reader from, Founding& to) {
  read(in, from.getProfile(), to.profile);
  read(in, from.getCharter(), to.charter);
}

Effect read_effect(Reading& in, wire::Effect::Reader from) {
  const auto subject = [&](capnp::Data::Reader member, auto effect) {
    in.octets(member, effect.member, "the subject of an effect");
    return effect;
  };
  switch (from.which()) {
    case wire::Effect::ADMIT: {
      Admit admit;
      in.bytes(from.getAdmit().getCertificate(), admit.certificate, limits::statement_bytes_max,
               "the certificate");
      read(in, from.getAdmit().getProfile(), admit.profile);
      return admit;
    }
    case wire::Effect::PART:
      return subject(from.getPart(), Part{});
    case wire::Effect::PAUSE:
      return subject(from.getPause(), Pause{});
    case wire::Effect::RESUME:
      return subject(from.getResume(), Resume{});
    case wire::Effect::CHARTER: {
      ChangeCharter change;
      read(in, from.getCharter(), change.charter);
      return change;
    }
  }
  in.require(false, Errc::malformed, "an effect is none of this version");
  return Part{};
}

void read(Reading& in, wire::Proposal::Reader from, Proposal& to) {
  in.octets(from.getBasis(), to.basis, "the basis");
  const auto effects = from.getEffects();
  in.require(effects.size() > 0, Errc::malformed, "a proposal without an effect");
  if (!in.list(effects.size(), limits::effects_max, "effects")) return;
  for (const auto effect : effects) to.effects.push_back(read_effect(in, effect));
}

void read_round(Reading& in, std::uint32_t from, std::uint32_t& to) {
  to = from;
  in.require(to >= 1, Errc::malformed, "rounds are counted from 1");
  in.require(to <= limits::round_max, Errc::too_large, "the round is too high");
}

void read(Reading& in, wire::Consent::Reader from, Consent& to) {
  in.octets(from.getProposal(), to.proposal, "the proposal");
  read_round(in, from.getRound(), to.round);
  in.word(from.getWord(), to.word, Consent::Word::agree, "the word");
}

void read(Reading& in, wire::Seen::Reader from, Seen& to) {
  in.octets(from.getProposal(), to.proposal, "the proposal");
  read_round(in, from.getRound(), to.round);
}

void read(Reading& in, wire::KeyGrant::Reader from, KeyGrant& to) {
  in.octets(from.getSpace(), to.space, "the space");
  in.octets(from.getBasis(), to.basis, "the basis");
  in.octets(from.getKeyIdG(), to.key_id_g, "the id of the governance key");
  in.octets(from.getKeyIdR(), to.key_id_r, "the id of the record key");
  const auto boxes = from.getBoxes();
  in.require(boxes.size() > 0, Errc::malformed, "a grant without a box");
  if (!in.list(boxes.size(), limits::members_max, "boxes")) return;
  for (const auto box : boxes) {
    in.bytes(box, to.boxes.emplace_back(), key_grant_box_bytes, "a box");
    in.require(to.boxes.back().size() == key_grant_box_bytes, Errc::malformed,
               "a box has the wrong length");
  }
}

/// The one place that sees Cap'n Proto's exceptions: its getters may throw anywhere.
template <class Root, class Value>
Result<Value> from_segment(BytesView bytes, std::size_t bytes_max, const char* what) {
  const auto refuse = [&](const char* why) {
    return fail(Errc::malformed, std::string(what) + ": " + why);
  };
  if (bytes.size() > bytes_max) return fail(Errc::too_large, std::string(what) + " is too long");
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return refuse("not a whole number of words");
  }

  // Cap'n Proto wants words; what comes from a socket or a map is aligned to nothing.
  const std::size_t size = bytes.size() / sizeof(capnp::word);
  auto aligned = kj::heapArray<capnp::word>(size);
  std::memcpy(aligned.asBytes().begin(), bytes.data(), bytes.size());
  const kj::ArrayPtr<const capnp::word> segment = aligned.asPtr();
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * size + 64;
  options.nestingLimit = nesting_max;

  Value value;
  try {
    capnp::SegmentArrayMessageReader message(kj::arrayPtr(&segment, 1), options);
    Reading in;
    read(in, message.getRoot<Root>(), value);
    if (in.error()) return fail(*in.error(), what);
  } catch (const kj::Exception&) {
    return refuse("not a message of this format");
  }

  // There is one encoding of each value, and it is canonical. (Cap'n Proto's own test of canonical
  // form lets a null pointer and an empty text, or a field of a later version, pass.)
  const bool is_same =
      with_segment<Root>(value, [&](BytesView encoded) { return equal(encoded, bytes); });
  if (!is_same) return refuse("not the one encoding of its content");
  return value;
}

}  // namespace

bool is_kind_word(std::string_view word) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !word.empty() && word.size() <= limits::name_bytes_max && lower(word.front()) &&
         std::ranges::all_of(
             word, [&](char c) { return lower(c) || c == '_' || (c >= '0' && c <= '9'); });
}

const char* name(Consent::Word word) {
  if (word == Consent::Word::agree) return "agree";
  return word == Consent::Word::stand_aside ? "stand aside" : "object";
}

bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (address.size() > limits::name_bytes_max || colon == std::string_view::npos) return false;
  const auto port = parse_decimal(address.substr(colon + 1), 65'535);
  std::string_view host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // IPv6, whose colons need the brackets.
  } else if (host.find(':') != std::string_view::npos) {
    return false;
  }
  return port && *port > 0 && !host.empty() && std::ranges::all_of(host, [](char c) {
           return c > ' ' && c <= '~' && c != '[' && c != ']';
         });
}

Bytes encode(const Record& record) { return to_segment<wire::Record>(record); }
Bytes encode(const Certificate& value) { return to_segment<wire::Certificate>(value); }
Bytes encode(const CutList& list) { return to_segment<wire::CutList>(list); }
Bytes encode(const Enrolment& enrolment) { return to_segment<wire::Enrolment>(enrolment); }
Bytes encode(const Profile& profile) { return to_segment<wire::Profile>(profile); }
Bytes encode(const Founding& founding) { return to_segment<wire::Founding>(founding); }
Bytes encode(const Proposal& proposal) { return to_segment<wire::Proposal>(proposal); }
Bytes encode(const Consent& consent) { return to_segment<wire::Consent>(consent); }
Bytes encode(const Seen& seen) { return to_segment<wire::Seen>(seen); }
Bytes encode(const KeyGrant& grant) { return to_segment<wire::KeyGrant>(grant); }

Result<Record> decode_record(BytesView bytes) {
  return from_segment<wire::Record, Record>(bytes, limits::payload_bytes_max, "record");
}
Result<Certificate> decode_certificate(BytesView bytes) {
  return from_segment<wire::Certificate, Certificate>(bytes, limits::statement_bytes_max,
                                                      "certificate");
}
Result<CutList> decode_cut_list(BytesView bytes) {
  return from_segment<wire::CutList, CutList>(bytes, limits::cut_list_bytes_max, "cut list");
}
Result<Enrolment> decode_enrolment(BytesView bytes) {
  return from_segment<wire::Enrolment, Enrolment>(bytes, limits::statement_bytes_max, "enrolment");
}
Result<Profile> decode_profile(BytesView bytes) {
  return from_segment<wire::Profile, Profile>(bytes, limits::payload_bytes_max, "profile");
}
Result<Founding> decode_founding(BytesView bytes) {
  return from_segment<wire::Founding, Founding>(bytes, limits::payload_bytes_max, "founding");
}
Result<Proposal> decode_proposal(BytesView bytes) {
  return from_segment<wire::Proposal, Proposal>(bytes, limits::payload_bytes_max, "proposal");
}
Result<Consent> decode_consent(BytesView bytes) {
  return from_segment<wire::Consent, Consent>(bytes, limits::payload_bytes_max, "consent");
}
Result<Seen> decode_seen(BytesView bytes) {
  return from_segment<wire::Seen, Seen>(bytes, limits::payload_bytes_max, "seen");
}
Result<KeyGrant> decode_key_grant(BytesView bytes) {
  return from_segment<wire::KeyGrant, KeyGrant>(bytes, limits::payload_bytes_max, "key grant");
}

}  // namespace kith
