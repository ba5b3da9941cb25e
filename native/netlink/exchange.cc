#include "netlink/exchange.h"

#include <linux/netlink.h>

namespace nfbridge::netlink {
namespace {

// linux/netlink.h, kernel 6.1: which attribute is missing, and in which nest.
constexpr std::uint16_t kErrorMissingType = 5;  // NLMSGERR_ATTR_MISS_TYPE
constexpr std::uint16_t kErrorMissingNest = 6;  // NLMSGERR_ATTR_MISS_NEST

void read_extended_acknowledgement(Bytes attributes, Failure& failure) {
  AttributeReader reader(attributes);
  for (Attribute attribute; reader.next(attribute);) {
    std::uint32_t number = 0;
    switch (attribute.number()) {
      case NLMSGERR_ATTR_MSG:
        failure.message = attribute.text();
        break;
      case NLMSGERR_ATTR_OFFS:
        if (attribute.value(number)) failure.offset = number;
        break;
      case kErrorMissingType:
        if (attribute.value(number)) failure.missing = number;
        break;
      case kErrorMissingNest:
        if (attribute.value(number)) failure.missing_nest = number;
        break;
      default:
        break;
    }
  }
}

Failure overflow(std::string message) {
  return {.reason = Reason::kOverflow, .error = ENOBUFS, .call = "recvmsg", .message = std::move(message)};
}

// What drain() learns on its way.
struct Progress {
  Failures failures;
  bool acknowledged = false;
};

void take(const MessageView& message, std::uint32_t first, std::uint32_t count, Replies& replies,
          Progress& progress) {
  const std::uint32_t index = message.header.nlmsg_seq - first;  // wraps far beyond count for older numbers
  const bool ours = index < count;
  switch (message.header.nlmsg_type) {
    case NLMSG_NOOP:
      return;
    case NLMSG_OVERRUN:
      progress.failures.push_back(overflow("the kernel reports lost messages"));
      return;
    case NLMSG_ERROR:
    case NLMSG_DONE: {
      Failure failure = read_error(message);
      if (failure.error == 0) {
        progress.acknowledged |= ours && index == count - 1;
        return;
      }
      // BATCH_BEGIN and BATCH_END have the numbers next to ours. Anything else belongs to an older call.
      const bool frame = message.header.nlmsg_seq == first - 1 || index == count;
      if (!ours && !frame) return;
      if (ours) failure.index = static_cast<int>(index);
      progress.failures.push_back(std::move(failure));
      return;
    }
    default:
      if (ours) replies.reply(message, index);
  }
}

}  // namespace

Failure read_error(const MessageView& message) {
  Failure failure{.reason = Reason::kKernel, .call = "netlink"};
  std::int32_t error = 0;
  if (!load(message.payload, 0, error)) {
    failure.error = EBADMSG;
    failure.message = "an error message of the kernel is cut short";
    return failure;
  }
  failure.error = error < 0 ? -error : 0;
  if ((message.header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return failure;

  std::size_t attributes = sizeof(error);  // NLMSG_DONE: directly after the number
  if (message.header.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr header{};
    if (!load(message.payload, 0, header)) return failure;
    attributes = sizeof(header);
    // NLM_F_CAPPED: only the request's nlmsghdr came back, else all of it.
    if ((message.header.nlmsg_flags & NLM_F_CAPPED) == 0 && header.msg.nlmsg_len >= sizeof(nlmsghdr)) {
      attributes += align(header.msg.nlmsg_len) - sizeof(nlmsghdr);
    }
  }
  if (attributes < message.payload.size()) {
    read_extended_acknowledgement(message.payload.subspan(attributes), failure);
  }
  return failure;
}

void stamp(const Requests& requests, std::uint32_t first_sequence) {
  std::uint32_t sequence = first_sequence;
  for (const std::size_t offset : requests.offsets) {
    nlmsghdr header{};
    if (!load(requests.bytes.bytes(), offset, header)) continue;
    header.nlmsg_seq = sequence++;
    header.nlmsg_flags |= NLM_F_REQUEST;
    if (offset == requests.offsets.back()) {
      header.nlmsg_flags |= NLM_F_ACK;
    } else {
      header.nlmsg_flags &= static_cast<std::uint16_t>(~NLM_F_ACK);
    }
    requests.bytes.store(offset, header);
  }
}

Failures drain(Socket& socket, std::uint32_t first_sequence, std::uint32_t count, Replies& replies) {
  Progress progress;
  bool lost = false;
  for (;;) {
    const Received received = socket.receive(false);
    if (received.error == EAGAIN) break;
    if (received.error == ENOBUFS) {  // reported once; what was queued before it is still there
      lost = true;
      continue;
    }
    if (received.error != 0) {
      progress.failures.push_back(system_failure("recvmsg", received.error));
      return std::move(progress.failures);
    }
    lost |= received.truncated;
    MessageReader reader(received.datagram);
    for (MessageView message; reader.next(message);) take(message, first_sequence, count, replies, progress);
  }
  if (lost) {
    progress.failures.push_back(
        overflow("the answers did not fit the receive buffer: the requests were handled all the same, read "
                 "again what they did"));
  } else if (progress.failures.empty() && !progress.acknowledged) {
    progress.failures.push_back(
        system_failure("recvmsg", EPROTO, "the kernel did not acknowledge the last message"));
  }
  return std::move(progress.failures);
}

Failures request(Socket& socket, const Requests& requests, Replies& replies) {
  if (requests.offsets.empty()) return {};
  const auto count = static_cast<std::uint32_t>(requests.offsets.size());
  // One number before and one after stay unused: transactions have their frame there.
  const std::uint32_t first = socket.reserve_sequence(count + 2) + 1;
  stamp(requests, first);
  const iovec part{requests.bytes.data(), requests.bytes.size()};
  if (auto failure = socket.send({&part, 1})) return {std::move(*failure)};
  return drain(socket, first, count, replies);
}

}  // namespace nfbridge::netlink
