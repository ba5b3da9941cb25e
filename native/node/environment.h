// What the addon keeps for one JavaScript environment: the main thread's, or that of a worker thread, each of
// which loads the addon for itself. Nothing is shared between them.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "node/executor.h"

namespace nfbridge::node {

class Handle;
class MonitorStream;

// The classes that JavaScript sees.
enum class HandleClass : std::uint8_t { kSocket, kNamespace, kMonitor, kReservations };
inline constexpr std::size_t kHandleClasses = 4;

class Environment {
 public:
  // Makes the environment's instance and ties it to its life. False, with an exception pending, when that
  // fails.
  static Environment* create(napi_env env);
  static Environment* get(napi_env env);
  ~Environment();

  // Shared with handles, whose finalizers may run after this instance is gone.
  const std::shared_ptr<Executor>& executor() const { return executor_; }

  // Keeps the event loop alive, once for each call that is pending and each monitor that is open and holds
  // it. JavaScript thread.
  void hold(napi_env env);
  void let_go(napi_env env);

  // Has settle() called on the JavaScript thread, in the order of the calls of complete(). Any thread.
  void complete(std::unique_ptr<Completion> completion);

  // Monitors that are open: their threads end before the environment does. JavaScript thread.
  void add_monitor(std::shared_ptr<MonitorStream> monitor);
  void remove_monitor(const std::shared_ptr<MonitorStream>& monitor);

  // An ArrayBuffer without bytes, always the same: most calls are answered with it, and making one costs a
  // tenth of a small transaction. Null with an exception pending.
  napi_value empty_reply(napi_env env);

  void set_constructor(HandleClass which, napi_ref constructor);
  // A JavaScript object of the class that owns the handle; null, with an exception pending, when there can be
  // none.
  napi_value make_object(napi_env env, HandleClass which, std::unique_ptr<Handle> handle);
  // For the classes' constructor: the handle that make_object() is making an object for, or null.
  std::unique_ptr<Handle> take_handle();

 private:
  Environment() = default;
  static void wake(napi_env env, napi_value, void* context, void*);
  static void shut_down(void* self);
  void settle_all(napi_env env);
  void shut_down();

  std::shared_ptr<Executor> executor_;
  napi_threadsafe_function wake_ = nullptr;
  std::size_t holds_ = 0;
  std::array<napi_ref, kHandleClasses> constructors_{};
  napi_ref empty_reply_ = nullptr;
  std::unique_ptr<Handle> making_;
  std::set<std::shared_ptr<MonitorStream>> monitors_;
  bool shut_down_ = false;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Completion>> completions_;  // guarded by mutex_
};

}  // namespace nfbridge::node
