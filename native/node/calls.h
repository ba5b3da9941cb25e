// What a call does, from the records that came down to the records that go up: encode, exchange, decode, and
// the path of what the kernel refused. No N-API here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/schema.h"
#include "netlink/dump.h"
#include "netlink/failure.h"
#include "netlink/socket.h"
#include "netlink/transaction.h"

namespace nfbridge::node {

using Words = std::vector<std::uint32_t>;
using WordSpan = std::span<const std::uint32_t>;

// The socket protocol of linux/netlink.h.
int netlink_protocol(codec::Protocol protocol);

netlink::Outcome<Words> request(netlink::Socket& socket, WordSpan words);
netlink::Outcome<Words> dump(netlink::Socket& socket, WordSpan words);
netlink::Outcome<Words> transaction(netlink::Socket& socket, WordSpan words,
                                    const netlink::BatchOptions& options);
// Begins a dump, when there are words, or goes on with it: its next part, empty at its end.
netlink::Outcome<Words> dump_part(netlink::Socket& socket, netlink::PartialDump& dump, WordSpan words);
// Forgets the tracked connections that patterns mean (netlink/connections.h), of those that a dump lists.
netlink::Outcome<std::uint64_t> forget(netlink::Socket& socket, WordSpan words, WordSpan patterns);

// The messages as they would be sent, one after the other, with sequence number 0.
netlink::Outcome<netlink::Buffer> encode_messages(WordSpan words);
// The records of messages that follow each other without a gap.
netlink::Outcome<Words> decode_messages(codec::Protocol protocol, netlink::Bytes bytes);

}  // namespace nfbridge::node
