// The exports of the addon: NativeAddon of src/native/addon.ts.
#include <node_api.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "node/calls.h"
#include "node/environment.h"
#include "node/failures.h"
#include "node/handle.h"
#include "node/monitor_handle.h"
#include "node/namespace_handle.h"
#include "node/reservations_handle.h"
#include "node/schema_export.h"
#include "node/socket_handle.h"
#include "node/values.h"

namespace nfbridge::node {
namespace {

napi_value encode(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  Words words;
  if (!arguments || !read_words(env, (*arguments)[0], "words", words)) return nullptr;
  netlink::Outcome<netlink::Buffer> outcome = encode_messages(words);
  if (!outcome.ok()) return failures_value(env, outcome.failures());
  return array_buffer(env, outcome.value().bytes());
}

napi_value decode(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<2>::read(env, info);
  codec::Protocol protocol{};
  netlink::Buffer bytes;
  if (!arguments || !read_protocol(env, (*arguments)[0], protocol) ||
      !read_bytes(env, (*arguments)[1], "bytes", bytes)) {
    return nullptr;
  }
  netlink::Outcome<Words> outcome = decode_messages(protocol, bytes.bytes());
  if (!outcome.ok()) return failures_value(env, outcome.failures());
  return array_buffer(env, std::move(outcome.value()));
}

// flock(2), without waiting: the lock goes with the last descriptor of the open file, be the process killed.
napi_value lock_file(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  std::int64_t number = 0;
  if (!arguments || !read_integer(env, (*arguments)[0], "fd", 0, INT32_MAX, number)) return nullptr;
  int result = 0;
  do {
    result = ::flock(static_cast<int>(number), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? undefined(env) : failures_value(env, {netlink::system_failure("flock")});
}

napi_value initialize(napi_env env, napi_value exports) {
  Environment* environment = Environment::create(env);
  if (environment == nullptr || !SocketHandle::define(env, *environment) ||
      !NamespaceHandle::define(env, *environment) || !MonitorHandle::define(env, *environment) ||
      !ReservationsHandle::define(env, *environment) || !export_schemas(env, exports)) {
    return nullptr;
  }
  const std::array functions{
      method("openNamespace", open_namespace),
      method("openNamespaceFd", open_namespace_fd),
      method("openNamespaceOfProcess", open_namespace_of_process),
      method("createNamespace", create_namespace),
      method("unmountNamespace", unmount_namespace),
      method("encode", encode),
      method("decode", decode),
      method("lockFile", lock_file),
  };
  if (!check(env, napi_define_properties(env, exports, functions.size(), functions.data()))) return nullptr;
  return exports;
}

}  // namespace
}  // namespace nfbridge::node

NAPI_MODULE_INIT() {
  return nfbridge::node::initialize(env, exports);
}
