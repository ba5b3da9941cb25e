// Ports that are kept from everybody else, each by a socket that is bound to it and receives nothing.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "netlink/descriptor.h"
#include "netlink/failure.h"

namespace nfbridge::netlink {

struct ReservedPort {
  std::uint8_t protocol = 0;               // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP
  std::uint8_t family = 0;                 // AF_INET, AF_INET6
  std::uint16_t port = 0;                  // host byte order
  std::array<std::uint8_t, 16> address{};  // network byte order; the first four bytes of it for IPv4

  auto operator<=>(const ReservedPort&) const = default;
};

// The reservations of one owner. Not safe for two threads at once: the owner serialises.
class Reservations {
 public:
  // Binds a socket for each port in the calling thread's namespace, or none: the failure has the index of the
  // port. A protocol or a family that the kernel lacks is passed over, for nobody else can have its ports
  // either. EADDRINUSE for a port that is held here already, too.
  Outcome<Nothing> reserve(std::span<const ReservedPort> ports);

  // Lets go of ports; those that are not held are passed over.
  void release(std::span<const ReservedPort> ports);

  std::size_t size() const { return held_.size(); }

 private:
  std::map<ReservedPort, Descriptor> held_;
};

}  // namespace nfbridge::netlink
