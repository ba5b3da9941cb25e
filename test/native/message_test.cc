// Buffers, writers and readers of netlink bytes.
#include "netlink/message.h"

#include <string>
#include <vector>

#include "support/check.h"
#include "support/codec.h"
#include "support/fixtures.h"

namespace nfbridge::test {
namespace {

using netlink::Attribute;
using netlink::AttributeReader;
using netlink::Buffer;
using netlink::Bytes;
using netlink::MessageReader;
using netlink::MessageView;
using netlink::Writer;

TEST("writer: messages, attributes and nests, byte by byte") {
  Buffer buffer;
  Writer writer(buffer);
  const std::size_t message = writer.begin_message(0x0a06, NLM_F_REQUEST | NLM_F_ACK);
  writer.put_header(std::uint32_t{0x11223344});
  CHECK(writer.put_string(1, "abc"));
  CHECK(writer.put_string(2, "abcd"));
  const std::size_t nest = writer.begin_nest(3 | NLA_F_NESTED);
  writer.put_value(1, netlink::to_be16(0x0102));
  CHECK(writer.put(2, {}));
  CHECK(writer.end_nest(nest));
  CHECK_EQUAL(writer.end_message(message), 56u);
  CHECK_EQUAL(to_hex(buffer.bytes()),
              "38000000060a05000000000000000000"
              "44332211"
              "0800010061626300"
              "090002006162636400000000"
              "10000380"
              "0600010001020000"
              "04000200");
}

TEST("writer: an attribute of 65,535 bytes is the longest; nothing is left of a longer one") {
  Buffer buffer;
  Writer writer(buffer);
  const std::vector<std::byte> bytes(65532);
  CHECK(!writer.put(1, bytes));
  CHECK(!writer.put_string(1, std::string(65531, 'x')));
  CHECK_EQUAL(buffer.size(), 0u);
  CHECK(writer.put(1, Bytes(bytes).first(65531)));
  CHECK(writer.put_string(1, std::string(65530, 'x')));
  const std::size_t nest = writer.begin_nest(2);
  CHECK(writer.put(1, Bytes(bytes).first(65531)));
  CHECK(!writer.end_nest(nest));
}

TEST("buffer: grows, keeps what it holds, cuts, and slices within its bounds") {
  Buffer buffer(3);
  CHECK_EQUAL(buffer.capacity(), 3u);
  for (std::uint32_t index = 0; index < 10000; ++index) buffer.store(buffer.append(4), index);
  std::uint32_t value = 0;
  CHECK(netlink::load(buffer.bytes(), 4 * 9999, value));
  CHECK_EQUAL(value, 9999u);
  CHECK(!netlink::load(buffer.bytes(), 4 * 9999 + 1, value));
  CHECK(!netlink::load(buffer.bytes(), ~std::size_t{0}, value));
  CHECK_EQUAL(buffer.slice(39998, 100).size(), 2u);
  CHECK_EQUAL(buffer.slice(40000, 1).size(), 0u);
  CHECK_EQUAL(buffer.slice(~std::size_t{0}, 1).size(), 0u);
  buffer.truncate(50000);
  CHECK_EQUAL(buffer.size(), 40000u);
  buffer.truncate(4);
  buffer.append(Bytes{});
  CHECK_EQUAL(to_hex(buffer.bytes()), "00000000");
}

TEST("attribute reader: walks, with and without the last padding, and stops at what is none") {
  const auto whole = from_hex("0800010061626300 0500020001000000 04000300");
  AttributeReader reader(whole);
  Attribute attribute;
  CHECK(reader.next(attribute));
  CHECK_EQUAL(attribute.text(), "abc");
  CHECK(reader.next(attribute));
  CHECK_EQUAL(attribute.offset, 8u);
  std::uint8_t byte = 0;
  std::uint16_t half = 0;
  CHECK(attribute.value(byte));
  CHECK(!attribute.value(half));
  CHECK(reader.next(attribute));
  CHECK(attribute.payload.empty());
  CHECK_EQUAL(attribute.text(), "");
  CHECK(!reader.next(attribute));
  CHECK(reader.complete());

  for (const char* text : {"0500020001", "0500028001000000"}) {
    const auto bytes = from_hex(text);
    AttributeReader one(bytes);
    CHECK(one.next(attribute));
    CHECK_EQUAL(attribute.number(), 2);
    CHECK(!one.next(attribute));
    CHECK(one.complete());
  }
  // Too short for a header, shorter than itself, longer than what is there.
  for (const char* text : {"000000", "0300010000000000", "0900010061626364"}) {
    const auto bytes = from_hex(text);
    AttributeReader none(bytes);
    CHECK(!none.next(attribute));
    CHECK(!none.complete());
  }
}

TEST("message reader: walks several, and tells when the last is cut short") {
  Buffer buffer;
  Writer writer(buffer);
  for (std::uint16_t type = 1; type <= 3; ++type) {
    const std::size_t message = writer.begin_message(type, 0);
    writer.put_value(1, type);
    writer.end_message(message);
  }
  int seen = 0;
  MessageReader reader(buffer.bytes());
  for (MessageView message; reader.next(message);) {
    ++seen;
    CHECK_EQUAL(message.header.nlmsg_type, seen);
    CHECK_EQUAL(message.bytes.size(), 24u);
    CHECK_EQUAL(message.payload.size(), 8u);
    CHECK_EQUAL(message.offset, static_cast<std::size_t>(24 * (seen - 1)));
  }
  CHECK_EQUAL(seen, 3);
  CHECK(reader.complete());
  for (std::size_t size = 0; size < buffer.size(); ++size) {
    MessageReader cut(buffer.bytes().first(size));
    std::size_t whole = 0;
    for (MessageView message; cut.next(message);) ++whole;
    CHECK_EQUAL(whole, size / 24);
    CHECK_EQUAL(cut.complete(), size % 24 == 0);
  }
}

}  // namespace
}  // namespace nfbridge::test
