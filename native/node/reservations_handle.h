// ReservationsHandle of src/native/addon.ts: ports of a namespace that are kept from everybody else.
#pragma once

#include <memory>

#include "netlink/namespace.h"
#include "netlink/reservations.h"
#include "node/handle.h"

namespace nfbridge::node {

class ReservationsHandle final : public Handle {
 public:
  static constexpr HandleClass kClass = HandleClass::kReservations;
  static bool define(napi_env env, Environment& environment);

  // It holds the namespace for itself: that the namespace's handle is closed does not matter.
  ReservationsHandle(std::shared_ptr<Executor> executor, std::shared_ptr<const netlink::Namespace> where)
      : executor_(std::move(executor)), state_(std::make_shared<State>(State{std::move(where), {}})) {}
  ~ReservationsHandle() override;

 private:
  struct State {
    std::shared_ptr<const netlink::Namespace> where;
    netlink::Reservations held;  // used by jobs of the strand only
  };

  static napi_value reserve(napi_env env, napi_callback_info info);
  static napi_value release(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  std::shared_ptr<State> state_;  // null: closed
};

}  // namespace nfbridge::node
