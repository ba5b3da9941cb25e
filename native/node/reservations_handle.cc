#include "node/reservations_handle.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "node/call.h"

namespace nfbridge::node {
namespace {

using netlink::Nothing;
using netlink::Outcome;
using netlink::ReservedPort;

// Words of each port: protocol, family (4 or 6), port, then the sixteen bytes of the address.
constexpr std::size_t kPortWords = 7;

bool read_port(WordSpan words, ReservedPort& port) {
  if (words[0] != IPPROTO_TCP && words[0] != IPPROTO_UDP && words[0] != IPPROTO_SCTP) return false;
  if (words[1] != 4 && words[1] != 6) return false;
  if (words[2] == 0 || words[2] > UINT16_MAX) return false;
  port.protocol = static_cast<std::uint8_t>(words[0]);
  port.family = words[1] == 4 ? AF_INET : AF_INET6;
  port.port = static_cast<std::uint16_t>(words[2]);
  static_assert(sizeof(port.address) == (kPortWords - 3) * sizeof(std::uint32_t));
  std::memcpy(port.address.data(), words.data() + 3, sizeof(port.address));
  return true;
}

// False with a TypeError pending.
bool read_ports(napi_env env, napi_value value, std::vector<ReservedPort>& ports) {
  Words words;
  if (!read_words(env, value, "ports", words)) return false;
  const WordSpan all(words);
  if (all.size() % kPortWords == 0) {
    ports.resize(all.size() / kPortWords);
    std::size_t index = 0;
    while (index < ports.size() && read_port(all.subspan(index * kPortWords, kPortWords), ports[index])) {
      index++;
    }
    if (index == ports.size()) return true;
  }
  throw_type_error(env, "ports must be seven words each: protocol, family, port and address");
  return false;
}

}  // namespace

ReservationsHandle::~ReservationsHandle() {
  if (state_) executor_->release(strand_, std::move(state_));
}

napi_value ReservationsHandle::reserve(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<ReservationsHandle>(env, arguments->self);
  std::vector<ReservedPort> ports;
  if (self == nullptr || !read_ports(env, (*arguments)[0], ports)) return nullptr;
  // The state is null when the handle is closed; the strand is closed then too, and the work never runs.
  return start_call<Nothing>(
      env, *Environment::get(env), self->strand_,
      [state = self->state_, ports = std::move(ports)](netlink::Home& home) {
        return home.visit<Nothing>(*state->where, [&] { return state->held.reserve(ports); });
      },
      finish_nothing);
}

napi_value ReservationsHandle::release(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<1>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<ReservationsHandle>(env, arguments->self);
  std::vector<ReservedPort> ports;
  if (self == nullptr || !read_ports(env, (*arguments)[0], ports)) return nullptr;
  return start_call<Nothing>(
      env, *Environment::get(env), self->strand_,
      [state = self->state_, ports = std::move(ports)](netlink::Home&) -> Outcome<Nothing> {
        state->held.release(ports);
        return Nothing{};
      },
      finish_nothing);
}

napi_value ReservationsHandle::close(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<ReservationsHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  if (self->state_) self->executor_->close(self->strand_, std::move(self->state_));
  return undefined(env);
}

bool ReservationsHandle::define(napi_env env, Environment& environment) {
  const std::array properties{
      method("reserve", reserve),
      method("release", release),
      method("close", close),
  };
  return define_handle(env, environment, kClass, "ReservationsHandle", properties);
}

}  // namespace nfbridge::node
