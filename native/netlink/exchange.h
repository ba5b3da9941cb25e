// Requests and what the kernel answers to them.
#pragma once

#include <cstdint>
#include <span>

#include "netlink/failure.h"
#include "netlink/message.h"
#include "netlink/socket.h"

namespace nfbridge::netlink {

// Takes the messages that answer a call, in the kernel's order.
class Replies {
 public:
  virtual ~Replies() = default;
  // `index`: of the request that it answers. The bytes are valid during the call.
  virtual void reply(const MessageView& message, std::uint32_t index) = 0;
  // What came so far is void: a dump begins again.
  virtual void restart() {}
};

// Messages one after the other, as they will be sent.
struct Requests {
  Buffer& bytes;
  std::span<const std::size_t> offsets;  // of each nlmsghdr
};

// Numbers the messages from `first` on and asks for an acknowledgement of the last one only: one for each
// costs more and overflows the receive buffer after some 256.
void stamp(const Requests& requests, std::uint32_t first_sequence);

// Receives until there is nothing more: the kernel has queued every answer before sendmsg() returned. Answers
// belong to `count` requests numbered from `first_sequence`; errors about other numbers get the index -1.
// Failures are in the kernel's order; an overflow comes last, for the errors before it arrived first. No
// failure and no acknowledgement of the last request is a failure too: nobody knows what the kernel did.
Failures drain(Socket& socket, std::uint32_t first_sequence, std::uint32_t count, Replies& replies);

// Several requests in one send. The kernel does them in their order and does not undo any: after a failure
// the others were done all the same, unless they failed too. An empty result is success.
Failures request(Socket& socket, const Requests& requests, Replies& replies);

// Reads an NLMSG_ERROR message, or an NLMSG_DONE with an error in it: the error as a positive number (0: an
// acknowledgement, or a plain end) and what the extended acknowledgement says.
Failure read_error(const MessageView& message);

}  // namespace nfbridge::netlink
