#include "netlink/frames.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace nfbridge::netlink {
namespace {

Outcome<std::vector<Bytes>> split(Bytes bytes) {
  std::vector<Bytes> frames;
  while (!bytes.empty()) {
    std::uint16_t length = 0;
    if (!load(bytes, 0, length) || length < kShortestFrame || length > kLongestFrame ||
        bytes.size() - sizeof(length) < length || frames.size() == kMostFrames) {
      return malformed("frames", "the bytes are no sequence of frames");
    }
    frames.push_back(bytes.subspan(sizeof(length), length));
    bytes = bytes.subspan(sizeof(length) + length);
  }
  return frames;
}

// Asked of the socket, whose namespace counts.
Outcome<int> index_of(int socket, const Link& link) {
  if (const int* index = std::get_if<int>(&link)) return *index;
  const auto& name = *std::get_if<std::string>(&link);
  ifreq request{};
  if (name.empty() || name.size() >= sizeof(request.ifr_name)) return system_failure("ioctl", ENODEV, name);
  std::memcpy(request.ifr_name, name.data(), name.size());
  if (ioctl(socket, SIOCGIFINDEX, &request) != 0) return system_failure("ioctl", errno, name);
  return request.ifr_ifindex;
}

}  // namespace

Outcome<Nothing> FrameSender::open() {
  if (socket_) return Nothing{};
  // Protocol 0: it receives nothing.
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) return system_failure("socket");
  // A link that does not take them does not hold the thread for long.
  const timeval timeout{.tv_sec = 1, .tv_usec = 0};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
    return system_failure("setsockopt SO_SNDTIMEO");
  }
  socket_ = std::move(socket);
  return Nothing{};
}

Outcome<Nothing> FrameSender::send(const Link& link, Bytes bytes) {
  Outcome<std::vector<Bytes>> frames = split(bytes);
  if (!frames.ok()) return std::move(frames.failures());
  Outcome<Nothing> opened = open();
  if (!opened.ok()) return opened;
  Outcome<int> index = index_of(socket_.get(), link);
  if (!index.ok()) return std::move(index.failures());
  int position = 0;
  for (const Bytes frame : frames.value()) {
    sockaddr_ll destination{};
    destination.sll_family = AF_PACKET;
    destination.sll_ifindex = index.value();
    // The frame's EtherType, in network byte order in both places.
    load(frame, 12, destination.sll_protocol);
    ssize_t sent;
    do {
      sent = sendto(socket_.get(), frame.data(), frame.size(), 0,
                    reinterpret_cast<const sockaddr*>(&destination), sizeof(destination));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      Failure failure = system_failure("sendto");
      failure.index = position;
      return failure;
    }
    position++;
  }
  return Nothing{};
}

}  // namespace nfbridge::netlink
