// The exports of the addon: NativeAddon of src/native/addon.ts.
#include <node_api.h>

#include <array>

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
      method("createNamespace", create_namespace),
      method("unmountNamespace", unmount_namespace),
      method("encode", encode),
      method("decode", decode),
  };
  if (!check(env, napi_define_properties(env, exports, functions.size(), functions.data()))) return nullptr;
  return exports;
}

}  // namespace
}  // namespace nfbridge::node

NAPI_MODULE_INIT() {
  return nfbridge::node::initialize(env, exports);
}
