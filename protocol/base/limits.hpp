#pragma once

#include <cstddef>
#include <cstdint>

/// Every bound of kith, each with its reason. Checked before memory is allocated for what it
/// bounds.
namespace kith::limits {

inline constexpr std::uint64_t ki = 1024;
inline constexpr std::uint64_t mi = 1024 * 1024;

// The log.
inline constexpr std::size_t tile_hashes = 256;               // C2SP tlog-tiles.
inline constexpr std::size_t payload_bytes_max = mi;          // Larger content is an attachment.
inline constexpr std::size_t document_bytes_max = 960 * ki;   // Leaves room for record, path, seal.
inline constexpr std::size_t path_hashes_max = 63;            // Of a proof: a tree is no higher.
inline constexpr std::size_t leaf_bytes_max = 128;            // Five short lines; 90 in practice.
inline constexpr std::uint64_t tree_size_max = (1ULL << 62);  // Outside tools use int64.
inline constexpr std::size_t batch_records_max = 65'536;      // One author signature.
inline constexpr std::size_t note_bytes_max = 16 * ki;        // 31 cosignatures of about 200 bytes.
inline constexpr std::size_t evidence_bytes_max = 8 * ki;     // Two statements, notes, a path.
inline constexpr std::size_t evidence_pieces_max = 1'024;     // Kept, handed out, or in an export.
inline constexpr std::size_t certificates_max =
    64;                                            // Of one member: each may be tried on its words.
inline constexpr std::size_t note_lines_max = 64;  // Signature lines of one note.

// Membership.
inline constexpr std::size_t witnesses_max = 31;  // Of one log.
inline constexpr std::size_t members_max = 16'384;
inline constexpr std::size_t effects_max = 64;            // Of one proposal.
inline constexpr std::size_t open_proposals_max = 4'096;  // On one basis.
inline constexpr std::uint32_t round_max = 1'000'000;
inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t code_bytes_max = 16;
inline constexpr std::size_t aim_bytes_max = 4 * ki;
inline constexpr std::size_t addresses_max = 8;
inline constexpr std::size_t relays_max = 4;
inline constexpr std::size_t statement_bytes_max = 960;  // Must fit into handshake message 3.
inline constexpr std::size_t cut_logs_max = 1'024;       // Own logs: the high-water file holds 909.
inline constexpr std::size_t cut_list_bytes_max = 128 * ki;   // So many of 88 bytes.
inline constexpr std::size_t announced_certificates_max = 3;  // Who signed, who cut, the newest.
inline constexpr std::size_t heard_certificates_max = 8;  // Of one member, beside those in its log.
inline constexpr std::size_t former_transport_keys_max = 4;  // That still answer.
inline constexpr std::size_t unknown_words_max = 1'024;  // Cosignatures by no known key, of a peer.
inline constexpr std::size_t invitations_max = 64;       // Open at once; each costs a trial.
inline constexpr std::uint64_t invitation_ms = 30ULL * 24 * 3600 * 1000;

// The channel. Deadlines in milliseconds.
inline constexpr std::size_t frame_bytes_max = 65'535;
inline constexpr std::size_t frame_bytes_aim = 16 * ki;  // Messages are packed up to about this.
inline constexpr std::size_t frame_padding = 64;
inline constexpr std::size_t message_bytes_max = mi + 64 * ki;
inline constexpr std::uint64_t rekey_frames = 1ULL << 14;
inline constexpr std::uint64_t frames_max = 1ULL << 32;
inline constexpr std::uint32_t first_message_ms = 3'000;
inline constexpr std::uint32_t handshake_ms = 10'000;
inline constexpr std::uint32_t idle_ms = 90'000;
inline constexpr std::uint32_t keepalive_ms = 30'000;
inline constexpr std::size_t half_open_max = 64;
inline constexpr std::size_t half_open_per_source_max = 8;
inline constexpr std::uint32_t accepts_per_second = 20;      // Of one source address ...
inline constexpr std::uint32_t accepts_burst = 5;            // ... above which it waits.
inline constexpr std::size_t peer_queue_bytes_max = 8 * mi;  // Slower readers are dropped.

// Sync.
inline constexpr std::size_t fetch_window = 12;           // Requests in flight for one peer.
inline constexpr std::size_t bundles_in_flight_max = 24;  // Of all logs and peers: about 12 MiB.
inline constexpr std::uint64_t look_again_ms = 5'000;     // For what peers hold and we do not.
inline constexpr std::uint64_t answer_ms = 30'000;        // Without any answer a peer is dropped.
inline constexpr std::size_t answer_payload_bytes = 512 * ki;  // Payloads in one Entries.
inline constexpr std::size_t push_bytes_max = 64 * ki;         // Larger appends are announced only.
inline constexpr std::size_t logs_max = 65'536;
inline constexpr std::size_t entries_per_list_max = 4'096;  // Log summaries of one message.

// Disclosure of keys to somebody outside.
inline constexpr std::size_t disclosed_records_max = 1'000;  // Of one disclosure or consent to it.
inline constexpr std::size_t disclosed_keys_max = 1'024;     // Pairs: one for each space key.
inline constexpr std::size_t recipient_bytes_max = 200;
inline constexpr std::size_t purpose_bytes_max = ki;

// Local clients.
inline constexpr std::size_t clients_max = 128;
inline constexpr std::size_t waiting_acts_max =
    1'024;  // Of publishing, while nothing is signed ...
inline constexpr std::size_t waiting_bytes_max = 256 * mi;  // ... and what they hold.
// What is on its way when enough have answered is waited for so long before something is signed.
inline constexpr std::uint64_t asking_patience_ms = 60'000;
inline constexpr std::size_t local_message_bytes_max = 64 * mi;  // 65,536 records of 1 KiB.
// A client gives up a daemon that is silent for so long ...
inline constexpr std::uint32_t local_patience_ms = 60'000;
// ... which therefore says in between that it is at work.
inline constexpr std::uint32_t local_reminder_ms = 10'000;

}  // namespace kith::limits
