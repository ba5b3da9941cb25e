// Dumps: listings that the kernel sends in many datagrams.
#pragma once

#include "netlink/exchange.h"

namespace nfbridge::netlink {

// How often a dump that the kernel calls inconsistent is started, in all.
inline constexpr int kDumpAttempts = 8;

// Sends one request as a dump and reads it to its end. `replies` is told to restart when the kernel says that
// its data changed meanwhile (NLM_F_DUMP_INTR); after kDumpAttempts the failure is `inconsistent`. Every
// message has index 0.
Failures dump(Socket& socket, const Requests& request, Replies& replies);

}  // namespace nfbridge::netlink
