// Raw IP sockets for the lab, which Node.js does not have: what a test machine pings with, and speaks SCTP
// without the kernel's. Never part of the package: it has no business with packets. A function each for
// socket, sendto, recvfrom and close; all are non-blocking and fail with a negative errno.
#include <arpa/inet.h>
#include <errno.h>
#include <node_api.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace {

constexpr size_t kIPv4Length = 4;
constexpr size_t kIPv6Length = 16;

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

template <size_t N>
bool Arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  return napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == N;
}

// open(family: 4 | 6, protocol: number): descriptor, in the calling thread's namespace
napi_value Open(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t family = 0;
  int32_t protocol = 0;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &family) ||
      !ReadInt(env, values[1], &protocol))
    return Number(env, -EINVAL);
  int fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return Number(env, -errno);
  // What arrives is taken out when somebody asks for it; until then it waits here.
  int size = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
  return Number(env, fd);
}

// send(descriptor, address: Uint8Array of 4 or 16, packet: Uint8Array): 0
napi_value Send(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd = -1;
  Bytes address;
  Bytes packet;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &fd) ||
      !ReadBytes(env, values[1], &address) || !ReadBytes(env, values[2], &packet))
    return Number(env, -EINVAL);
  sockaddr_in ipv4 = {};
  sockaddr_in6 ipv6 = {};
  const sockaddr* target = nullptr;
  socklen_t length = 0;
  if (address.length == kIPv4Length) {
    ipv4.sin_family = AF_INET;
    memcpy(&ipv4.sin_addr, address.data, kIPv4Length);
    target = reinterpret_cast<const sockaddr*>(&ipv4);
    length = sizeof(ipv4);
  } else if (address.length == kIPv6Length) {
    ipv6.sin6_family = AF_INET6;
    memcpy(&ipv6.sin6_addr, address.data, kIPv6Length);
    target = reinterpret_cast<const sockaddr*>(&ipv6);
    length = sizeof(ipv6);
  } else {
    return Number(env, -EINVAL);
  }
  ssize_t sent = sendto(fd, packet.data, packet.length, MSG_DONTWAIT, target, length);
  return Number(env, sent < 0 ? -errno : 0);
}

// receive(descriptor, packet: Uint8Array, source: Uint8Array of 16): length; IPv4 packets come with their IP
// header
napi_value Receive(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd = -1;
  Bytes packet;
  Bytes source;
  if (!Arguments(env, info, values) || !ReadInt(env, values[0], &fd) || !ReadBytes(env, values[1], &packet) ||
      !ReadBytes(env, values[2], &source) || source.length < kIPv6Length)
    return Number(env, -EINVAL);
  sockaddr_storage from = {};
  socklen_t length = sizeof(from);
  ssize_t received =
      recvfrom(fd, packet.data, packet.length, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &length);
  if (received < 0) return Number(env, -errno);
  if (from.ss_family == AF_INET)
    memcpy(source.data, &reinterpret_cast<const sockaddr_in*>(&from)->sin_addr, kIPv4Length);
  else if (from.ss_family == AF_INET6)
    memcpy(source.data, &reinterpret_cast<const sockaddr_in6*>(&from)->sin6_addr, kIPv6Length);
  return Number(env, received);
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
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"send", nullptr, Send, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"receive", nullptr, Receive, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  return exports;
}
