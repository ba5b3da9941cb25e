#include "support/codec.h"

#include <cstdio>

#include "codec/decode.h"
#include "support/describe.h"

namespace nfbridge::test {

Batch encode(const std::vector<std::uint32_t>& words) {
  Batch batch;
  const auto error = codec::encode(words, batch.buffer, batch.messages);
  if (error) batch.error = std::to_string(error->index) + " " + error->path + ": " + error->message;
  return batch;
}

std::string to_hex(netlink::Bytes bytes) {
  std::string text;
  char digits[3];
  for (const std::byte byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string decode_text(codec::Protocol protocol, netlink::Bytes message) {
  std::vector<std::uint32_t> words;
  codec::decode(protocol, message, 0, words);
  return describe(words);
}

}  // namespace nfbridge::test
