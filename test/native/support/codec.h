// Small helpers for tests of the codec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/encode.h"
#include "netlink/message.h"

namespace nfbridge::test {

// A batch that was encoded, or why it was not.
struct Batch {
  netlink::Buffer buffer;
  std::vector<codec::EncodedMessage> messages;
  std::string error;  // `index path: message`, empty when all is well

  netlink::Bytes bytes(std::size_t index = 0) const {
    return buffer.slice(messages[index].offset, messages[index].length);
  }
};

Batch encode(const std::vector<std::uint32_t>& words);

std::string to_hex(netlink::Bytes bytes);

// What decode makes of one message, as text.
std::string decode_text(codec::Protocol protocol, netlink::Bytes message);

// A rule whose expressions hold expressions that hold expressions…
netlink::Buffer deep_rule(int levels);

}  // namespace nfbridge::test
