// What can go wrong in a call, as a value: nothing here throws. node/failures.h makes JavaScript's Failure of
// it.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace nfbridge::netlink {

enum class Reason : std::uint8_t {
  kKernel,        // an error message of netlink
  kSystem,        // a system call failed
  kClosed,        // the handle was closed before the call began
  kInconsistent,  // a dump that changed under our hands each time
  kOverflow,      // the receive buffer was too small: messages were lost
  kTooLarge,      // more than the socket's send buffer takes
  kMalformed,     // what the caller gave is no sequence of messages, or not for this call
};

struct Failure {
  Reason reason = Reason::kSystem;
  int error = 0;             // a positive errno, or 0
  std::string call = {};     // the system call or step
  std::string message = {};  // the kernel's words, or a sentence of ours, or empty
  int index = -1;            // of the message in the batch, or -1
  std::string path = {};     // of the property in that message, or empty

  // From the extended acknowledgement; the owner of the schemas makes `path` of them.
  std::optional<std::uint32_t> offset = {};        // NLMSGERR_ATTR_OFFS
  std::optional<std::uint32_t> missing = {};       // NLMSGERR_ATTR_MISS_TYPE
  std::optional<std::uint32_t> missing_nest = {};  // NLMSGERR_ATTR_MISS_NEST
};

using Failures = std::vector<Failure>;

// A failed system call. Call it before anything else can change errno, or give the number.
inline Failure system_failure(std::string call, int error = errno, std::string message = {}) {
  return {.reason = Reason::kSystem, .error = error, .call = std::move(call), .message = std::move(message)};
}

inline Failure malformed(std::string call, std::string message, int index = -1) {
  return {.reason = Reason::kMalformed,
          .error = EINVAL,
          .call = std::move(call),
          .message = std::move(message),
          .index = index};
}

// What was asked for, or why there is none of it (at least one failure; the first is the cause).
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Outcome(Failure failure) : state_(std::in_place_index<1>) {
    std::get<1>(state_).push_back(std::move(failure));
  }
  Outcome(Failures failures) : state_(std::in_place_index<1>, std::move(failures)) {}

  bool ok() const { return state_.index() == 0; }
  // Only when ok().
  T& value() { return *std::get_if<0>(&state_); }
  // Only when not ok().
  Failures& failures() { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Failures> state_;
};

// The value of a call that returns nothing but its success.
struct Nothing {};

}  // namespace nfbridge::netlink
