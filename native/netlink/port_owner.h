// Who has a port: for the words of an error, and for nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "netlink/failure.h"
#include "netlink/message.h"

namespace nfbridge::netlink {

// Who keeps others from a port of the calling thread's namespace, in words: `process 1234 "nginx"`. On any
// address, or on that of `address` (4 or 16 bytes; zeros mean all of that family). From the socket tables
// (sock_diag(7)) and the descriptors of the processes that can be seen; the latter are read for a bounded
// time only. Empty when that does not tell.
Outcome<std::string> port_owner(std::uint8_t protocol, std::uint16_t port, Bytes address = {});

}  // namespace nfbridge::netlink
