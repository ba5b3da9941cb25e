#include "netlink/reservations.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>
#include <vector>

#include "netlink/message.h"

namespace nfbridge::netlink {
namespace {

constexpr int kIpv6Freebind = 78;   // IPV6_FREEBIND of linux/in6.h, which libc's header shadows; Linux 4.15
constexpr int kBindToIfindex = 62;  // SO_BINDTOIFINDEX of asm-generic/socket.h; Linux 5.0
constexpr int kNoInterface = 0x7fffffff;  // the last index there may be: the kernel counts up from 1

bool set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

// An address that no link has yet can be bound, too. With SO_REUSEADDR a connection in TIME_WAIT is not in
// the way, as it is in that of no server; what two that have it could share until one listens is found by
// listen().
bool prepare(int socket, const ReservedPort& port) {
  if (port.protocol == IPPROTO_TCP && !set(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
  if (port.family == AF_INET) return set(socket, IPPROTO_IP, IP_FREEBIND, 1);
  return set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(socket, IPPROTO_IPV6, kIpv6Freebind, 1);
}

// A socket that is bound keeps others from its port, and receives: datagrams that nobody reads, and
// connections once it listens. One of an interface that there is not does the first only: what comes is
// refused, as it is where nobody has the port. After bind(), which wants an interface that is there, and
// meets everybody who has the port by then.
bool deafen(int socket) {
  return set(socket, SOL_SOCKET, kBindToIfindex, kNoInterface);
}

bool bind_to(int socket, const ReservedPort& port) {
  if (port.family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = to_be16(port.port);
    std::memcpy(&address.sin_addr, port.address.data(), sizeof(address.sin_addr));
    return bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = to_be16(port.port);
  std::memcpy(&address.sin6_addr, port.address.data(), sizeof(address.sin6_addr));
  return bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool lacking(int error) {
  return error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT || error == EAFNOSUPPORT;
}

// No descriptor: the kernel does not know the protocol or the family.
Outcome<Descriptor> bound_socket(const ReservedPort& port) {
  const int type = port.protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
  Descriptor socket(::socket(port.family, type | SOCK_CLOEXEC, port.protocol));
  if (!socket) {
    if (lacking(errno)) return socket;
    return system_failure("socket");
  }
  if (!prepare(socket.get(), port)) return system_failure("setsockopt");
  if (!bind_to(socket.get(), port)) return system_failure("bind");
  if (!deafen(socket.get())) return system_failure("setsockopt");
  if (port.protocol == IPPROTO_TCP && listen(socket.get(), 0) != 0) return system_failure("listen");
  return socket;
}

}  // namespace

Outcome<Nothing> Reservations::reserve(std::span<const ReservedPort> ports) {
  std::vector<std::pair<ReservedPort, Descriptor>> bound;
  bound.reserve(ports.size());
  int index = 0;
  for (const ReservedPort& port : ports) {
    Outcome<Descriptor> socket = bound_socket(port);
    if (!socket.ok()) {
      socket.failures().front().index = index;
      return std::move(socket.failures());  // those before are closed with `bound`
    }
    if (socket.value()) bound.emplace_back(port, std::move(socket.value()));
    index++;
  }
  for (auto& [port, socket] : bound) held_.insert_or_assign(port, std::move(socket));
  return Nothing{};
}

void Reservations::release(std::span<const ReservedPort> ports) {
  for (const ReservedPort& port : ports) held_.erase(port);
}

}  // namespace nfbridge::netlink
