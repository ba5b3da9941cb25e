#include "node/socket_handle.h"

#include <array>
#include <utility>

#include "node/call.h"

namespace nfbridge::node {
namespace {

using netlink::Failures;
using netlink::Outcome;

using netlink::BatchOptions;

Outcome<Words> do_request(SharedSocket& shared, WordSpan words, const BatchOptions&) {
  return request(shared.socket, words);
}
Outcome<Words> do_dump(SharedSocket& shared, WordSpan words, const BatchOptions&) {
  return dump(shared.socket, words);
}
Outcome<Words> do_dump_part(SharedSocket& shared, WordSpan words, const BatchOptions&) {
  return dump_part(shared.socket, shared.dump, words);
}
Outcome<Words> do_transaction(SharedSocket& shared, WordSpan words, const BatchOptions& options) {
  return transaction(shared.socket, words, options);
}

struct Input {
  Words words;
  BatchOptions options;
};

// TransactionOptions; other calls get undefined here.
bool read_options(napi_env env, napi_value options, BatchOptions& read) {
  if (is_undefined(env, options)) return true;
  napi_valuetype type = napi_undefined;
  if (!check(env, napi_typeof(env, options, &type))) return false;
  if (type != napi_object) {
    throw_type_error(env, "options must be an object");
    return false;
  }
  napi_value value = nullptr;
  if (!check(env, napi_get_named_property(env, options, "generation", &value))) return false;
  if (!is_undefined(env, value)) {
    std::int64_t number = 0;
    // The kernel's generations begin at 1, and 0 would switch its check off.
    if (!read_integer(env, value, "options.generation", 1, UINT32_MAX, number)) return false;
    read.generation = static_cast<std::uint32_t>(number);
  }
  if (!check(env, napi_get_named_property(env, options, "dryRun", &value))) return false;
  if (is_undefined(env, value)) return true;
  if (!check(env, napi_typeof(env, value, &type))) return false;
  if (type != napi_boolean) {
    throw_type_error(env, "options.dryRun must be a boolean");
    return false;
  }
  return check(env, napi_get_value_bool(env, value, &read.dry_run));
}

}  // namespace

SocketHandle::~SocketHandle() {
  if (socket_) executor_->release(strand_, std::move(socket_));
}

napi_value SocketHandle::call(napi_env env, napi_callback_info info, Operation operation) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  Input input;
  if (!read_words(env, (*arguments)[0], "words", input.words)) return nullptr;
  if (operation == do_transaction && !read_options(env, (*arguments)[1], input.options)) return nullptr;
  // The socket is null when the handle is closed; the strand is closed then too, and the work never runs.
  return start_call<Words>(
      env, *Environment::get(env), self->strand_,
      [operation, input = std::move(input), socket = self->socket_](netlink::Home&) {
        const Turn::Holder turn(socket->turn, Turn::Caller::kQueued);
        return operation(*socket, input.words, input.options);
      },
      finish_words);
}

napi_value SocketHandle::call_sync(napi_env env, napi_callback_info info, Operation operation) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  Input input;
  if (!read_words(env, (*arguments)[0], "words", input.words)) return nullptr;
  if (operation == do_transaction && !read_options(env, (*arguments)[1], input.options)) return nullptr;
  // Reading the options may have run a getter of the caller, which may have closed the handle.
  const std::shared_ptr<SharedSocket> socket = self->socket_;
  if (!socket) return failures_value(env, {closed_failure()});
  const Turn::Holder turn(socket->turn, Turn::Caller::kSynchronous);
  Outcome<Words> outcome = operation(*socket, input.words, input.options);
  return finish_words(env, *Environment::get(env), outcome);
}

napi_value SocketHandle::port(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  return number_value(env, self->socket_ ? self->socket_->socket.port() : 0);
}

napi_value SocketHandle::request(napi_env env, napi_callback_info info) {
  return call(env, info, do_request);
}
napi_value SocketHandle::request_sync(napi_env env, napi_callback_info info) {
  return call_sync(env, info, do_request);
}
napi_value SocketHandle::dump(napi_env env, napi_callback_info info) {
  return call(env, info, do_dump);
}
napi_value SocketHandle::dump_sync(napi_env env, napi_callback_info info) {
  return call_sync(env, info, do_dump);
}
napi_value SocketHandle::dump_part(napi_env env, napi_callback_info info) {
  return call(env, info, do_dump_part);
}
napi_value SocketHandle::transaction(napi_env env, napi_callback_info info) {
  return call(env, info, do_transaction);
}
napi_value SocketHandle::transaction_sync(napi_env env, napi_callback_info info) {
  return call_sync(env, info, do_transaction);
}

napi_value SocketHandle::forget(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  Words words;
  Words patterns;
  if (!read_words(env, (*arguments)[0], "words", words) ||
      !read_words(env, (*arguments)[1], "patterns", patterns)) {
    return nullptr;
  }
  return start_call<std::uint64_t>(
      env, *Environment::get(env), self->strand_,
      [words = std::move(words), patterns = std::move(patterns), socket = self->socket_](netlink::Home&) {
        const Turn::Holder turn(socket->turn, Turn::Caller::kQueued);
        return node::forget(socket->socket, words, patterns);
      },
      [](napi_env settling, Environment&, Outcome<std::uint64_t>& outcome) {
        return outcome.ok() ? number_value(settling, static_cast<double>(outcome.value()))
                            : failures_value(settling, outcome.failures());
      });
}

napi_value SocketHandle::round_trip(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  return start_call<netlink::Nothing>(
      env, *Environment::get(env), self->strand_,
      [](netlink::Home&) -> Outcome<netlink::Nothing> { return netlink::Nothing{}; }, finish_nothing);
}

napi_value SocketHandle::close(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<SocketHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  if (self->socket_) self->executor_->close(self->strand_, std::move(self->socket_));
  return undefined(env);
}

bool SocketHandle::define(napi_env env, Environment& environment) {
  const std::array properties{
      getter("port", port),
      method("request", request),
      method("requestSync", request_sync),
      method("dump", dump),
      method("dumpSync", dump_sync),
      method("dumpPart", dump_part),
      method("forget", forget),
      method("transaction", transaction),
      method("transactionSync", transaction_sync),
      method("roundTrip", round_trip),
      method("close", close),
  };
  return define_handle(env, environment, kClass, "SocketHandle", properties);
}

}  // namespace nfbridge::node
