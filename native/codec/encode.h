// The one encoder: records (records.h) to netlink messages, as the schemas (schema.h) say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/records.h"
#include "codec/schema.h"
#include "netlink/message.h"

namespace nfbridge::codec {

// A message that was encoded: where it is in the buffer, and what it is.
struct EncodedMessage {
  std::uint32_t offset;  // of its nlmsghdr
  std::uint32_t length;  // nlmsg_len, a multiple of four
  const Message* message;
  std::uint32_t flags;  // nlmsg_flags as written: those of the record and NLM_F_REQUEST
};

// Why a buffer of records was refused.
struct EncodeError {
  int index;            // of the message in the buffer, from 0
  std::string path;     // of the property within the message (`expressions[2].data.sreg`), or empty
  std::string message;  // a sentence
};

// Appends each message of `words` to `out` (nlmsg_seq and nlmsg_pid stay 0) and describes it in `messages`.
// Refused, with `out` and `messages` as they were before: a buffer that is cut short or does not follow
// records.h, a message, field or variant that the tables do not have, a number too large for its type, a
// string with a NUL, an attribute over 65,535 bytes, nests deeper than kMaxDepth. Returns nothing when all is
// well.
std::optional<EncodeError> encode(std::span<const std::uint32_t> words, netlink::Buffer& out,
                                  std::vector<EncodedMessage>& messages);

}  // namespace nfbridge::codec
