// Who has a port: for the words of an error, and for nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "netlink/failure.h"

namespace nfbridge::netlink {

// Who has a port of the calling thread's namespace, in words: `process 1234 "nginx"`. From the socket tables
// (sock_diag(7)) and the descriptors of the processes that can be seen; both are read for a bounded time
// only. Empty when that does not tell.
Outcome<std::string> port_owner(std::uint8_t protocol, std::uint16_t port);

}  // namespace nfbridge::netlink
