#include "node/environment.h"

#include <utility>

#include "node/handle.h"
#include "node/monitor_handle.h"
#include "node/values.h"

namespace nfbridge::node {

Environment* Environment::create(napi_env env) {
  std::unique_ptr<Environment> environment(new Environment());
  Environment* self = environment.get();
  napi_value name;
  if (!check(env, napi_create_string_utf8(env, "nfbridge", NAPI_AUTO_LENGTH, &name))) return nullptr;
  if (!check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, self,
                                                  wake, &self->wake_))) {
    return nullptr;
  }
  // Idle, it does not keep the event loop alive.
  if (!check(env, napi_unref_threadsafe_function(env, self->wake_))) return nullptr;
  self->executor_ = std::make_shared<Executor>([self](std::unique_ptr<Job> job) {
    if (job->settles()) self->complete(std::move(job));
  });
  // Hooks run in the reverse order: this one before that of the thread-safe function, which its threads use.
  if (!check(env, napi_add_env_cleanup_hook(env, shut_down, self))) return nullptr;
  const auto finalize = [](napi_env, void* data, void*) {
    const std::unique_ptr<Environment> gone(static_cast<Environment*>(data));
  };
  if (!check(env, napi_set_instance_data(env, self, finalize, nullptr))) {
    napi_remove_env_cleanup_hook(env, shut_down, self);
    return nullptr;
  }
  return environment.release();
}

Environment* Environment::get(napi_env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok) return nullptr;
  return static_cast<Environment*>(data);
}

Environment::~Environment() {
  shut_down();
}

void Environment::hold(napi_env env) {
  if (holds_++ == 0) napi_ref_threadsafe_function(env, wake_);
}

void Environment::let_go(napi_env env) {
  if (--holds_ == 0) napi_unref_threadsafe_function(env, wake_);
}

void Environment::complete(std::unique_ptr<Completion> completion) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = completions_.empty();
    completions_.push_back(std::move(completion));
  }
  // One wake-up for all that come before the JavaScript thread gets to it. It cannot fail: the queue has no
  // limit, and the function closes only after the threads have ended.
  if (first) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Environment::wake(napi_env env, napi_value, void* context, void*) {
  if (env != nullptr) static_cast<Environment*>(context)->settle_all(env);  // null: the environment is going
}

void Environment::settle_all(napi_env env) {
  std::vector<std::unique_ptr<Completion>> completions;
  {
    const std::lock_guard lock(mutex_);
    completions.swap(completions_);
  }
  for (const auto& completion : completions) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    completion->settle(env, *this);
    napi_close_handle_scope(env, scope);
  }
}

void Environment::add_monitor(std::shared_ptr<MonitorStream> monitor) {
  monitors_.insert(std::move(monitor));
}

void Environment::remove_monitor(const std::shared_ptr<MonitorStream>& monitor) {
  monitors_.erase(monitor);
}

napi_value Environment::empty_reply(napi_env env) {
  napi_value reply = nullptr;
  if (empty_reply_ != nullptr) {
    return check(env, napi_get_reference_value(env, empty_reply_, &reply)) ? reply : nullptr;
  }
  reply = array_buffer(env, netlink::Bytes{});
  if (reply == nullptr || !check(env, napi_create_reference(env, reply, 1, &empty_reply_))) return nullptr;
  return reply;
}

void Environment::set_constructor(HandleClass which, napi_ref constructor) {
  constructors_[static_cast<std::size_t>(which)] = constructor;
}

napi_value Environment::make_object(napi_env env, HandleClass which, std::unique_ptr<Handle> handle) {
  napi_value constructor;
  napi_value object;
  if (!check(env,
             napi_get_reference_value(env, constructors_[static_cast<std::size_t>(which)], &constructor))) {
    return nullptr;
  }
  making_ = std::move(handle);
  const napi_status status = napi_new_instance(env, constructor, 0, nullptr, &object);
  making_.reset();
  return check(env, status) ? object : nullptr;
}

std::unique_ptr<Handle> Environment::take_handle() {
  return std::move(making_);
}

void Environment::shut_down(void* self) {
  static_cast<Environment*>(self)->shut_down();
}

// Waits for the calls that run, at most, and for none that is queued. No JavaScript is possible here: what is
// pending never settles, as with everything else of an environment that ends.
void Environment::shut_down() {
  if (std::exchange(shut_down_, true)) return;
  if (executor_) executor_->stop();
  for (const auto& monitor : monitors_) monitor->stop();
  monitors_.clear();
  {
    const std::lock_guard lock(mutex_);
    completions_.clear();
  }
  if (wake_ != nullptr) napi_release_threadsafe_function(std::exchange(wake_, nullptr), napi_tsfn_abort);
}

}  // namespace nfbridge::node
