// JavaScript values to C++ ones and back. Functions that return a bool or a null value leave a JavaScript
// exception pending when they fail; the caller returns.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/schema.h"
#include "netlink/message.h"
#include "node/calls.h"

namespace nfbridge::node {

// False when an N-API call did not work; throws an Error with its words unless an exception is pending
// already. In an environment that ends nothing can be thrown, and nothing is.
bool check(napi_env env, napi_status status);

// Throws; returns null, to be returned.
napi_value throw_type_error(napi_env env, const char* message);

// The receiver and the first N arguments of a call; those that are missing are undefined.
template <std::size_t N>
struct Arguments {
  napi_value self = nullptr;
  std::array<napi_value, N> values{};

  static std::optional<Arguments> read(napi_env env, napi_callback_info info) {
    Arguments arguments;
    std::size_t count = N;
    if (!check(env, napi_get_cb_info(env, info, &count, arguments.values.data(), &arguments.self, nullptr))) {
      return std::nullopt;
    }
    return arguments;
  }
  napi_value operator[](std::size_t index) const { return values[index]; }
};

// Each throws a TypeError that names the argument when the value is of another type.
bool read_words(napi_env env, napi_value value, const char* name, Words& words);  // a copy of a Uint32Array
bool read_bytes(napi_env env, napi_value value, const char* name, netlink::Buffer& bytes);  // of a Uint8Array
bool read_string(napi_env env, napi_value value, const char* name, std::string& text);      // without NUL
bool read_protocol(napi_env env, napi_value value, codec::Protocol& protocol);
// An integer from `least` to `most`.
bool read_integer(napi_env env, napi_value value, const char* name, std::int64_t least, std::int64_t most,
                  std::int64_t& number);

bool is_undefined(napi_env env, napi_value value);

napi_value undefined(napi_env env);
napi_value string_value(napi_env env, std::string_view text);
napi_value number_value(napi_env env, double number);
// An ArrayBuffer. Long ones are not copied: the words become its memory.
napi_value array_buffer(napi_env env, Words&& words);
napi_value array_buffer(napi_env env, netlink::Bytes bytes);
bool set_property(napi_env env, napi_value object, const char* name, napi_value value);

}  // namespace nfbridge::node
