// A netlink socket: opened with the options that everything here relies on, and its three operations.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "netlink/descriptor.h"
#include "netlink/failure.h"
#include "netlink/message.h"

namespace nfbridge::netlink {

// What one receive brought: a datagram, or nothing more (EAGAIN), or an error.
struct Received {
  Bytes datagram = {};
  int error =
      0;  // errno: EAGAIN when there is nothing (or the time is over), ENOBUFS when messages were lost
  bool truncated = false;  // the datagram was longer than our buffer; the rest of it is lost
};

// Not safe for two threads at once: the owner serialises.
class Socket {
 public:
  // Opens a socket of `protocol` (NETLINK_ROUTE, NETLINK_NETFILTER) in the calling thread's network
  // namespace, to which it belongs for life. NETLINK_EXT_ACK, NETLINK_CAP_ACK, and for routes
  // NETLINK_GET_STRICT_CHK are set; the buffers are as large as we are allowed.
  static Outcome<Socket> open(int protocol);

  int fd() const { return descriptor_.get(); }
  int protocol() const { return protocol_; }
  // The port that the kernel gave it: nlmsg_pid of what it makes the kernel tell others.
  std::uint32_t port() const { return port_; }
  // The longest message, or sequence of messages, that one send takes.
  std::size_t send_limit() const { return send_limit_; }

  // Joins a multicast group (RTNLGRP_*, NFNLGRP_*).
  std::optional<Failure> join_group(std::uint32_t group);

  // From here on the kernel delivers nothing but messages of one type, and none of them that were caused by
  // the socket with the port given. The first message of a datagram counts.
  std::optional<Failure> accept_only(std::uint16_t type, std::uint32_t except_port);

  // The first of `count` sequence numbers that were not used before; never 0, which events carry.
  std::uint32_t reserve_sequence(std::uint32_t count);

  // Sends everything as one datagram. The kernel does the work before this returns. What is longer than
  // send_limit() is refused here, with `too-large`.
  std::optional<Failure> send(std::span<const iovec> parts);

  // Takes the next datagram from the kernel; what others send to our port is thrown away. It is valid until
  // the next call. Waits at most kReceiveTimeoutSeconds where it may wait.
  Received receive(bool wait);

  static constexpr int kReceiveTimeoutSeconds = 15;

  // How many bytes all listings on this socket may have, from now on: for what somebody else may have filled.
  void limit_listings(std::size_t bytes) { listing_bytes_ = bytes; }
  // Takes what a datagram of a listing has; false when that is more than is left, now and from then on.
  bool take_listed(std::size_t bytes) {
    listing_bytes_ = bytes > listing_bytes_ ? 0 : listing_bytes_ - bytes;
    return listing_bytes_ != 0;
  }

 private:
  Socket() = default;

  Descriptor descriptor_;
  int protocol_ = 0;
  std::uint32_t port_ = 0;
  std::size_t send_limit_ = 0;
  std::uint32_t next_sequence_ = 1;
  std::size_t listing_bytes_ = SIZE_MAX;
  std::unique_ptr<std::byte[]> receive_buffer_;
};

}  // namespace nfbridge::netlink
