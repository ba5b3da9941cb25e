#include "node/namespace_handle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "netlink/frames.h"
#include "netlink/monitor.h"
#include "netlink/port_owner.h"
#include "netlink/sysctl.h"
#include "node/call.h"
#include "node/monitor_handle.h"
#include "node/reservations_handle.h"
#include "node/socket_handle.h"

namespace nfbridge::node {
namespace {

using netlink::Home;
using netlink::Namespace;
using netlink::Nothing;
using netlink::Outcome;

constexpr std::uint32_t kMaxGroups = 256;

// The groups of a monitor: a non-empty array of group numbers.
bool read_groups(napi_env env, napi_value value, std::vector<std::uint32_t>& groups) {
  bool is_array = false;
  std::uint32_t length = 0;
  if (!check(env, napi_is_array(env, value, &is_array))) return false;
  if (is_array && !check(env, napi_get_array_length(env, value, &length))) return false;
  if (length == 0 || length > kMaxGroups) {
    throw_type_error(env, "groups must be an array of at least one multicast group");
    return false;
  }
  for (std::uint32_t index = 0; index < length; index++) {
    napi_value element = nullptr;
    std::int64_t group = 0;
    if (!check(env, napi_get_element(env, value, index, &element)) ||
        !read_integer(env, element, "a group", 1, INT32_MAX, group)) {
      return false;
    }
    groups.push_back(static_cast<std::uint32_t>(group));
  }
  return true;
}

// MonitorOptions of src/native/addon.ts.
bool read_monitor_options(napi_env env, napi_value options, codec::Protocol protocol,
                          std::optional<netlink::MonitorFilter>& filter, bool& holds) {
  if (is_undefined(env, options)) return true;
  napi_valuetype type = napi_undefined;
  if (!check(env, napi_typeof(env, options, &type))) return false;
  if (type != napi_object) {
    throw_type_error(env, "options must be an object");
    return false;
  }
  std::string message;
  std::int64_t port = 0;
  napi_value value = nullptr;
  if (!check(env, napi_get_named_property(env, options, "message", &value)) ||
      !read_string(env, value, "options.message", message) ||
      !check(env, napi_get_named_property(env, options, "exceptPort", &value)) ||
      !read_integer(env, value, "options.exceptPort", 0, UINT32_MAX, port) ||
      !check(env, napi_get_named_property(env, options, "holds", &value)) ||
      !check(env, napi_typeof(env, value, &type))) {
    return false;
  }
  if (type != napi_boolean) {
    throw_type_error(env, "options.holds must be a boolean");
    return false;
  }
  const auto known = codec::messages();
  const auto found = std::ranges::find_if(
      known, [&](const auto& each) { return each.name == message && each.protocol == protocol; });
  if (found == known.end()) {
    throw_type_error(env, "options.message must be the name of a message of the protocol");
    return false;
  }
  filter = {.type = found->type, .except_port = static_cast<std::uint32_t>(port)};
  return check(env, napi_get_value_bool(env, value, &holds));
}

// A link by its index or its name.
bool read_link(napi_env env, napi_value value, netlink::Link& link) {
  napi_valuetype type = napi_undefined;
  if (!check(env, napi_typeof(env, value, &type))) return false;
  if (type == napi_string) {
    std::string name;
    if (!read_string(env, value, "device", name)) return false;
    link = std::move(name);
    return true;
  }
  std::int64_t index = 0;
  if (!read_integer(env, value, "device", 1, INT32_MAX, index)) return false;
  link = static_cast<int>(index);
  return true;
}

napi_value namespace_object(napi_env env, Environment& environment, Namespace opened) {
  auto handle = std::make_unique<NamespaceHandle>(environment.executor(), std::move(opened));
  return environment.make_object(env, HandleClass::kNamespace, std::move(handle));
}

napi_value finish_namespace(napi_env env, Environment& environment, Outcome<Namespace>& outcome) {
  if (!outcome.ok()) return failures_value(env, outcome.failures());
  return namespace_object(env, environment, std::move(outcome.value()));
}

using SocketPointer = std::shared_ptr<SharedSocket>;

napi_value finish_socket(napi_env env, Environment& environment, Outcome<SocketPointer>& outcome) {
  if (!outcome.ok()) return failures_value(env, outcome.failures());
  auto handle = std::make_unique<SocketHandle>(environment.executor(), std::move(outcome.value()));
  return environment.make_object(env, HandleClass::kSocket, std::move(handle));
}

using MonitorPointer = std::shared_ptr<std::unique_ptr<netlink::Monitor>>;

napi_value finish_monitor(napi_env env, Environment& environment,
                          const std::shared_ptr<MonitorStream>& stream, Outcome<MonitorPointer>& outcome) {
  Outcome<Nothing> started = Nothing{};
  if (outcome.ok()) started = stream->start(env, std::move(*outcome.value()));
  if (!outcome.ok() || !started.ok()) {
    stream->forget_function(env);
    return failures_value(env, outcome.ok() ? started.failures() : outcome.failures());
  }
  napi_value object =
      environment.make_object(env, HandleClass::kMonitor, std::make_unique<MonitorHandle>(stream));
  if (object == nullptr) stream->close(env);
  return object;
}

}  // namespace

napi_value NamespaceHandle::fd(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  return number_value(env, self->namespace_ ? self->namespace_->fd() : -1);
}

napi_value NamespaceHandle::inode(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  napi_value value = nullptr;
  return check(env, napi_create_bigint_uint64(env, self->inode_, &value)) ? value : nullptr;
}

napi_value NamespaceHandle::read_text(napi_env env, napi_callback_info info,
                                      Outcome<std::string> (*read)(const std::string&)) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  std::string name;
  if (self == nullptr || !read_string(env, (*arguments)[0], "name", name)) return nullptr;
  return start_call<std::string>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, name = std::move(name), read](Home& home) {
        return home.visit<std::string>(*where, [&] { return read(name); });
      },
      finish_text);
}

