#include "protocol/schema/peer_codec.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/schema/peer.capnp.h"

namespace kith::peer {
namespace {

namespace wire = kith_wire_peer;
using Wire = wire::Message;

/// Thrown by the readers below and caught in decode_message, where Cap'n Proto's own end too.
struct Refused {
  Error error;
};

capnp::Data::Reader wire_data(BytesView bytes) { return {bytes.data(), bytes.size()}; }

BytesView bytes(capnp::Data::Reader from, std::size_t max) {
  if (from.size() > max) throw Refused{fail(Errc::too_large, "a field exceeds its limit")};
  return {from.begin(), from.size()};
}

template <class Id>
Id octets(capnp::Data::Reader from) {
  if (from.size() != Id::size) throw Refused{fail(Errc::malformed, "a field has a wrong length")};
  return Id::from(BytesView(from.begin(), from.size()));
}

std::string checked_text(capnp::Text::Reader from, std::size_t max) {
  if (from.size() > max) throw Refused{fail(Errc::too_large, "a text exceeds its limit")};
  std::string value(from.begin(), from.size());
  if (!is_utf8(value)) throw Refused{fail(Errc::malformed, "a text is not UTF-8")};
  return value;
}

template <class List>
std::uint32_t count(const List& list, std::size_t max) {
  if (list.size() > max) throw Refused{fail(Errc::too_large, "a list exceeds its limit")};
  return list.size();
}

std::uint64_t tree_size(std::uint64_t value) {
  if (value > limits::tree_size_max) throw Refused{fail(Errc::too_large, "a size is too large")};
  return value;
}

// ---- encoding: one overload for each alternative ---------------------------------------------

void put(wire::LogSummary::Builder to, const LogSummary& from) {
  to.setLog(wire_data(from.log.view()));
  to.setSize(from.size);
  to.setRoot(wire_data(from.root.view()));
  to.setAgreed(from.agreed);
  if (!from.gaps.is_zero()) to.setGaps(wire_data(from.gaps.view()));
  to.setFrozen(from.frozen);
}

void put(wire::Cosignature::Builder to, const Cosignature& from) {
  to.setSize(from.size);
  to.setRoot(wire_data(from.root.view()));
  to.setWitness(wire_data(from.witness.view()));
  to.setTimeSeconds(from.time_s);
  to.setSignature(wire_data(from.signature.view()));
}

void put_indices(capnp::List<std::uint64_t>::Builder to, const std::vector<std::uint64_t>& from) {
  for (std::uint32_t i = 0; i < to.size(); ++i) to.set(i, from[i]);
}

void put(Wire::Builder to, const Welcome& from) {
  auto group = to.initWelcome();
  group.setDigest(wire_data(from.digest.view()));
  group.setLastCommon(wire_data(from.last_common.view()));
  group.setCertificateNumber(from.certificate_number);
  group.setYourCertificateNumber(from.your_certificate_number);
}

void put(Wire::Builder to, const Have& from) {
  auto list = to.initHave(static_cast<unsigned>(from.logs.size()));
  for (unsigned i = 0; i < list.size(); ++i) put(list[i], from.logs[i]);
}

template <class Id>
void put_ids(capnp::List<capnp::Data>::Builder to, const std::vector<Id>& from) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, wire_data(from[i].view()));
}

void put(Wire::Builder to, const GetCheckpoints& from) {
  put_ids(to.initGetCheckpoints(static_cast<unsigned>(from.logs.size())), from.logs);
}

void put(Wire::Builder to, const Announce& from) {
  auto group = to.initAnnounce();
  group.setLog(wire_data(from.log.view()));
  group.setNote(from.note);
  auto certificates = group.initCertificates(static_cast<unsigned>(from.certificates.size()));
  for (unsigned i = 0; i < certificates.size(); ++i) {
    certificates.set(i, wire_data(from.certificates[i]));
  }
  auto list = group.initCosignatures(static_cast<unsigned>(from.cosignatures.size()));
  for (unsigned i = 0; i < list.size(); ++i) put(list[i], from.cosignatures[i]);
}

