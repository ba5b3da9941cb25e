// JavaScript classes whose objects own a native half. Instances come from the addon only; a method that is
// called on anything else throws.
#pragma once

#include <node_api.h>

#include <span>

#include "node/environment.h"

namespace nfbridge::node {

// The native half. Destroyed on the JavaScript thread when the object is collected, or when the environment
// ends: it must not wait for anything there.
class Handle {
 public:
  virtual ~Handle() = default;
};

// Makes the class known to the environment. False with an exception pending.
bool define_handle(napi_env env, Environment& environment, HandleClass which, const char* name,
                   std::span<const napi_property_descriptor> properties);

// The native half of an object of the class; null, with a TypeError pending, for anything else.
Handle* unwrap_handle(napi_env env, napi_value object, HandleClass which);

// A handle class says which it is: `static constexpr HandleClass kClass`.
template <typename T>
T* unwrap(napi_env env, napi_value object) {
  return static_cast<T*>(unwrap_handle(env, object, T::kClass));
}

inline napi_property_descriptor method(const char* name, napi_callback callback) {
  return {.utf8name = name,
          .name = nullptr,
          .method = callback,
          .getter = nullptr,
          .setter = nullptr,
          .value = nullptr,
          .attributes = napi_default_method,
          .data = nullptr};
}

inline napi_property_descriptor getter(const char* name, napi_callback callback) {
  return {.utf8name = name,
          .name = nullptr,
          .method = nullptr,
          .getter = callback,
          .setter = nullptr,
          .value = nullptr,
          .attributes = napi_enumerable,
          .data = nullptr};
}

}  // namespace nfbridge::node
