// SocketHandle of src/native/addon.ts: a netlink socket, used on addon threads and, by the calls that end in
// Sync, on the JavaScript thread.
#pragma once

#include <memory>

#include "netlink/socket.h"
#include "node/calls.h"
#include "node/handle.h"
#include "node/turn.h"

namespace nfbridge::node {

// A socket whose users take turns: jobs of its strand and synchronous calls. A synchronous call waits for the
// job that runs, not for those that are queued.
struct SharedSocket {
  explicit SharedSocket(netlink::Socket opened) : socket(std::move(opened)) {}
  Turn turn;
  netlink::Socket socket;
  netlink::PartialDump dump;
};

class SocketHandle final : public Handle {
 public:
  static constexpr HandleClass kClass = HandleClass::kSocket;
  static bool define(napi_env env, Environment& environment);

  SocketHandle(std::shared_ptr<Executor> executor, std::shared_ptr<SharedSocket> socket)
      : executor_(std::move(executor)), socket_(std::move(socket)) {}
  // What is pending goes on; the socket is closed after it.
  ~SocketHandle() override;

 private:
  using Operation = netlink::Outcome<Words> (*)(SharedSocket&, WordSpan, const netlink::BatchOptions&);

  static napi_value port(napi_env env, napi_callback_info info);
  static napi_value request(napi_env env, napi_callback_info info);
  static napi_value request_sync(napi_env env, napi_callback_info info);
  static napi_value dump(napi_env env, napi_callback_info info);
  static napi_value dump_sync(napi_env env, napi_callback_info info);
  static napi_value dump_part(napi_env env, napi_callback_info info);
  static napi_value forget(napi_env env, napi_callback_info info);
  static napi_value transaction(napi_env env, napi_callback_info info);
  static napi_value transaction_sync(napi_env env, napi_callback_info info);
  static napi_value round_trip(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  static napi_value call(napi_env env, napi_callback_info info, Operation operation);
  static napi_value call_sync(napi_env env, napi_callback_info info, Operation operation);

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  std::shared_ptr<SharedSocket> socket_;  // null: closed
};

}  // namespace nfbridge::node
