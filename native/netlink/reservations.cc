#include "netlink/reservations.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>
#include <vector>

#include "netlink/message.h"

namespace nfbridge::netlink {
namespace {

constexpr int kIpv6Freebind = 78;  // IPV6_FREEBIND of linux/in6.h, which libc's header shadows; Linux 4.15

bool enable(int socket, int level, int option) {
  const int on = 1;
  return setsockopt(socket, level, option, &on, sizeof(on)) == 0;
}

// An address that no link has yet can be bound, too. Never SO_REUSEADDR: two that both have it could share
// the port as long as none listens.
bool prepare(int socket, int family) {
  if (family == AF_INET) return enable(socket, IPPROTO_IP, IP_FREEBIND);
  return enable(socket, IPPROTO_IPV6, IPV6_V6ONLY) && enable(socket, IPPROTO_IPV6, kIpv6Freebind);
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
  if (!prepare(socket.get(), port.family)) return system_failure("setsockopt");
  if (!bind_to(socket.get(), port)) return system_failure("bind");
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
