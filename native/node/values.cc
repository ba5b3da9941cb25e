#include "node/values.h"

#include <cmath>
#include <cstring>
#include <memory>

namespace nfbridge::node {
namespace {

// From here on a reply is not copied into JavaScript's memory. Such a buffer cannot be transferred to another
// thread.
constexpr std::size_t kHandOverBytes = 64 * 1024;

// More than any socket sends at once, and far from where 32-bit offsets would end.
constexpr std::size_t kMaxInputBytes = 512 * 1024 * 1024;

napi_value throw_argument_error(napi_env env, const char* name, const char* expected) {
  return throw_type_error(env, (std::string(name) + " must be " + expected).c_str());
}

// The memory of a typed array; false with a TypeError when it is another type of value, or detached.
bool typed_memory(napi_env env, napi_value value, napi_typedarray_type wanted, const char* name,
                  const char* expected, const void*& data, std::size_t& length) {
  bool is_typed = false;
  if (!check(env, napi_is_typedarray(env, value, &is_typed))) return false;
  napi_typedarray_type type = napi_int8_array;
  napi_value buffer = nullptr;
  void* memory = nullptr;
  if (is_typed &&
      !check(env, napi_get_typedarray_info(env, value, &type, &length, &memory, &buffer, nullptr))) {
    return false;
  }
  if (!is_typed || type != wanted) {
    throw_argument_error(env, name, expected);
    return false;
  }
  bool detached = false;
  // Fails for shared memory, which is never detached.
  if (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached) {
    throw_argument_error(env, name, "an array whose buffer is not detached");
    return false;
  }
  data = memory;
  return true;
}

}  // namespace

bool check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending) return false;
  const napi_extended_error_info* info = nullptr;
  const char* message = "a call of Node-API failed";
  if (napi_get_last_error_info(env, &info) == napi_ok && info->error_message != nullptr)
    message = info->error_message;
  napi_throw_error(env, nullptr,
                   message);  // refused when the environment ends: then nothing runs that could notice
  return false;
}

napi_value throw_type_error(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

bool read_words(napi_env env, napi_value value, const char* name, Words& words) {
  const void* data = nullptr;
  std::size_t length = 0;
  if (!typed_memory(env, value, napi_uint32_array, name, "a Uint32Array", data, length)) return false;
  if (length > kMaxInputBytes / sizeof(std::uint32_t)) {
    throw_argument_error(env, name, "of at most 512 MiB");
    return false;
  }
  // Copied also for calls that return before anything else can run: the memory may be shared with another
  // thread.
  const auto* first = static_cast<const std::uint32_t*>(data);
  words.assign(first, first + length);  // not resized before, which would write zeros first
  return true;
}

bool read_bytes(napi_env env, napi_value value, const char* name, netlink::Buffer& bytes) {
  const void* data = nullptr;
  std::size_t length = 0;
  if (!typed_memory(env, value, napi_uint8_array, name, "a Uint8Array", data, length)) return false;
  if (length > kMaxInputBytes) {
    throw_argument_error(env, name, "of at most 512 MiB");
    return false;
  }
  bytes.clear();
  if (length > 0) bytes.append({static_cast<const std::byte*>(data), length});
  return true;
}

bool read_string(napi_env env, napi_value value, const char* name, std::string& text) {
  std::size_t length = 0;
  const napi_status status = napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  if (status == napi_string_expected) {
    throw_argument_error(env, name, "a string");
    return false;
  }
  if (!check(env, status)) return false;
  text.resize(length + 1);
  if (!check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length))) return false;
  text.resize(length);
  if (text.find('\0') == std::string::npos) return true;
  throw_argument_error(env, name, "a string without NUL");
  return false;
}

bool read_protocol(napi_env env, napi_value value, codec::Protocol& protocol) {
  std::string text;
  if (!read_string(env, value, "protocol", text)) return false;
  if (text == "route") {
    protocol = codec::Protocol::kRoute;
  } else if (text == "netfilter") {
    protocol = codec::Protocol::kNetfilter;
  } else {
    throw_argument_error(env, "protocol", "'route' or 'netfilter'");
    return false;
  }
  return true;
}

bool read_integer(napi_env env, napi_value value, const char* name, std::int64_t least, std::int64_t most,
                  std::int64_t& number) {
  double read = 0;
  const napi_status status = napi_get_value_double(env, value, &read);
  if (status != napi_number_expected && !check(env, status)) return false;
  if (status == napi_number_expected || !(read >= static_cast<double>(least)) ||
      !(read <= static_cast<double>(most)) || std::trunc(read) != read) {
    const std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    throw_argument_error(env, name, expected.c_str());
    return false;
  }
  number = static_cast<std::int64_t>(read);
  return true;
}

bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type = napi_null;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  check(env, napi_get_undefined(env, &value));
  return value;
}

napi_value string_value(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  return check(env, napi_create_string_utf8(env, text.data(), text.size(), &value)) ? value : nullptr;
}

napi_value number_value(napi_env env, double number) {
  napi_value value = nullptr;
  return check(env, napi_create_double(env, number, &value)) ? value : nullptr;
}

napi_value array_buffer(napi_env env, Words&& words) {
  const std::size_t size = words.size() * sizeof(std::uint32_t);
  if (size >= kHandOverBytes) {
    auto owned = std::make_unique<Words>(std::move(words));
    napi_value value = nullptr;
    const auto finalize = [](napi_env, void*, void* hint) {
      const std::unique_ptr<Words> gone(static_cast<Words*>(hint));
    };
    const napi_status status =
        napi_create_external_arraybuffer(env, owned->data(), size, finalize, owned.get(), &value);
    if (status == napi_ok) {
      owned.release();
      return value;
    }
    // Some embedders of V8 do not allow it.
    if (status != napi_no_external_buffers_allowed) {
      check(env, status);
      return nullptr;
    }
    return array_buffer(env, std::as_bytes(std::span(*owned)));
  }
  return array_buffer(env, std::as_bytes(std::span(words)));
}

napi_value array_buffer(napi_env env, netlink::Bytes bytes) {
  napi_value value = nullptr;
  void* data = nullptr;
  if (!check(env, napi_create_arraybuffer(env, bytes.size(), &data, &value))) return nullptr;
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return value;
}

bool set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  return value != nullptr && check(env, napi_set_named_property(env, object, name, value));
}

}  // namespace nfbridge::node
