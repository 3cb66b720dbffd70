#include "tests/bench/support/network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "daemon/random.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "tests/bench/support/figure.hpp"

namespace kith::bench {
namespace {

constexpr auto patience = std::chrono::seconds(60);

std::string kithd() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kithd";
}

/// Starts a program with its output in `log`; returns its process.
pid_t spawn(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  must(failed == 0, "cannot start " + words.front());
  return pid;
}

Key32 random_seed() {
  Key32 seed;
  daemon::fill_random(seed.bytes);
  return seed;
}

}  // namespace

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  must(::bind(socket, where, size) == 0 && ::getsockname(socket, where, &size) == 0,
       "no free port on 127.0.0.1");
  ::close(socket);
  return ntohs(address.sin_port);
}

Member::Member(std::string code, std::filesystem::path folder, std::uint16_t address_port)
    : code_(std::move(code)), folder_(std::move(folder)), address_port_(address_port) {
  Seed seed;
  seed.bytes = random_seed().bytes;
  steward_.emplace(seed);
}

Member::~Member() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Member::init(std::vector<std::string> how) {
  std::vector<std::string> words{kithd(), "--dir", folder_, "init"};
  words.insert(words.end(), how.begin(), how.end());
  const std::vector<std::string> profile{
      "--code",        code_,
      "--member-name", code_ + " Hospitals",
      "--role",        "trust",
      "--steward",     encode_author(steward_->public_key()),
      "--address",     "127.0.0.1:" + std::to_string(address_port_),
      "--words-file",  folder_.string() + ".words"};
  words.insert(words.end(), profile.begin(), profile.end());
  int status = 0;
  ::waitpid(spawn(words, folder_.string() + ".log"), &status, 0);
  must(status == 0, "kithd init failed: see " + folder_.string() + ".log");
}

void Member::found() { init({"--found", "--name", "Bench", "--aim", "To be measured."}); }

void Member::join(const std::string& invitation) {
  const std::string file = folder_.string() + ".kith-invite";
  std::ofstream(file) << invitation;
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  init({"--join", file});
}

void Member::start(std::uint16_t listen_port) {
  std::vector<std::string> words{kithd(), "--dir", folder_, "run"};
  if (listen_port == 0) {
    words.emplace_back("--no-listen");
  } else {
    words.emplace_back("--listen");
    words.emplace_back("127.0.0.1:" + std::to_string(listen_port));
  }
  pid_ = spawn(words, folder_.string() + ".log");
  connection_ = std::make_unique<client::Connection>(socket());
  wait_until(code_ + " answers", [&] {
    const auto answer = connection_->ask(local::StatusRequest{}, [](const auto&) {});
    return answer.has_value();
  });
}