napi_value NamespaceHandle::read_sysctl(napi_env env, napi_callback_info info) {
  return read_text(env, info, netlink::read_sysctl);
}

napi_value NamespaceHandle::read_proc_net(napi_env env, napi_callback_info info) {
  return read_text(env, info, netlink::read_proc_net);
}

napi_value NamespaceHandle::write_sysctl(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  std::string name;
  std::string value;
  if (self == nullptr || !read_string(env, (*arguments)[0], "name", name) ||
      !read_string(env, (*arguments)[1], "value", value)) {
    return nullptr;
  }
  return start_call<Nothing>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, name = std::move(name), value = std::move(value)](Home& home) {
        return home.visit<Nothing>(*where, [&] { return netlink::write_sysctl(name, value); });
      },
      finish_nothing);
}

napi_value NamespaceHandle::open_socket(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  codec::Protocol protocol{};
  if (self == nullptr || !read_protocol(env, (*arguments)[0], protocol)) return nullptr;
  std::optional<std::int64_t> limit;
  if (!is_undefined(env, (*arguments)[1]) &&
      !read_integer(env, (*arguments)[1], "listingLimit", 1, INT32_MAX, limit.emplace())) {
    return nullptr;
  }
  return start_call<SocketPointer>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, protocol, limit](Home& home) {
        return home.visit<SocketPointer>(*where, [&]() -> Outcome<SocketPointer> {
          Outcome<netlink::Socket> socket = netlink::Socket::open(netlink_protocol(protocol));
          if (!socket.ok()) return std::move(socket.failures());
          if (limit) socket.value().limit_listings(static_cast<std::size_t>(*limit));
          return std::make_shared<SharedSocket>(std::move(socket.value()));
        });
      },
      finish_socket);
}

napi_value NamespaceHandle::request(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  Words words;
  if (self == nullptr || !read_words(env, (*arguments)[0], "words", words)) return nullptr;
  return start_call<Words>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, words = std::move(words)](Home& home) {
        return home.visit<Words>(*where, [&]() -> Outcome<Words> {
          Outcome<netlink::Socket> socket = netlink::Socket::open(netlink_protocol(codec::Protocol::kRoute));
          if (!socket.ok()) return std::move(socket.failures());
          return node::request(socket.value(), words);
        });
      },
      finish_words);
}

napi_value NamespaceHandle::open_monitor(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<4>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  codec::Protocol protocol{};
  std::vector<std::uint32_t> groups;
  std::optional<netlink::MonitorFilter> filter;
  bool holds = true;
  napi_valuetype type = napi_undefined;
  if (self == nullptr || !read_protocol(env, (*arguments)[0], protocol) ||
      !read_groups(env, (*arguments)[1], groups) ||
      !read_monitor_options(env, (*arguments)[3], protocol, filter, holds) ||
      !check(env, napi_typeof(env, (*arguments)[2], &type))) {
    return nullptr;
  }
  if (type != napi_function) return throw_type_error(env, "onEvents must be a function");
  napi_ref on_events = nullptr;
  if (!check(env, napi_create_reference(env, (*arguments)[2], 1, &on_events))) return nullptr;
  Environment& environment = *Environment::get(env);
  auto stream = std::make_shared<MonitorStream>(environment, protocol, on_events, holds);
  return start_call<MonitorPointer>(
      env, environment, self->strand_,
      [where = self->namespace_, protocol, groups = std::move(groups), filter](Home& home) {
        return home.visit<MonitorPointer>(*where, [&]() -> Outcome<MonitorPointer> {
          auto monitor = netlink::Monitor::open(netlink_protocol(protocol), groups, filter);
          if (!monitor.ok()) return std::move(monitor.failures());
          return std::make_shared<std::unique_ptr<netlink::Monitor>>(std::move(monitor.value()));
        });
      },
      [stream](napi_env env, Environment& environment, Outcome<MonitorPointer>& outcome) {
        return finish_monitor(env, environment, stream, outcome);
      });
}

