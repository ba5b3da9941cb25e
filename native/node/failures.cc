#include "node/failures.h"

#include "node/values.h"

namespace nfbridge::node {
namespace {

std::string_view reason_name(netlink::Reason reason) {
  switch (reason) {
    case netlink::Reason::kKernel:
      return "kernel";
    case netlink::Reason::kSystem:
      return "system";
    case netlink::Reason::kClosed:
      return "closed";
    case netlink::Reason::kInconsistent:
      return "inconsistent";
    case netlink::Reason::kOverflow:
      return "overflow";
    case netlink::Reason::kTooLarge:
      return "too-large";
    case netlink::Reason::kMalformed:
      return "malformed";
  }
  return "system";
}

napi_value failure_value(napi_env env, const netlink::Failure& failure) {
  napi_value object = nullptr;
  if (!check(env, napi_create_object(env, &object))) return nullptr;
  const bool complete = set_property(env, object, "reason", string_value(env, reason_name(failure.reason))) &&
                        set_property(env, object, "errno", number_value(env, failure.error)) &&
                        set_property(env, object, "call", string_value(env, failure.call)) &&
                        set_property(env, object, "message", string_value(env, failure.message)) &&
                        set_property(env, object, "index", number_value(env, failure.index)) &&
                        set_property(env, object, "path", string_value(env, failure.path));
  return complete ? object : nullptr;
}

}  // namespace

napi_value failures_value(napi_env env, const netlink::Failures& failures) {
  napi_value array = nullptr;
  if (!check(env, napi_create_array_with_length(env, failures.size(), &array))) return nullptr;
  std::uint32_t index = 0;
  for (const netlink::Failure& failure : failures) {
    napi_value object = failure_value(env, failure);
    if (object == nullptr || !check(env, napi_set_element(env, array, index++, object))) return nullptr;
  }
  return array;
}

}  // namespace nfbridge::node