void put(Wire::Builder to, const Push& from) {
  auto group = to.initPush();
  group.setLog(wire_data(from.log.view()));
  group.setNote(from.note);
  group.setFirst(from.first);
  group.setLeaves(wire_data(from.leaves));
  group.setPayloads(wire_data(from.payloads));
}

void put(Wire::Builder to, const Cosigned& from) {
  auto group = to.initCosigned();
  group.setLog(wire_data(from.cosignature.log.view()));
  put(group.initCosignature(), from.cosignature);
}

void put(Wire::Builder to, const GetTiles& from) {
  auto group = to.initGetTiles();
  group.setLog(wire_data(from.log.view()));
  group.setSize(from.size);
  auto list = group.initTiles(static_cast<unsigned>(from.tiles.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setLevel(from.tiles[i].level);
    list[i].setIndex(from.tiles[i].index);
  }
}

void put(Wire::Builder to, const Tiles& from) {
  auto group = to.initTiles();
  group.setLog(wire_data(from.log.view()));
  group.setSize(from.size);
  auto list = group.initTiles(static_cast<unsigned>(from.tiles.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, wire_data(from.tiles[i]));
}

void put(Wire::Builder to, const GetEntries& from) {
  auto group = to.initGetEntries();
  group.setLog(wire_data(from.log.view()));
  group.setFirst(from.first);
  group.setLast(from.last);
  group.setPayloadsFrom(from.payloads_from);
}

void put(Wire::Builder to, const Entries& from) {
  auto group = to.initEntries();
  group.setLog(wire_data(from.log.view()));
  group.setFirst(from.first);
  group.setLast(from.last);
  group.setPayloadsFrom(from.payloads_from);
  group.setLeaves(wire_data(from.leaves));
  group.setPayloads(wire_data(from.payloads));
}

void put(Wire::Builder to, const GetPayloads& from) {
  auto group = to.initGetPayloads();
  group.setLog(wire_data(from.log.view()));
  put_indices(group.initIndices(static_cast<unsigned>(from.indices.size())), from.indices);
}

void put(Wire::Builder to, const Payloads& from) {
  auto group = to.initPayloads();
  group.setLog(wire_data(from.log.view()));
  put_indices(group.initIndices(static_cast<unsigned>(from.indices.size())), from.indices);
  group.setPayloads(wire_data(from.payloads));
}

void put(Wire::Builder to, const JoinRequest& from) {
  auto group = to.initJoinRequest();
  group.setCertificate(wire_data(from.certificate));
  group.setProfile(wire_data(encode(from.profile)));
}

void put(Wire::Builder to, const JoinWaiting& from) { to.setJoinWaiting(from.said); }

void put(Wire::Builder to, const JoinGranted& from) {
  auto group = to.initJoinGranted();
  group.setDecision(wire_data(from.decision.view()));
  group.setNetworkSecret(wire_data(from.network_secret.view()));
  group.setSpaceKeyG(wire_data(from.space_key_g.view()));
  group.setSpaceKeyR(wire_data(from.space_key_r.view()));
}

void put(Wire::Builder to, const Ping& from) { to.setPing(wire_data(from.digest.view())); }
void put(Wire::Builder to, const Pong& from) { to.setPong(wire_data(from.digest.view())); }
void put(Wire::Builder to, const Evidence& from) { to.setEvidence(from.text); }

void put(Wire::Builder to, const Unasked& from) {
  put_ids(to.initUnasked(static_cast<unsigned>(from.members.size())), from.members);
}

void put(Wire::Builder to, const Agreed& from) {
  auto group = to.initAgreed();
  group.setLog(wire_data(from.log.view()));
  group.setSize(from.size);
  group.setRoot(wire_data(from.root.view()));
  auto words = group.initCosignatures(static_cast<unsigned>(from.cosignatures.size()));
  for (unsigned i = 0; i < words.size(); ++i) put(words[i], from.cosignatures[i]);
  auto paths = group.initPaths(static_cast<unsigned>(from.paths.size()));
  for (unsigned i = 0; i < paths.size(); ++i) {
    Bytes hashes;
    for (const TreeHash& hash : from.paths[i]) append(hashes, hash.view());
    paths.set(i, wire_data(hashes));
  }
}

// ---- decoding ----------------------------------------------------------------------------------

Cosignature take_cosignature(const LogId& log, wire::Cosignature::Reader from) {
  return {log,
          tree_size(from.getSize()),
          octets<TreeHash>(from.getRoot()),
          octets<MemberId>(from.getWitness()),
          from.getTimeSeconds(),
          octets<Signature>(from.getSignature())};
}

std::vector<std::uint64_t> take_indices(capnp::List<std::uint64_t>::Reader from) {
  std::vector<std::uint64_t> out;
  out.reserve(count(from, limits::tile_hashes));
  for (const std::uint64_t index : from) {
    if (!out.empty() && index <= out.back()) {
      throw Refused{fail(Errc::malformed, "indices do not ascend")};
    }
    out.push_back(tree_size(index));
  }
  return out;
}

Have take_have(capnp::List<wire::LogSummary>::Reader from) {
  Have have;
  have.logs.reserve(count(from, limits::entries_per_list_max));
  for (const auto entry : from) {
    LogSummary summary;
    summary.log = octets<LogId>(entry.getLog());
    summary.size = tree_size(entry.getSize());
    summary.root = octets<TreeHash>(entry.getRoot());
    summary.agreed = tree_size(entry.getAgreed());
    if (entry.getGaps().size() != 0) summary.gaps = octets<Hash>(entry.getGaps());
    summary.frozen = entry.getFrozen();
    have.logs.push_back(summary);
  }
  return have;
}

Announce take_announce(Wire::Announce::Reader from) {
  Announce announce;
  announce.log = octets<LogId>(from.getLog());
  announce.note = checked_text(from.getNote(), limits::note_bytes_max);
  const auto certificates = from.getCertificates();
  announce.certificates.reserve(count(certificates, limits::announced_certificates_max));
  for (const auto statement : certificates) {
    announce.certificates.push_back(to_bytes(bytes(statement, limits::statement_bytes_max)));
  }
  const auto list = from.getCosignatures();
  announce.cosignatures.reserve(count(list, limits::entries_per_list_max));
  for (const auto entry : list) {
    announce.cosignatures.push_back(take_cosignature(announce.log, entry));
  }
  return announce;
}

std::vector<TreeHash> take_path(capnp::Data::Reader from) {
  BytesView rest = bytes(from, limits::path_hashes_max * TreeHash::size);
  if (rest.size() % TreeHash::size != 0) throw Refused{fail(Errc::malformed, "half a hash")};
  std::vector<TreeHash> path;
  for (; !rest.empty(); rest = rest.subspan(TreeHash::size)) {
    path.push_back(TreeHash::from(rest.first(TreeHash::size)));
  }
  return path;
}

Agreed take_agreed(Wire::Agreed::Reader from) {
  Agreed agreed;
  agreed.log = octets<LogId>(from.getLog());
  agreed.size = tree_size(from.getSize());
  agreed.root = octets<TreeHash>(from.getRoot());
  const auto words = from.getCosignatures();
  const auto paths = from.getPaths();
  if (count(words, limits::witnesses_max) != count(paths, limits::witnesses_max)) {
    throw Refused{fail(Errc::malformed, "each cosignature has its path")};
  }
  for (unsigned i = 0; i < words.size(); ++i) {
    agreed.cosignatures.push_back(take_cosignature(agreed.log, words[i]));
    agreed.paths.push_back(take_path(paths[i]));
  }
  return agreed;
}

template <class Id>
std::vector<Id> take_ids(capnp::List<capnp::Data>::Reader from, std::size_t max) {
  std::vector<Id> ids;
  ids.reserve(count(from, max));
  for (const auto id : from) ids.push_back(octets<Id>(id));
  return ids;
}

GetTiles take_get_tiles(Wire::GetTiles::Reader from) {
  GetTiles get{octets<LogId>(from.getLog()), tree_size(from.getSize()), {}};
  const auto list = from.getTiles();
  get.tiles.reserve(count(list, 16));
  for (const auto tile : list) {
    if (tile.getLevel() > 7) throw Refused{fail(Errc::too_large, "no tree has that level")};
    get.tiles.push_back({tile.getLevel(), tree_size(tile.getIndex())});
  }
  return get;
}

Tiles take_tiles(Wire::Tiles::Reader from) {
  Tiles tiles{octets<LogId>(from.getLog()), tree_size(from.getSize()), {}};
  const auto list = from.getTiles();
  tiles.tiles.reserve(count(list, 16));
  for (const auto tile : list) {
    tiles.tiles.push_back(to_bytes(bytes(tile, limits::tile_hashes * TreeHash::size)));
  }
  return tiles;
}

void check_range(std::uint64_t first, std::uint64_t last, std::uint64_t payloads_from) {
  if (first % limits::tile_hashes != 0 || last <= first || last - first > limits::tile_hashes ||
      payloads_from < first || payloads_from > last || last > limits::tree_size_max) {
    throw Refused{fail(Errc::malformed, "a range of entries makes no sense")};
  }
}

Message take(Wire::Reader from) {
  constexpr std::size_t leaves_max = limits::tile_hashes * (limits::leaf_bytes_max + 2);
  switch (from.which()) {
    case Wire::WELCOME: {
      const auto group = from.getWelcome();
      return Welcome{octets<Hash>(group.getDigest()), octets<DigestHalf>(group.getLastCommon()),
                     group.getCertificateNumber(), group.getYourCertificateNumber()};
    }
    case Wire::HAVE:
      return take_have(from.getHave());
    case Wire::GET_CHECKPOINTS:
      return GetCheckpoints{
          take_ids<LogId>(from.getGetCheckpoints(), limits::entries_per_list_max)};
    case Wire::ANNOUNCE:
      return take_announce(from.getAnnounce());
    case Wire::PUSH: {
      const auto group = from.getPush();
      return Push{octets<LogId>(group.getLog()),
                  checked_text(group.getNote(), limits::note_bytes_max),
                  tree_size(group.getFirst()), to_bytes(bytes(group.getLeaves(), leaves_max)),
                  to_bytes(bytes(group.getPayloads(), limits::message_bytes_max))};
    }
    case Wire::COSIGNED: {
      const auto group = from.getCosigned();
      return Cosigned{take_cosignature(octets<LogId>(group.getLog()), group.getCosignature())};
    }
    case Wire::GET_TILES:
      return take_get_tiles(from.getGetTiles());
    case Wire::TILES:
      return take_tiles(from.getTiles());
    case Wire::GET_ENTRIES: {
      const auto group = from.getGetEntries();
      check_range(group.getFirst(), group.getLast(), group.getPayloadsFrom());
      return GetEntries{octets<LogId>(group.getLog()), group.getFirst(), group.getLast(),
                        group.getPayloadsFrom()};
    }
    case Wire::ENTRIES: {
      const auto group = from.getEntries();
      check_range(group.getFirst(), group.getLast(), group.getPayloadsFrom());
      return Entries{octets<LogId>(group.getLog()),
                     group.getFirst(),
                     group.getLast(),
                     group.getPayloadsFrom(),
                     to_bytes(bytes(group.getLeaves(), leaves_max)),
                     to_bytes(bytes(group.getPayloads(), limits::message_bytes_max))};
    }
    case Wire::GET_PAYLOADS: {
      const auto group = from.getGetPayloads();
      return GetPayloads{octets<LogId>(group.getLog()), take_indices(group.getIndices())};
    }
    case Wire::PAYLOADS: {
      const auto group = from.getPayloads();
      return Payloads{octets<LogId>(group.getLog()), take_indices(group.getIndices()),
                      to_bytes(bytes(group.getPayloads(), limits::message_bytes_max))};
    }
    case Wire::JOIN_REQUEST: {
      const auto group = from.getJoinRequest();
      const auto profile = decode_profile(bytes(group.getProfile(), limits::message_bytes_max));
      if (!profile) throw Refused{profile.error()};
      return JoinRequest{to_bytes(bytes(group.getCertificate(), limits::statement_bytes_max)),
                         *profile};
    }
    case Wire::JOIN_WAITING:
      return JoinWaiting{checked_text(from.getJoinWaiting(), limits::aim_bytes_max)};
    case Wire::JOIN_GRANTED: {
      const auto group = from.getJoinGranted();
      return JoinGranted{octets<DecisionId>(group.getDecision()),
                         octets<Key32>(group.getNetworkSecret()),
                         octets<Key32>(group.getSpaceKeyG()), octets<Key32>(group.getSpaceKeyR())};
    }
    case Wire::PING:
      return Ping{octets<Hash>(from.getPing())};
    case Wire::PONG:
      return Pong{octets<Hash>(from.getPong())};
    case Wire::EVIDENCE:
      return Evidence{checked_text(from.getEvidence(), limits::evidence_bytes_max)};
    case Wire::AGREED:
      return take_agreed(from.getAgreed());
    case Wire::UNASKED:
      return Unasked{take_ids<MemberId>(from.getUnasked(), limits::witnesses_max)};
  }
  throw Refused{fail(Errc::malformed, "a message of an unknown kind")};
}

/// What makes a message large, if it is.
std::size_t bulk_bytes(const Message& message) {
  if (const auto* push = std::get_if<Push>(&message)) {
    return push->leaves.size() + push->payloads.size();
  }
  if (const auto* entries = std::get_if<Entries>(&message)) {
    return entries->leaves.size() + entries->payloads.size();
  }
  const auto* payloads = std::get_if<Payloads>(&message);
  return payloads == nullptr ? 0 : payloads->payloads.size();
}

}  // namespace

Bytes encode(const Message& message) {
  const std::size_t words_expected = 2048 + bulk_bytes(message) / sizeof(capnp::word);
  capnp::MallocMessageBuilder builder(static_cast<unsigned>(words_expected));
  std::visit([&](const auto& alternative) { put(builder.initRoot<Wire>(), alternative); }, message);
  const auto segments = builder.getSegmentsForOutput();
  if (segments.size() == 1) {
    const auto chars = segments[0].asBytes();
    return {chars.begin(), chars.end()};
  }
  // Rebuilt into one segment that is large enough.
  std::size_t words = 1;
  for (const auto& segment : segments) words += segment.size();
  capnp::MallocMessageBuilder single(static_cast<unsigned>(words + 8));
  single.setRoot(builder.getRoot<Wire>().asReader());
  const auto whole = single.getSegmentsForOutput();
  KITH_CHECK(whole.size() == 1);
  const auto chars = whole[0].asBytes();
  return {chars.begin(), chars.end()};
}

Result<Message> decode_message(BytesView in) {
  if (in.empty() || in.size() % sizeof(capnp::word) != 0) {
    return fail(Errc::malformed, "a message is not made of whole words");
  }
  if (in.size() > limits::message_bytes_max) return fail(Errc::too_large, "a message is too large");

  const std::size_t words = in.size() / sizeof(capnp::word);
  kj::Array<capnp::word> copy;
  const void* begin = in.data();
  // Cap'n Proto reads aligned words only: what does not lie on a word's boundary is copied.
  if (reinterpret_cast<std::uintptr_t>(begin) % sizeof(capnp::word) != 0) {
    copy = kj::heapArray<capnp::word>(words);
    begin = std::memcpy(copy.begin(), begin, in.size());
  }
  const kj::ArrayPtr<const capnp::word> segment(static_cast<const capnp::word*>(begin), words);
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * words + 64;
  options.nestingLimit = 8;
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    return take(reader.getRoot<Wire>());
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const kj::Exception&) {
    return fail(Errc::malformed, "a message does not follow the format");
  }
}

}  // namespace kith::peer
