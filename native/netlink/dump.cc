#include "netlink/dump.h"

#include <linux/netlink.h>

#include <string>

namespace nfbridge::netlink {
namespace {

struct Attempt {
  std::optional<Failure> failure;
  bool interrupted = false;
};

// Reads what an earlier dump left, which also brings that one to its end: the kernel has one at a time for a
// socket.
void discard(Socket& socket) {
  for (;;) {
    const Received received = socket.receive(false);
    if (received.error != 0 && received.error != ENOBUFS) return;
  }
}

Attempt read_to_end(Socket& socket, std::uint32_t sequence, Replies& replies) {
  Attempt attempt;
  bool lost = false;
  for (;;) {
    const Received received = socket.receive(true);
    if (received.error == ENOBUFS) {
      lost = true;
      continue;
    }
    if (received.error != 0) {
      attempt.failure =
          received.error == EAGAIN
              ? system_failure("recvmsg", ETIMEDOUT,
                               "no answer within " + std::to_string(Socket::kReceiveTimeoutSeconds) + " s")
              : system_failure("recvmsg", received.error);
      return attempt;
    }
    lost |= received.truncated;
    MessageReader reader(received.datagram);
    for (MessageView message; reader.next(message);) {
      if (message.header.nlmsg_seq != sequence) continue;
      attempt.interrupted |= (message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      const std::uint16_t type = message.header.nlmsg_type;
      if (type == NLMSG_NOOP) continue;
      if (type != NLMSG_DONE && type != NLMSG_ERROR) {
        replies.reply(message, 0);
        continue;
      }
      Failure failure = read_error(message);
      if (failure.error != 0) {
        failure.index = 0;
        attempt.failure = std::move(failure);
      } else if (lost) {
        attempt.failure = Failure{.reason = Reason::kOverflow,
                                  .error = ENOBUFS,
                                  .call = "recvmsg",
                                  .message = "parts of a dump were lost"};
      }
      return attempt;
    }
  }
}

}  // namespace

Failures dump(Socket& socket, const Requests& request, Replies& replies) {
  if (request.offsets.size() != 1) return {malformed("dump", "a dump is asked for with exactly one message")};
  bool discarded = false;
  for (int attempts = 0; attempts < kDumpAttempts;) {
    const std::uint32_t sequence = socket.reserve_sequence(1);
    // The acknowledgement never comes for a dump; it does, instead of silence, for what is none.
    stamp(request, sequence);
    nlmsghdr header{};
    if (!load(request.bytes.bytes(), request.offsets.front(), header))
      return {malformed("dump", "no message")};
    header.nlmsg_flags |= NLM_F_DUMP;
    request.bytes.store(request.offsets.front(), header);

    const iovec part{request.bytes.data(), request.bytes.size()};
    if (auto failure = socket.send({&part, 1})) return {std::move(*failure)};
    Attempt attempt = read_to_end(socket, sequence, replies);
    if (attempt.failure && attempt.failure->error == EBUSY && !discarded) {
      discarded = true;
      discard(socket);
      replies.restart();
      continue;
    }
    if (attempt.failure && attempt.failure->error == EINTR)
      attempt.interrupted = true;  // the kernel gave up on it
    else if (attempt.failure)
      return {std::move(*attempt.failure)};
    if (!attempt.interrupted) return {};
    replies.restart();
    attempts++;
  }
  return {Failure{
      .reason = Reason::kInconsistent,
      .error = EINTR,
      .call = "dump",
      .message = "what is listed changed during each of " + std::to_string(kDumpAttempts) + " attempts"}};
}

}  // namespace nfbridge::netlink
