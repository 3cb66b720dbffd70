#pragma once

#include "protocol/records/record.hpp"
#include "tests/simulation/world.hpp"

namespace kith::simulation {

/// One connection: two ends, two directions that keep their order.
struct World::Link {
  std::size_t dialler = 0;
  std::size_t listener = 0;
  daemon::PeerId dialler_peer = 0;   // As the dialler calls it.
  daemon::PeerId listener_peer = 0;  // As the listener calls it.
  Time dialler_last = 0;             // When the last message of that direction arrives.
  Time listener_last = 0;
  bool open = true;
  bool doomed = false;  // One direction is silent: it breaks in a while.
};

/// One member: a machine with two disks, a person with an author key, and a daemon while it is up.
class World::Node : public daemon::Host {
 public:
  Node(World& world, std::size_t index);

  void start();
  void crash();
  [[nodiscard]] bool up() const { return replica_ != nullptr; }
  [[nodiscard]] daemon::Replica& replica() { return *replica_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const PublicKey& steward() const { return author_.public_key(); }
  void become(daemon::Identity identity, const Seed& recovery);
  [[nodiscard]] const Seed& recovery() const { return recovery_; }
  /// All that the machine held; not what its people have.
  void lose_disk();
  /// The same member on another machine, with what the first had on its disk.
  void become_copy_of(const Node& other, std::size_t index);
  /// Nothing happens on it until it goes on, as if no time had passed but for the wall clock.
  void stop_the_clock();
  void go_on();
  [[nodiscard]] bool has_identity() const { return identity_.has_value(); }
  [[nodiscard]] const daemon::Identity& identity() const { return *identity_; }
  [[nodiscard]] MemberId member_id() const { return identity_->member; }

  /// A person looks at what waits and acts: proposes candidates, consents, publishes, replies.
  void person_acts(bool publishes);
  void invite(std::function<void(const std::string&)> then);
  [[nodiscard]] local::StatusAnswer status();
  [[nodiscard]] local::MembersAnswer members();
  /// Traces what this member knows, for a failing seed.
  void describe();
  void ask(local::Request request, std::function<void(local::Answer)> answer);

  // Host
  void send(daemon::PeerId peer, Bytes message) override;
  void drop(daemon::PeerId peer, const Error& why) override;
  Millis now() override;
  std::uint64_t monotonic_ms() override;
  void post(std::function<void()> later) override;
  void random(std::span<std::uint8_t> out) override;
  void write(daemon::WriteJob job) override;
  void write_views(std::function<void(storage::WriteTxn&)> work,
                   std::function<void()> done) override;
  void compute(std::function<void()> work, std::function<void()> done) override;
  void compute_later(std::function<void()> work, std::function<void()> done) override {
    compute(std::move(work), std::move(done));
  }
  const storage::Database& log() override { return log_; }
  const storage::Database& views() override { return *views_; }
  std::uint64_t disk_bytes() override { return 0; }
  void save(const daemon::Identity& identity) override { identity_ = identity; }
  void wake_dialer() override;
  void log_line(const std::string& line) override;
  Result<bool> note_in_trail(const std::string&, const daemon::TrailFields&) override {
    return true;
  }

  testing::MemoryDatabase& disk() { return log_; }
  storage::HighWaterMarks& marks() { return marks_; }

 private:
  friend class World;
  /// Runs `what` later unless the machine went down in between.
  void later(Time delay, std::function<void()> what);
  void tick();
  void commit();
  [[nodiscard]] std::shared_ptr<Link> link_of(daemon::PeerId peer) const;
  void consent(const local::ProposalsAnswer& waiting);
  void publish_documents();
  // forger.cpp
  void forge();
  void spoil(Bytes& message);
  void let_in(const PublicKey& author);
  void publish(std::vector<Record> records, bool acknowledge);
  [[nodiscard]] Record record(const std::string& kind, Bytes body);

  World& world_;
  std::size_t index_;
  std::string code_;
  SigningKey author_;
  std::optional<daemon::Identity> identity_;
  Seed recovery_;
  testing::MemoryDatabase log_;
  std::unique_ptr<testing::MemoryDatabase> views_;
  storage::HighWaterMarks marks_;
  std::unique_ptr<daemon::Replica> replica_;
  std::uint64_t life_ = 0;  // Counts restarts: what a dead process asked for never returns.
  std::vector<daemon::WriteJob> queue_;
  bool committing_ = false;
  Time views_written_ = 0;  // When the last change to the views will be done.
  bool dialing_ = false;
  int asking_ = 0;              // Requests of the person without an answer.
  std::vector<RecordId> read_;  // Records to reply to.
  std::set<PublicKey> let_in_;  // Others' authors that a forger enrolled as its own.
  std::int64_t clock_skew_ms_ = 0;
  std::optional<Time> stopped_at_;
  Time stood_still_ = 0;
  std::vector<std::function<void()>> held_back_;
};

}  // namespace kith::simulation