void Member::stop() {
  connection_.reset();
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

local::Answer Member::ask_any(const local::Request& request) {
  auto answer = connection_->ask(request, [](const auto&) {});
  must(answer.has_value(), answer ? "" : answer.error().detail);
  const auto* refusal = std::get_if<local::Refusal>(&*answer);
  must(refusal == nullptr, refusal != nullptr ? refusal->said : "");
  return std::move(*answer);
}

local::StatusAnswer Member::status() { return ask<local::StatusAnswer>(local::StatusRequest{}); }

std::optional<local::MemberRow> Member::row_of(const std::string& code) {
  const auto all = ask<local::MembersAnswer>(local::MembersRequest{});
  for (const auto& row : all.members) {
    if (row.code == code) return row;
  }
  return std::nullopt;
}

void wait_until(const std::string& what, const std::function<bool()>& is_true,
                std::chrono::milliseconds look_every) {
  const auto end = Clock::now() + patience;
  while (!is_true()) {
    must(Clock::now() < end, "waited a minute in vain until " + what);
    std::this_thread::sleep_for(look_every);
  }
}

namespace {

Bytes new_record(Member& member, const local::StatusAnswer& status, const std::string& kind,
                 Bytes body) {
  Record record;
  daemon::fill_random(record.nonce.bytes);
  record.kind = kind;
  record.body = std::move(body);
  record.author = member.steward().public_key();
  record.time = 1'800'000'000'000;
  record.network = status.network;
  record.log = status.commons_log;
  return encode(record);
}

void say(Member& member, const std::vector<Bytes>& records) {
  const auto status = member.status();
  local::PublishRequest request;
  for (const SignedRecord& one :
       sign_batch(status.network, status.commons_log, records, member.steward())) {
    request.texts.push_back(encode_text(one));
  }
  (void)member.ask<local::PublishAnswer>(request);
}

local::ProposalsAnswer proposals(Member& member) {
  return member.ask<local::ProposalsAnswer>(local::ProposalsRequest{});
}

/// Front matter of the five fields that a practice must have, filled with text up to 1 KiB.
Bytes practice(std::size_t number) {
  std::string text =
      "---\nkind: practice\ntitle: Practice number " + std::to_string(number) +
      "\nproblem: Patients wait for a bed that is free.\nprocedures: A call at eight, at noon and "
      "at "
      "four.\nresults: Fewer hours between the decision and the bed.\ncontact_role: Site "
      "manager\n---\n";
  constexpr std::string_view letters = "abcdefghijklmnop";
  Bytes random(practice_bytes);
  daemon::fill_random(random);
  for (std::size_t i = 0; text.size() < practice_bytes - 1; ++i) {
    text += i % 64 == 63 ? '\n' : letters[random[i % random.size()] % letters.size()];
  }
  text += '\n';
  return to_bytes(view(text));
}

}  // namespace

void admit(Member& newcomer, std::uint16_t listen_port, Member& sponsor,
           const std::vector<Member*>& electors) {
  wait_until(sponsor.code() + " is a member", [&] { return sponsor.status().state == "member"; });
  newcomer.join(sponsor.ask<local::InviteAnswer>(local::InviteRequest{}).invitation);
  newcomer.start(listen_port);
  wait_until(newcomer.code() + " reaches its sponsor",
             [&] { return !proposals(sponsor).candidates.empty(); });
  const auto open = proposals(sponsor);
  Proposal proposal;
  proposal.basis = open.basis;
  const auto& candidate = open.candidates.front();
  proposal.effects.emplace_back(Admit{candidate.certificate, candidate.profile});
  const Bytes asked = new_record(sponsor, sponsor.status(), "proposal", encode(proposal));
  const RecordId id = record_id(asked);
  for (Member* elector : electors) {
    const auto decided = [&] { return elector->row_of(newcomer.code()).has_value(); };
    wait_until(elector->code() + " sees the proposal", [&] {
      return elector == &sponsor || decided() ||
             std::ranges::any_of(proposals(*elector).proposals,
                                 [&](const auto& row) { return row.id == id; });
    });
    if (elector != &sponsor && decided()) continue;
    const auto status = elector->status();
    std::vector<Bytes> said;
    if (elector == &sponsor) said.push_back(asked);
    said.push_back(
        new_record(*elector, status, "consent", encode(Consent{id, 1, Consent::Word::agree})));
    say(*elector, said);
  }
  wait_until(newcomer.code() + " is a member", [&] { return newcomer.status().state == "member"; });
}

std::vector<Bytes> signed_practices(Member& member, std::size_t count, std::size_t batch) {
  const auto status = member.status();
  std::vector<Bytes> texts;
  texts.reserve(count);
  while (texts.size() < count) {
    std::vector<Bytes> records;
    while (records.size() < batch && texts.size() + records.size() < count) {
      records.push_back(
          new_record(member, status, "practice", practice(texts.size() + records.size())));
    }
    for (const SignedRecord& one :
         sign_batch(status.network, status.commons_log, records, member.steward())) {
      texts.push_back(encode_text(one));
    }
  }
  return texts;
}

void publish(Member& member, const std::vector<Bytes>& texts) {
  constexpr std::size_t request_texts = 10'000;
  for (std::size_t first = 0; first < texts.size(); first += request_texts) {
    const auto begin = texts.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = std::min(request_texts, texts.size() - first);
    (void)member.ask<local::PublishAnswer>(
        local::PublishRequest{{begin, begin + static_cast<std::ptrdiff_t>(count)}});
  }
}

double private_mib(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  double kib = -1;
  for (std::string line; std::getline(rollup, line);) {
    if (line.starts_with("Private_Dirty:")) kib = std::strtod(line.c_str() + 14, nullptr);
  }
  must(kib >= 0, "no memory figures of process " + std::to_string(pid));
  return kib / 1024;
}

double cpu_seconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string all;
  std::getline(file, all);
  // Behind the name in brackets: state is field 3, user and system time are 14 and 15.
  std::string rest = all.substr(all.rfind(')') + 2);
  std::size_t at = 0;
  for (int field = 3; field < 14; ++field) at = rest.find(' ', at) + 1;
  char* end = nullptr;
  const double user = std::strtod(rest.c_str() + at, &end);
  const double system = std::strtod(end, nullptr);
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace kith::bench
