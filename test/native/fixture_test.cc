// What this kernel sent, recorded in test/fixtures: decoded as its text says, and encoded to what decodes
// alike.
#include <string>
#include <vector>

#include "codec/decode.h"
#include "codec/encode.h"
#include "netlink/message.h"
#include "support/check.h"
#include "support/describe.h"
#include "support/fixtures.h"

namespace nfbridge::test {
namespace {

std::vector<std::uint32_t> decode_all(const Fixture& fixture) {
  std::vector<std::uint32_t> words;
  for (const auto& message : fixture.messages) codec::decode(fixture.protocol, message, 0, words);
  return words;
}

TEST("fixtures: there are some") {
  CHECK(fixtures().size() > 10);
}

TEST("fixtures: decoded as their texts say") {
  for (const Fixture& fixture : fixtures()) {
    if (!CHECK_EQUAL(describe(decode_all(fixture)), fixture.expected)) fail(__FILE__, __LINE__, fixture.name);
  }
}

// Flags of attributes may differ (the kernel leaves out NLA_F_NESTED), the meaning may not.
TEST("fixtures: encoding what was decoded and decoding it again changes nothing") {
  for (const Fixture& fixture : fixtures()) {
    const std::vector<std::uint32_t> words = decode_all(fixture);
    netlink::Buffer buffer;
    std::vector<codec::EncodedMessage> encoded;
    const auto error = codec::encode(words, buffer, encoded);
    if (!CHECK(!error)) {
      fail(__FILE__, __LINE__, fixture.name + ": " + error->path + ": " + error->message);
      continue;
    }
    if (!CHECK_EQUAL(encoded.size(), fixture.messages.size())) continue;
    std::vector<std::uint32_t> again;
    for (std::size_t index = 0; index < encoded.size(); ++index) {
      const codec::EncodedMessage& message = encoded[index];
      const netlink::Bytes bytes = buffer.slice(message.offset, message.length);
      const std::size_t head = again.size();
      codec::decode(fixture.protocol, bytes, 0, again);
      again[head + 1] &= ~std::uint32_t{NLM_F_REQUEST};
      CHECK_EQUAL(bytes.size(), fixture.messages[index].size());
    }
    if (!CHECK_EQUAL(describe(again), describe(words))) fail(__FILE__, __LINE__, fixture.name);
  }
}

}  // namespace
}  // namespace nfbridge::test
