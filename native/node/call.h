// A call that JavaScript awaits: work on an addon thread, then a promise that is settled.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "netlink/failure.h"
#include "node/environment.h"
#include "node/failures.h"
#include "node/values.h"

namespace nfbridge::node {

// On an addon thread. What it captures is let go of there.
template <typename T>
using Work = std::function<netlink::Outcome<T>(netlink::Home&)>;

// On the JavaScript thread: the value of the promise. Null with an exception pending rejects it.
template <typename T>
using Finish = std::function<napi_value(napi_env, Environment&, netlink::Outcome<T>&)>;

template <typename T>
class Call final : public Job {
 public:
  Call(napi_deferred deferred, Work<T> work, Finish<T> finish)
      : deferred_(deferred), work_(std::move(work)), finish_(std::move(finish)) {}

  void run(netlink::Home& home) override {
    outcome_.emplace(work_(home));
    work_ = nullptr;
  }
  void cancel(netlink::Failure failure) override {
    outcome_.emplace(std::move(failure));
    work_ = nullptr;
  }
  bool settles() const override { return true; }
  void settle(napi_env env, Environment& environment) override {
    if (napi_value value = finish_(env, environment, *outcome_); value != nullptr) {
      napi_resolve_deferred(env, deferred_, value);
    } else {
      napi_value error = nullptr;
      if (napi_get_and_clear_last_exception(env, &error) == napi_ok && error != nullptr) {
        napi_reject_deferred(env, deferred_, error);
      }
    }
    environment.let_go(env);
  }

 private:
  napi_deferred deferred_;
  Work<T> work_;
  Finish<T> finish_;
  std::optional<netlink::Outcome<T>> outcome_;
};

// Queues the work and returns the promise; null with an exception pending when there can be none.
template <typename T>
napi_value start_call(napi_env env, Environment& environment, const std::shared_ptr<Strand>& strand,
                      Work<T> work, Finish<T> finish) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (!check(env, napi_create_promise(env, &deferred, &promise))) return nullptr;
  environment.hold(env);
  environment.executor()->post(strand,
                               std::make_unique<Call<T>>(deferred, std::move(work), std::move(finish)));
  return promise;
}

// The usual ways to finish.
inline napi_value finish_words(napi_env env, Environment& environment, netlink::Outcome<Words>& outcome) {
  if (outcome.ok() && outcome.value().empty()) return environment.empty_reply(env);
  return outcome.ok() ? array_buffer(env, std::move(outcome.value()))
                      : failures_value(env, outcome.failures());
}
inline napi_value finish_nothing(napi_env env, Environment&, netlink::Outcome<netlink::Nothing>& outcome) {
  return outcome.ok() ? undefined(env) : failures_value(env, outcome.failures());
}
inline napi_value finish_text(napi_env env, Environment&, netlink::Outcome<std::string>& outcome) {
  return outcome.ok() ? string_value(env, outcome.value()) : failures_value(env, outcome.failures());
}

}  // namespace nfbridge::node
