#include "node/handle.h"

#include <array>

#include "node/values.h"

namespace nfbridge::node {
namespace {

// Random numbers, one for each class: napi_unwrap() alone would give the half of one class to the methods of
// another.
constexpr std::array<napi_type_tag, kHandleClasses> kTags{{
    {0x5d0f27e3a1c94b68, 0x9f3b8a7041d2e6c5},
    {0x81b6c4f29e0d3a57, 0xb25e91c7f08a4d36},
    {0xe47a0b9d563f18c2, 0x8c61d5f3279be04a},
    {0xebb3fc1503177937, 0xbd0e4b6937285930},
}};

const napi_type_tag& tag_of(HandleClass which) {
  return kTags[static_cast<std::size_t>(which)];
}

void finalize(napi_env, void* data, void*) {
  const std::unique_ptr<Handle> gone(static_cast<Handle*>(data));
}

napi_value construct(napi_env env, napi_callback_info info) {
  napi_value self = nullptr;
  void* which = nullptr;
  std::size_t count = 0;
  if (!check(env, napi_get_cb_info(env, info, &count, nullptr, &self, &which))) return nullptr;
  Environment* environment = Environment::get(env);
  std::unique_ptr<Handle> handle = environment != nullptr ? environment->take_handle() : nullptr;
  if (!handle) return throw_type_error(env, "Illegal constructor");
  if (!check(env, napi_type_tag_object(env, self, static_cast<const napi_type_tag*>(which)))) return nullptr;
  if (!check(env, napi_wrap(env, self, handle.get(), finalize, nullptr, nullptr))) return nullptr;
  handle.release();  // the object owns it now
  return self;
}

}  // namespace

bool define_handle(napi_env env, Environment& environment, HandleClass which, const char* name,
                   std::span<const napi_property_descriptor> properties) {
  napi_value constructor = nullptr;
  napi_ref reference = nullptr;
  void* tag = const_cast<napi_type_tag*>(&tag_of(which));  // N-API wants it so; nobody writes to it
  if (!check(env, napi_define_class(env, name, NAPI_AUTO_LENGTH, construct, tag, properties.size(),
                                    properties.data(), &constructor)) ||
      !check(env, napi_create_reference(env, constructor, 1, &reference))) {
    return false;
  }
  environment.set_constructor(which, reference);
  return true;
}

Handle* unwrap_handle(napi_env env, napi_value object, HandleClass which) {
  bool matches = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(env, object, &tag_of(which), &matches) != napi_ok || !matches ||
      napi_unwrap(env, object, &data) != napi_ok) {
    throw_type_error(env, "Illegal invocation");
    return nullptr;
  }
  return static_cast<Handle*>(data);
}

}  // namespace nfbridge::node
