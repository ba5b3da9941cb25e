// libFuzzer: bytes as a netlink message through the decoder, the encoder and the locator, or as records
// through the encoder. `npx cmake-js configure -O build-fuzz --CDNFB_FUZZ=ON --CDCMAKE_CXX_COMPILER=clang++`,
// then `build-fuzz/test/native/fuzz_codec`; test/fixtures/seed_corpus.py makes a corpus of the recorded
// messages.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "codec/decode.h"
#include "codec/encode.h"
#include "codec/locate.h"
#include "support/describe.h"

namespace {

using nfbridge::codec::EncodedMessage;
using nfbridge::netlink::Buffer;
using nfbridge::netlink::Bytes;

void decode_and_back(nfbridge::codec::Protocol protocol, Bytes bytes) {
  std::vector<std::uint32_t> words;
  nfbridge::codec::decode(protocol, bytes, 0, words);
  if (nfbridge::test::is_malformed(nfbridge::test::describe(words))) std::abort();
  Buffer buffer;
  std::vector<EncodedMessage> messages;
  (void)nfbridge::codec::encode(words, buffer, messages);
  for (const EncodedMessage& message : messages) {
    for (std::uint32_t offset = 0; offset < message.length; offset += 4) {
      nfbridge::codec::locate(*message.message, bytes, offset);
      nfbridge::codec::locate_missing(*message.message, bytes, offset & 63, offset);
    }
  }
}

void encode_words(Bytes bytes) {
  std::vector<std::uint32_t> words(bytes.size() / 4);
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * 4);
  Buffer buffer;
  std::vector<EncodedMessage> messages;
  if (nfbridge::codec::encode(words, buffer, messages)) return;
  for (const EncodedMessage& message : messages) {
    decode_and_back(message.message->protocol, buffer.slice(message.offset, message.length));
  }
}

}  // namespace

// The first byte chooses what the rest is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 3) {
    case 0:
      decode_and_back(nfbridge::codec::Protocol::kRoute, bytes);
      break;
    case 1:
      decode_and_back(nfbridge::codec::Protocol::kNetfilter, bytes);
      break;
    default:
      encode_words(bytes);
  }
  return 0;
}
