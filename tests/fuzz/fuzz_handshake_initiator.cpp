// What a dialler does with bytes from whoever answered. The first byte chooses how they are cut;
// the rest is message 2 and what follows it. Nothing here can be right: the tag covers fresh keys.
#include "protocol/base/check.hpp"
#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/crypto.hpp"

using namespace kith;
using namespace kith::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] == 0 ? size : data[0];
  BytesView rest(data + 1, size - 1);

  Initiator initiator({.own_static = DhSecret::from(Bytes(32, 1)),
                       .responder_static = dh_public(DhSecret::from(Bytes(32, 2))),
                       .network = NetworkId::from(Bytes(32, 3)),
                       .psk = Key32::from(Bytes(32, 4)),
                       .ephemeral = DhSecret::from(Bytes(32, 5)),
                       .hello = Hello{}});
  KITH_CHECK(initiator.start().has_value());
  bool failed = false;
  std::size_t taken = 0;
  while (!rest.empty()) {
    std::size_t consumed = 0;
    const BytesView part = rest.first(std::min(step, rest.size()));
    const auto reply = initiator.receive(part, consumed);
    KITH_CHECK(consumed <= part.size());
    KITH_CHECK(!failed || !reply);  // Once failed, always failed.
    failed = !reply;
    taken += consumed;
    KITH_CHECK(taken <= message2_bytes);
    KITH_CHECK(!reply || reply->empty());
    rest = rest.subspan(part.size());
  }
  KITH_CHECK(!initiator.finished());
  KITH_CHECK(failed == (size > message2_bytes));
  return 0;
}