napi_value NamespaceHandle::open_reservations(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  if (!self->namespace_) return failures_value(env, {closed_failure()});
  auto handle = std::make_unique<ReservationsHandle>(self->executor_, self->namespace_);
  return Environment::get(env)->make_object(env, HandleClass::kReservations, std::move(handle));
}

napi_value NamespaceHandle::port_owner(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<3>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  std::int64_t protocol = 0;
  std::int64_t port = 0;
  auto address = std::make_shared<netlink::Buffer>();
  if (self == nullptr || !read_integer(env, (*arguments)[0], "protocol", 1, UINT8_MAX, protocol) ||
      !read_integer(env, (*arguments)[1], "port", 1, UINT16_MAX, port) ||
      !read_bytes(env, (*arguments)[2], "address", *address)) {
    return nullptr;
  }
  if (address->size() != 0 && address->size() != 4 && address->size() != 16) {
    return throw_type_error(env, "address must be of 4 or 16 bytes, or empty");
  }
  return start_call<std::string>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, protocol, port, address](Home& home) {
        return home.visit<std::string>(*where, [&] {
          return netlink::port_owner(static_cast<std::uint8_t>(protocol), static_cast<std::uint16_t>(port),
                                     address->bytes());
        });
      },
      finish_text);
}

napi_value NamespaceHandle::send_frames(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<2>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  netlink::Link link;
  auto frames = std::make_shared<netlink::Buffer>();
  if (self == nullptr || !read_link(env, (*arguments)[0], link) ||
      !read_bytes(env, (*arguments)[1], "frames", *frames)) {
    return nullptr;
  }
  return start_call<Nothing>(
      env, *Environment::get(env), self->strand_,
      [where = self->namespace_, sender = self->sender_, link = std::move(link), frames](Home& home) {
        return home.visit<Nothing>(*where, [&] { return sender->send(link, frames->bytes()); });
      },
      finish_nothing);
}

napi_value NamespaceHandle::enter_thread(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  if (!self->namespace_) return failures_value(env, {closed_failure()});
  Outcome<Nothing> outcome = netlink::enter_for_good(*self->namespace_);
  return finish_nothing(env, *Environment::get(env), outcome);
}

napi_value NamespaceHandle::close(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<NamespaceHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  if (self->namespace_) {
    self->executor_->close(self->strand_, std::move(self->sender_));
    self->namespace_.reset();
  }
  return undefined(env);
}

NamespaceHandle::~NamespaceHandle() {
  if (sender_) executor_->release(strand_, std::move(sender_));
}

bool NamespaceHandle::define(napi_env env, Environment& environment) {
  const std::array properties{
      getter("fd", fd),
      getter("inode", inode),
      method("readSysctl", read_sysctl),
      method("readProcNet", read_proc_net),
      method("writeSysctl", write_sysctl),
      method("openSocket", open_socket),
      method("request", request),
      method("openMonitor", open_monitor),
      method("openReservations", open_reservations),
      method("portOwner", port_owner),
      method("sendFrames", send_frames),
      method("enterThread", enter_thread),
      method("close", close),
  };
  return define_handle(env, environment, kClass, "NamespaceHandle", properties);
}

napi_value open_namespace(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  std::string path;
  if (!read_string(env, (*arguments)[0], "path", path)) return nullptr;
  Outcome<Namespace> outcome = Namespace::open(path);
  return finish_namespace(env, *Environment::get(env), outcome);
}

napi_value open_namespace_fd(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  std::int64_t number = 0;
  if (!read_integer(env, (*arguments)[0], "fd", 0, INT32_MAX, number)) return nullptr;
  Outcome<Namespace> outcome = Namespace::duplicate(static_cast<int>(number));
  return finish_namespace(env, *Environment::get(env), outcome);
}

napi_value open_namespace_of_process(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  std::int64_t number = 0;
  if (!read_integer(env, (*arguments)[0], "pid", 1, INT32_MAX, number)) return nullptr;
  Outcome<Namespace> outcome = Namespace::of_process(static_cast<int>(number));
  return finish_namespace(env, *Environment::get(env), outcome);
}

napi_value create_namespace(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  std::optional<std::string> path;
  if (!is_undefined(env, (*arguments)[0]) && !read_string(env, (*arguments)[0], "path", path.emplace())) {
    return nullptr;
  }
  return start_call<Namespace>(
      env, *Environment::get(env), std::make_shared<Strand>(),
      [path = std::move(path)](Home& home) {
        Outcome<Namespace> created = netlink::create_namespace(home);
        if (!created.ok() || !path) return created;
        Outcome<Nothing> mounted = netlink::mount_namespace(created.value(), *path);
        if (!mounted.ok()) return Outcome<Namespace>(std::move(mounted.failures()));
        return created;
      },
      finish_namespace);
}

napi_value unmount_namespace(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  std::string path;
  if (!read_string(env, (*arguments)[0], "path", path)) return nullptr;
  return start_call<Nothing>(
      env, *Environment::get(env), std::make_shared<Strand>(),
      [path = std::move(path)](Home&) { return netlink::unmount_namespace(path); }, finish_nothing);
}

}  // namespace nfbridge::node
