// Sockets for whole frames, which Node.js does not have: what a hostile machine sends, and what arrives
// where. Never part of the package. A socket belongs to the namespace in which it was opened, whoever uses
// it: a short-lived thread opens it there, and everything else happens on the caller's thread. All are
// non-blocking and fail with a negative errno.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <node_api.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>

namespace {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

napi_value Number(napi_env env, int64_t value) {
  napi_value number = nullptr;
  napi_create_int64(env, value, &number);
  return number;
}

bool ReadInt(napi_env env, napi_value value, int32_t* out) {
  return napi_get_value_int32(env, value, out) == napi_ok;
}

bool ReadBytes(napi_env env, napi_value value, Bytes* out) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, nullptr, nullptr) != napi_ok)
    return false;
  out->data = static_cast<uint8_t*>(data);
  return type == napi_uint8_array;
}

bool ReadInts(napi_env env, napi_value value, const int32_t** out, size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok) return false;
  *out = static_cast<const int32_t*>(data);
  return type == napi_int32_array;
}

template <size_t N>
bool Arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  return napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == N;
}

void Enable(int fd, int level, int option) {
  int one = 1;
  setsockopt(fd, level, option, &one, sizeof(one));
}

// What arrives waits here until somebody takes it out.
void Enlarge(int fd) {
  int size = 16 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

template <typename Work>
int InNamespace(int ns, Work work) {
  int result = -EIO;
  std::thread thread([&] { result = setns(ns, CLONE_NEWNET) < 0 ? -errno : work(); });
  thread.join();
  return result;
}

int OpenPacketSocket(int protocol, const std::string& device) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  Enlarge(fd);
  Enable(fd, SOL_PACKET, PACKET_AUXDATA);
  Enable(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING);
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(static_cast<uint16_t>(protocol));
  address.sll_ifindex = device.empty() ? 0 : static_cast<int>(if_nametoindex(device.c_str()));
  bool missing = !device.empty() && address.sll_ifindex == 0;
  if (missing || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    int error = missing ? ENODEV : errno;
    close(fd);
    return -error;
  }
  return fd;
}

// openPacket(namespace, protocol, device: string): descriptor. Protocol 0 receives nothing; an empty name is
// every device.
napi_value OpenPacket(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t ns = -1;
  int32_t protocol = 0;
  char device[IFNAMSIZ] = {};
  size_t length = 0;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &ns) || !ReadInt(env, values[1], &protocol) ||
      napi_get_value_string_utf8(env, values[2], device, sizeof(device), &length) != napi_ok)
    return Number(env, -EINVAL);
  return Number(env,
                InNamespace(ns, [&] { return OpenPacketSocket(protocol, std::string(device, length)); }));
}

// openRaw(namespace, family: 4 | 6, protocol): descriptor of a socket that gets what is delivered to the
// namespace itself
napi_value OpenRaw(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t ns = -1;
  int32_t family = 0;
  int32_t protocol = 0;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &ns) || !ReadInt(env, values[1], &family) ||
      !ReadInt(env, values[2], &protocol))
    return Number(env, -EINVAL);
  return Number(env, InNamespace(ns, [&] {
                  int fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                  protocol);
                  if (fd < 0) return -errno;
                  Enlarge(fd);
                  if (family == 6)
                    Enable(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
                  else
                    Enable(fd, IPPROTO_IP, IP_PKTINFO);
                  return fd;
                }));
}

// send(descriptor, frames: Uint8Array, lengths: Int32Array): how many the kernel took
napi_value Send(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd = -1;
  Bytes frames;
  const int32_t* lengths = nullptr;
  size_t count = 0;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &fd) || !ReadBytes(env, values[1], &frames) ||
      !ReadInts(env, values[2], &lengths, &count))
    return Number(env, -EINVAL);
  size_t at = 0;
  int taken = 0;
  for (size_t index = 0; index < count; index++) {
    size_t length = static_cast<size_t>(lengths[index]);
    if (at + length > frames.length) return Number(env, -EINVAL);
    if (send(fd, frames.data + at, length, MSG_DONTWAIT) >= 0) taken++;
    at += length;
  }
  return Number(env, taken);
}

