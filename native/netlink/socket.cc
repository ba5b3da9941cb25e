#include "netlink/socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstddef>
#include <string>

namespace nfbridge::netlink {
namespace {

// The kernel's dumps come in datagrams of 32 KiB at most and echoes in fewer; the room costs nothing until
// used.
constexpr std::size_t kReceiveBufferSize = 256 * 1024;

// Limits, not memory: the kernel doubles them. The first needs CAP_NET_ADMIN in the initial user namespace;
// without it net.core.wmem_max and rmem_max cap the second.
constexpr int kForcedSendBuffer = 64 * 1024 * 1024;
constexpr int kForcedReceiveBuffer = 32 * 1024 * 1024;
constexpr int kPlainBuffer = 8 * 1024 * 1024;

// What netlink_sendmsg() subtracts from sk_sndbuf before it compares.
constexpr std::size_t kSendOverhead = 32;

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

}  // namespace

Outcome<Socket> Socket::open(int protocol) {
  Socket opened;
  opened.protocol_ = protocol;
  opened.descriptor_ = Descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  const int fd = opened.descriptor_.get();
  if (fd < 0) return system_failure("socket");

  if (!set(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1)) return system_failure("setsockopt NETLINK_EXT_ACK");
  if (!set(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1)) return system_failure("setsockopt NETLINK_CAP_ACK");
  if (protocol == NETLINK_ROUTE && !set(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)) {
    return system_failure("setsockopt NETLINK_GET_STRICT_CHK");
  }
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, kForcedSendBuffer) &&
      !set(fd, SOL_SOCKET, SO_SNDBUF, kPlainBuffer)) {
    return system_failure("setsockopt SO_SNDBUF");
  }
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, kForcedReceiveBuffer) &&
      !set(fd, SOL_SOCKET, SO_RCVBUF, kPlainBuffer)) {
    return system_failure("setsockopt SO_RCVBUF");
  }
  const timeval timeout{.tv_sec = kReceiveTimeoutSeconds, .tv_usec = 0};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
    return system_failure("setsockopt SO_RCVTIMEO");
  }
  int send_buffer = 0;
  socklen_t length = sizeof(send_buffer);
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, &length) != 0) {
    return system_failure("getsockopt SO_SNDBUF");
  }
  opened.send_limit_ = static_cast<std::size_t>(send_buffer) - kSendOverhead;

  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;  // port 0: the kernel chooses one
  if (bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) return system_failure("bind");
  length = sizeof(local);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &length) != 0)
    return system_failure("getsockname");
  opened.port_ = local.nl_pid;

  opened.receive_buffer_ = std::make_unique_for_overwrite<std::byte[]>(kReceiveBufferSize);
  return opened;
}

std::optional<Failure> Socket::join_group(std::uint32_t group) {
  if (set(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, static_cast<int>(group))) return std::nullopt;
  return system_failure("setsockopt NETLINK_ADD_MEMBERSHIP", errno, "group " + std::to_string(group));
}

std::optional<Failure> Socket::accept_only(std::uint16_t type, std::uint32_t except_port) {
  // Loads are of network byte order, the header is of the host's.
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(type), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(except_port), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0) return std::nullopt;
  return system_failure("setsockopt SO_ATTACH_FILTER");
}

std::uint32_t Socket::reserve_sequence(std::uint32_t count) {
  // A range never wraps: the numbers begin again at 1 instead.
  if (count > UINT32_MAX - next_sequence_) next_sequence_ = 1;
  const std::uint32_t first = next_sequence_;
  next_sequence_ += count;
  return first;
}

std::optional<Failure> Socket::send(std::span<const iovec> parts) {
  std::size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  if (total > send_limit_) {
    return Failure{.reason = Reason::kTooLarge,
                   .error = EMSGSIZE,
                   .call = "sendmsg",
                   .message = "the messages take " + std::to_string(total) +
                              " bytes together and the socket sends at most " + std::to_string(send_limit_) +
                              " at once: send them in several calls"};
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr header{};
  header.msg_name = &kernel;
  header.msg_namelen = sizeof(kernel);
  header.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg() only reads it
  header.msg_iovlen = parts.size();
  ssize_t sent;
  do {
    sent = sendmsg(fd(), &header, 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_failure("sendmsg");
  if (static_cast<std::size_t>(sent) != total) return system_failure("sendmsg", EIO, "sent only in part");
  return std::nullopt;
}

Received Socket::receive(bool wait) {
  for (;;) {
    sockaddr_nl sender{};
    iovec part{receive_buffer_.get(), kReceiveBufferSize};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof(sender);
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t length = recvmsg(fd(), &header, wait ? 0 : MSG_DONTWAIT);
    if (length < 0) {
      if (errno == EINTR) continue;
      return {.error = errno == EWOULDBLOCK ? EAGAIN : errno};
    }
    if (header.msg_namelen != sizeof(sender) || sender.nl_pid != 0) continue;  // not from the kernel
    return {.datagram = {receive_buffer_.get(), static_cast<std::size_t>(length)},
            .truncated = (header.msg_flags & MSG_TRUNC) != 0};
  }
}

}  // namespace nfbridge::netlink
