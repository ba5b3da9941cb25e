// Dumps: listings that the kernel sends in many datagrams.
#pragma once

#include "netlink/exchange.h"

namespace nfbridge::netlink {

// How often a dump that the kernel calls inconsistent is started, in all.
inline constexpr int kDumpAttempts = 8;

// Sends one request as a dump and reads it to its end, or to the limit of the socket's listings
// (`too-large`): the kernel then lists no further, and the socket is good for nothing but to be closed.
// `replies` is told to restart when the kernel says that its data changed meanwhile (NLM_F_DUMP_INTR); after
// kDumpAttempts the failure is `inconsistent`. Every message has index 0.
Failures dump(Socket& socket, const Requests& request, Replies& replies);

// A dump that is read in parts, as the reader wants them: the kernel waits. It is never started again,
// because what was read is gone; that it became inconsistent is told at its end. Nothing else may be asked on
// the socket before.
class PartialDump {
 public:
  // Sends the request.
  Failures begin(Socket& socket, const Requests& request);
  // Reads on, as many datagrams as make a part. At the end, and again after it, without any message.
  Failures next(Socket& socket, Replies& replies);

 private:
  std::uint32_t sequence_ = 0;
  bool interrupted_ = false;
  bool lost_ = false;
  bool ended_ = true;
};

}  // namespace nfbridge::netlink
