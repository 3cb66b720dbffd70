#include "tests/client/bench.hpp"

#include <cstdlib>
#include <fstream>

#include "client/key_store.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"

namespace kith::client {

Result<local::Answer> FakeDaemon::ask(const local::Request& request,
                                      const OnProgress& on_progress) {
  asked.push_back(request);
  if (unreachable) return fail(Errc::unavailable, "no daemon answers at /nowhere; start it");
  for (const auto& each : progress) on_progress(each);
  if (std::holds_alternative<local::PublishRequest>(request)) {
    for (const auto& [index, answer] : then_) answers_.insert_or_assign(index, answer);
  }
  if (auto answer = first ? first(request) : std::nullopt) return *answer;
  const auto at = answers_.find(request.index());
  if (at == answers_.end()) return local::Refusal{Errc::not_found, "the test has no such answer"};
  return at->second;
}

Result<local::Answer> FakeDaemon::next() {
  if (arrivals.empty()) return fail(Errc::unavailable, "the daemon ended the connection");
  const local::Answer arrival = arrivals.front();
  arrivals.pop_front();
  return arrival;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "kith-client-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Bench::Bench() {
  initialise_crypto();
  setenv("TZ", "UTC", 1);
  desk.key_file = folder.path() / "config" / "author.kith-key";
  desk.state_folder = folder.path() / "state";
  desk.socket = "/run/kith/kithd.sock";
  desk.working_folder = folder.path();
  desk.now = [] { return Millis{1'772'000'000'000}; };
  // Different every time, and the same in every run.
  desk.random = [counter = std::uint8_t{1}](std::span<std::uint8_t> to) mutable {
    for (std::uint8_t& byte : to) byte = counter++;
  };
  desk.wait = [this](std::chrono::milliseconds) { ++waits; };
  desk.ask_secret = [this](const std::string&) -> Result<std::string> {
    if (secrets.empty()) return fail(Errc::unavailable, "there is no terminal");
    std::string secret = secrets.front();
    secrets.pop_front();
    return secret;
  };
  desk.edit = [this](const std::string& initial) -> Result<std::string> {
    shown_in_editor = initial;
    return edited + initial;
  };
}

Outcome Bench::run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in(input);
  Console console{out, err, in};
  console.out_is_terminal = console.err_is_terminal = console.in_is_terminal = terminal;
  console.width = terminal ? width : 0;
  auto parsed = parse_command_line(arguments, console);
  if (const auto* done = std::get_if<Exit>(&parsed)) return {*done, out.str(), err.str()};
  const auto& invocation = std::get<Invocation>(parsed);
  console.json = invocation.json;
  const Exit exit = invocation.run(daemon, console, desk);
  return {exit, out.str(), err.str()};
}

PublicKey Bench::make_author() { return *make_key(desk, false); }

void Bench::write(const std::string& name, const std::string& content) const {
  std::ofstream(folder.path() / name, std::ios::binary) << content;
}

std::string Bench::read(const std::string& name) const {
  std::ifstream in(folder.path() / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> keys_of(const nlohmann::json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  std::ranges::sort(keys);
  return keys;
}

bool is_harmless(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7F) return false;
  }
  return is_utf8(text) && text.find("\xC2\x9B") == std::string::npos &&
         text.find("\xE2\x80\xAE") == std::string::npos;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

local::StatusAnswer some_status() {
  local::StatusAnswer status;
  status.version = "0.1.0";
  status.state = "member";
  status.network.bytes.fill(1);
  status.network_name = "Learning Network";
  status.aim = "to learn from one another";
  status.member.bytes.fill(2);
  status.code = "ASH";
  status.commons_log.bytes.fill(3);
  status.decision.bytes.fill(4);
  status.decisions = 5;
  status.members = 6;
  status.peers_connected = 4;
  status.log_size = 12;
  status.agreed_size = 11;
  status.records = 40;
  status.disk_bytes = 3 * 1024 * 1024;
  status.last_sequence = 77;
  return status;
}

local::RecordSummary some_entry(std::uint8_t number, const std::string& title) {
  local::RecordSummary entry;
  entry.id.bytes.fill(number);
  entry.member = "CALD";
  entry.kind = "practice";
  entry.author.bytes.fill(9);
  entry.time = 1'771'000'000'000;
  entry.title = title;
  entry.body_bytes = 10;
  entry.index = number;
  entry.sequence = number;
  return entry;
}

local::ShowAnswer some_practice() {
  local::ShowAnswer shown;
  shown.record = some_entry(7, "Falls on the night shift");
  shown.record.replies = 2;
  shown.body = to_bytes(view(good_practice()));
  shown.confirmed = 4;
  shown.witnesses = 6;
  return shown;
}

local::CandidateRow some_candidate(const std::string& code) {
  Seed seed;
  seed.bytes.fill(static_cast<std::uint8_t>(code.empty() ? 0 : code[0]));
  const SigningKey recovery(seed);
  Certificate certificate;
  certificate.network.bytes.fill(1);
  certificate.member = MemberId::from(recovery.public_key().view());
  certificate.number = 1;
  certificate.log_key = certificate.witness_key = certificate.daemon_key = certificate.steward =
      recovery.public_key();
  DhSecret secret;
  secret.bytes.fill(8);
  certificate.transport_key = certificate.sealing_key = dh_public(secret);

  local::CandidateRow candidate;
  candidate.member = certificate.member;
  candidate.profile = {code, code + " Hospitals", "hospital", {"kith.example:7400"}};
  candidate.certificate = sign_certificate(certificate, recovery);
  candidate.since = 1'771'000'000'000;
  return candidate;
}

local::ProposalRow some_proposal(std::uint8_t number) {
  local::ProposalRow proposal;
  proposal.id.bytes.fill(number);
  proposal.proposer = "CALD";
  proposal.effects = {"admit ZZC Zedd Hospitals (fingerprint able baker)"};
  proposal.rule = "a majority";
  proposal.words = {{"CALD", Consent::Word::agree}};
  proposal.electors = 5;
  proposal.our_round = 2;
  proposal.explanation = "two more members need to agree";
  return proposal;
}

std::string words_of(const MemberId& member) {
  std::string all;
  for (const std::string& word : fingerprint_words(member)) all += (all.empty() ? "" : " ") + word;
  return all;
}

std::string good_practice() {
  return "---\n"
         "kind: practice\n"
         "title: Falls on the night shift\n"
         "problem: Nobody saw who was about to fall.\n"
         "procedures: Look every hour.\n"
         "results: Half as many falls.\n"
         "contact_role: ward manager of A4\n"
         "---\n"
         "\n"
         "More words.\n";
}

}  // namespace kith::client
