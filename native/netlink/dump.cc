#include "netlink/dump.h"

#include <linux/netlink.h>

#include <string>
#include <utility>

namespace nfbridge::netlink {
namespace {

// How many datagrams make a part: of 32 KiB at most each.
constexpr int kDatagramsAPart = 16;

struct Attempt {
  std::optional<Failure> failure;
  bool interrupted = false;
  bool lost = false;
  bool ended = false;
  std::size_t taken = 0;
};

Failure inconsistent(std::string message) {
  return {.reason = Reason::kInconsistent, .error = EINTR, .call = "dump", .message = std::move(message)};
}

// Reads what an earlier dump left, which also brings that one to its end: the kernel has one at a time for a
// socket.
void discard(Socket& socket) {
  for (;;) {
    const Received received = socket.receive(false);
    if (received.error != 0 && received.error != ENOBUFS) return;
  }
}

// Numbers the request as a dump and sends it.
std::optional<Failure> send_dump(Socket& socket, const Requests& request, std::uint32_t sequence) {
  // The acknowledgement never comes for a dump; it does, instead of silence, for what is none.
  stamp(request, sequence);
  nlmsghdr header{};
  if (!load(request.bytes.bytes(), request.offsets.front(), header)) return malformed("dump", "no message");
  header.nlmsg_flags |= NLM_F_DUMP;
  request.bytes.store(request.offsets.front(), header);
  const iovec part{request.bytes.data(), request.bytes.size()};
  return socket.send({&part, 1});
}

// Reads to the end of the dump, or so many datagrams.
void read(Socket& socket, std::uint32_t sequence, Replies& replies, Attempt& attempt, int datagrams) {
  while (datagrams-- != 0) {
    const Received received = socket.receive(true);
    if (received.error == ENOBUFS) {
      attempt.lost = true;
      continue;
    }
    if (received.error != 0) {
      attempt.failure =
          received.error == EAGAIN
              ? system_failure("recvmsg", ETIMEDOUT,
                               "no answer within " + std::to_string(Socket::kReceiveTimeoutSeconds) + " s")
              : system_failure("recvmsg", received.error);
      return;
    }
    if (!socket.take_listed(received.datagram.size())) {
      attempt.failure = Failure{.reason = Reason::kTooLarge, .error = EFBIG, .call = "dump"};
      return;
    }
    attempt.lost |= received.truncated;
    MessageReader reader(received.datagram);
    for (MessageView message; reader.next(message);) {
      if (message.header.nlmsg_seq != sequence) continue;
      attempt.interrupted |= (message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      const std::uint16_t type = message.header.nlmsg_type;
      if (type == NLMSG_NOOP) continue;
      if (type != NLMSG_DONE && type != NLMSG_ERROR) {
        replies.reply(message, 0);
        attempt.taken++;
        continue;
      }
      attempt.ended = true;
      Failure failure = read_error(message);
      if (failure.error != 0) {
        failure.index = 0;
        attempt.failure = std::move(failure);
      } else if (attempt.lost) {
        attempt.failure = Failure{.reason = Reason::kOverflow,
                                  .error = ENOBUFS,
                                  .call = "recvmsg",
                                  .message = "parts of a dump were lost"};
      }
      return;
    }
  }
}

}  // namespace

Failures dump(Socket& socket, const Requests& request, Replies& replies) {
  if (request.offsets.size() != 1) return {malformed("dump", "a dump is asked for with exactly one message")};
  bool discarded = false;
  for (int attempts = 0; attempts < kDumpAttempts;) {
    const std::uint32_t sequence = socket.reserve_sequence(1);
    if (auto failure = send_dump(socket, request, sequence)) return {std::move(*failure)};
    Attempt attempt;
    read(socket, sequence, replies, attempt, -1);
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
  return {
      inconsistent("what is listed changed during each of " + std::to_string(kDumpAttempts) + " attempts")};
}

Failures PartialDump::begin(Socket& socket, const Requests& request) {
  if (request.offsets.size() != 1) return {malformed("dump", "a dump is asked for with exactly one message")};
  if (!ended_) return {malformed("dump", "another dump is not at its end")};
  sequence_ = socket.reserve_sequence(1);
  interrupted_ = false;
  lost_ = false;
  if (auto failure = send_dump(socket, request, sequence_)) return {std::move(*failure)};
  ended_ = false;
  return {};
}

Failures PartialDump::next(Socket& socket, Replies& replies) {
  Attempt attempt;
  attempt.interrupted = interrupted_;
  attempt.lost = lost_;
  attempt.ended = ended_;
  while (!attempt.ended && !attempt.failure && attempt.taken == 0) {
    read(socket, sequence_, replies, attempt, kDatagramsAPart);
  }
  interrupted_ = attempt.interrupted;
  lost_ = attempt.lost;
  ended_ = attempt.ended || attempt.failure.has_value();
  if (attempt.failure && attempt.failure->error != EINTR) return {std::move(*attempt.failure)};
  if (attempt.failure || (ended_ && attempt.taken == 0 && std::exchange(interrupted_, false))) {
    return {inconsistent("what is listed changed while it was read")};
  }
  return {};
}

}  // namespace nfbridge::netlink