// What is told of each packet, in front of its bytes; lab/frame-socket.ts reads it.
struct Head {
  uint32_t socket = 0;
  uint32_t device = 0;
  uint32_t kind = 0;  // sll_pkttype
  uint32_t tag = 0;   // the VLAN tag that the kernel took out of the frame: 1 << 16 | TCI
  uint32_t length = 0;
  uint8_t source[16] = {};
  uint8_t destination[16] = {};
};

void ReadControl(msghdr* message, Head* head) {
  for (cmsghdr* control = CMSG_FIRSTHDR(message); control != nullptr;
       control = CMSG_NXTHDR(message, control)) {
    const void* data = CMSG_DATA(control);
    if (control->cmsg_level == SOL_PACKET && control->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata auxiliary;
      memcpy(&auxiliary, data, sizeof(auxiliary));
      if (auxiliary.tp_status & TP_STATUS_VLAN_VALID) head->tag = 1u << 16 | auxiliary.tp_vlan_tci;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo arrival;
      memcpy(&arrival, data, sizeof(arrival));
      head->device = static_cast<uint32_t>(arrival.ipi_ifindex);
      memcpy(head->destination, &arrival.ipi_addr, sizeof(arrival.ipi_addr));
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo arrival;
      memcpy(&arrival, data, sizeof(arrival));
      head->device = arrival.ipi6_ifindex;
      memcpy(head->destination, &arrival.ipi6_addr, sizeof(arrival.ipi6_addr));
    }
  }
}

// drain(descriptors: Int32Array, out: Uint8Array): bytes written, Head and packet for each; fewer than there
// are when `out` is full
napi_value Drain(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const int32_t* descriptors = nullptr;
  size_t count = 0;
  Bytes out;
  if (!Arguments(env, info, values) || !ReadInts(env, values[0], &descriptors, &count) ||
      !ReadBytes(env, values[1], &out))
    return Number(env, -EINVAL);
  constexpr size_t kLongest = 65536;
  size_t at = 0;
  for (size_t index = 0; index < count; index++) {
    while (at + sizeof(Head) + kLongest <= out.length) {
      sockaddr_storage from = {};
      iovec part = {out.data + at + sizeof(Head), kLongest};
      alignas(cmsghdr) char control[256];
      msghdr message = {};
      message.msg_name = &from;
      message.msg_namelen = sizeof(from);
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      ssize_t length = recvmsg(descriptors[index], &message, MSG_DONTWAIT);
      if (length < 0) break;
      Head head;
      head.socket = static_cast<uint32_t>(index);
      head.length = static_cast<uint32_t>(length);
      if (from.ss_family == AF_PACKET) {
        const auto* link = reinterpret_cast<const sockaddr_ll*>(&from);
        head.device = static_cast<uint32_t>(link->sll_ifindex);
        head.kind = link->sll_pkttype;
      } else if (from.ss_family == AF_INET) {
        memcpy(head.source, &reinterpret_cast<const sockaddr_in*>(&from)->sin_addr, 4);
      } else if (from.ss_family == AF_INET6) {
        memcpy(head.source, &reinterpret_cast<const sockaddr_in6*>(&from)->sin6_addr, 16);
      }
      ReadControl(&message, &head);
      memcpy(out.data + at, &head, sizeof(head));
      at += sizeof(head) + (static_cast<size_t>(length) + 3) / 4 * 4;
    }
  }
  return Number(env, static_cast<int64_t>(at));
}

// lost(descriptor): packets that found no room since the last call
napi_value Lost(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd = -1;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &fd)) return Number(env, -EINVAL);
  tpacket_stats statistics = {};
  socklen_t length = sizeof(statistics);
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) < 0) return Number(env, -errno);
  return Number(env, statistics.tp_drops);
}

// close(descriptor): 0
napi_value Close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd = -1;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &fd)) return Number(env, -EINVAL);
  return Number(env, close(fd) < 0 ? -errno : 0);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"openPacket", nullptr, OpenPacket, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openRaw", nullptr, OpenRaw, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"send", nullptr, Send, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"drain", nullptr, Drain, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"lost", nullptr, Lost, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  return exports;
}
