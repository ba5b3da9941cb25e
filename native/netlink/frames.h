// Link-layer frames, sent as they are.
#pragma once

#include <string>
#include <variant>

#include "netlink/descriptor.h"
#include "netlink/failure.h"
#include "netlink/message.h"

namespace nfbridge::netlink {

// A link of the calling thread's namespace: its index, or its name.
using Link = std::variant<int, std::string>;

// The shortest frame is its Ethernet header alone; the longest that is taken here is one of a plain Ethernet.
inline constexpr std::size_t kShortestFrame = 14;
inline constexpr std::size_t kLongestFrame = 1514;
inline constexpr std::size_t kMostFrames = 1024;

// Sends frames from one network namespace. The socket is opened by the first send, in the namespace that the
// calling thread is in, and kept: closing a packet socket waits some 12 ms for an RCU grace period
// (packet_release of net/packet/af_packet.c), so it must not be closed on a thread that somebody waits for.
class FrameSender {
 public:
  // Sends frames out of a link, in their order. Each is preceded by its length (u16, host byte order); all
  // are checked before the first is sent. Needs CAP_NET_RAW in the user namespace that owns the network
  // namespace.
  Outcome<Nothing> send(const Link& link, Bytes frames);

 private:
  Outcome<Nothing> open();

  Descriptor socket_;
};

}  // namespace nfbridge::netlink
