// NamespaceHandle of src/native/addon.ts, and the exports that make one.
#pragma once

#include <memory>

#include "netlink/frames.h"
#include "netlink/namespace.h"
#include "node/handle.h"

namespace nfbridge::node {

class NamespaceHandle final : public Handle {
 public:
  static constexpr HandleClass kClass = HandleClass::kNamespace;
  static bool define(napi_env env, Environment& environment);

  NamespaceHandle(std::shared_ptr<Executor> executor, netlink::Namespace opened)
      : executor_(std::move(executor)),
        inode_(opened.inode()),
        namespace_(std::make_shared<const netlink::Namespace>(std::move(opened))) {}
  ~NamespaceHandle() override;

 private:
  static napi_value fd(napi_env env, napi_callback_info info);
  static napi_value inode(napi_env env, napi_callback_info info);
  // A file below /proc, as a thread in the namespace reads it.
  static napi_value read_text(napi_env env, napi_callback_info info,
                              netlink::Outcome<std::string> (*read)(const std::string&));
  static napi_value read_sysctl(napi_env env, napi_callback_info info);
  static napi_value read_proc_net(napi_env env, napi_callback_info info);
  static napi_value write_sysctl(napi_env env, napi_callback_info info);
  static napi_value open_socket(napi_env env, napi_callback_info info);
  static napi_value request(napi_env env, napi_callback_info info);
  static napi_value open_monitor(napi_env env, napi_callback_info info);
  static napi_value open_reservations(napi_env env, napi_callback_info info);
  static napi_value port_owner(napi_env env, napi_callback_info info);
  static napi_value send_frames(napi_env env, napi_callback_info info);
  static napi_value enter_thread(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  const std::uint64_t inode_;
  // Null: closed. Jobs that are queued or running hold the descriptor too; closing it waits for nothing.
  std::shared_ptr<const netlink::Namespace> namespace_;
  // Used on the strand alone, and let go of there. Null: closed.
  std::shared_ptr<netlink::FrameSender> sender_ = std::make_shared<netlink::FrameSender>();
};

// openNamespace, openNamespaceFd, createNamespace, unmountNamespace.
napi_value open_namespace(napi_env env, napi_callback_info info);
napi_value open_namespace_fd(napi_env env, napi_callback_info info);
napi_value open_namespace_of_process(napi_env env, napi_callback_info info);
napi_value create_namespace(napi_env env, napi_callback_info info);
napi_value unmount_namespace(napi_env env, napi_callback_info info);

}  // namespace nfbridge::node
