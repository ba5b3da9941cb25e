// The decoder: what does not fit is kept, and nothing is dropped.
#include "codec/decode.h"

#include <linux/netfilter/nf_tables.h>

#include <string>
#include <vector>

#include "support/check.h"
#include "support/codec.h"
#include "support/describe.h"
#include "support/fixtures.h"

namespace nfbridge::test {
namespace {

constexpr codec::Protocol kRoute = codec::Protocol::kRoute;
constexpr codec::Protocol kNetfilter = codec::Protocol::kNetfilter;

// A message of the type with this payload.
std::vector<std::byte> message(std::uint16_t type, const std::string& payload) {
  netlink::Buffer buffer;
  netlink::Writer writer(buffer);
  writer.begin_message(type, 0);
  buffer.append(from_hex(payload));
  writer.end_message(0);
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

// What is decoded of a message's attributes, without its header fields.
std::string nft(int type, const std::string& attributes) {
  const auto bytes = message(static_cast<std::uint16_t>(10 << 8 | type), "02000000" + attributes);
  const std::string text = decode_text(kNetfilter, bytes);
  const std::string head = "{family=2 version=0 resId=0";
  const std::size_t start = text.find(head);
  if (start == std::string::npos) return text;
  return text.substr(start + head.size(), text.size() - start - head.size() - 2);
}

constexpr int kTable = NFT_MSG_NEWTABLE;
constexpr int kChain = NFT_MSG_NEWCHAIN;
constexpr int kRule = NFT_MSG_NEWRULE;
constexpr int kObject = NFT_MSG_NEWOBJ;

TEST("decode: flags, tag and several messages one after the other") {
  std::vector<std::uint32_t> words;
  codec::decode(kNetfilter, from_hex("14000000100a02000500000000000000 02000007"), 3, words);
  codec::decode(kRoute, from_hex("10000000630000000000000000000000"), 4, words);
  CHECK_EQUAL(words[1], 2u);
  CHECK_EQUAL(words[2], 3u);
  CHECK_EQUAL(words.size(), 4u + 6u + 4u + 2u);
  CHECK_EQUAL(words[12], 4u);
}

TEST("decode: an unknown message is kept with its number and its payload") {
  CHECK_EQUAL(decode_text(kRoute, message(99, "010203")), "opaque flags=0 tag=0 type=99 <010203>\n");
  CHECK_EQUAL(decode_text(kNetfilter, message(16, "")), "opaque flags=0 tag=0 type=16 <>\n");
}

TEST("decode: a message shorter than its header, or than a nlmsghdr, is kept") {
  CHECK_EQUAL(decode_text(kRoute, message(16, "0011223344")), "opaque flags=0 tag=0 type=16 <0011223344>\n");
  CHECK_EQUAL(decode_text(kRoute, from_hex("0102")), "opaque flags=0 tag=0 type=0 <0102>\n");
  CHECK_EQUAL(decode_text(kRoute, {}), "opaque flags=0 tag=0 type=0 <>\n");
}

TEST("decode: a message whose attributes do not add up is kept whole") {
  CHECK_EQUAL(nft(kTable, "060001007400 0000 0900"),
              "opaque flags=0 tag=0 type=2560 <0200000006000100740000000900>\n");
  CHECK_EQUAL(nft(kTable, "0600010074000000 0300020000000000"),
              "opaque flags=0 tag=0 type=2560 <0200000006000100740000000300020000000000>\n");
}

TEST("decode: the last padding may be missing") {
  CHECK_EQUAL(nft(kTable, "060001007400"), " name=\"t\"");
}

TEST("decode: unknown attributes are kept with their flags") {
  CHECK_EQUAL(nft(kTable, "0600010074000000 0700e7830102030000"),
              "opaque flags=0 tag=0 type=2560 <0200000006000100740000000700e7830102030000>\n");
  CHECK_EQUAL(nft(kTable, "0600010074000000 0700e78301020300"), " name=\"t\" opaque(33767)=<010203>");
}

TEST("decode: NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the number") {
  CHECK_EQUAL(nft(kTable, "0800028000000001 0800024000000002"), " flags=1 flags=2");
  for (const char* type : {"0400", "0480"}) {
    CHECK_EQUAL(nft(kChain, std::string("0c00") + type + "0800010000000003"), " hook={hooknum=3}");
  }
}

TEST("decode: an integer of another length is kept as it is") {
  CHECK_EQUAL(nft(kTable, "0700020001020300"), " opaque(2)=<010203>");
  CHECK_EQUAL(nft(kTable, "04000200"), " opaque(2)=<>");
  CHECK_EQUAL(nft(kTable, "0c0002000102030405060708"), " opaque(2)=<0102030405060708>");
  CHECK_EQUAL(nft(kTable, "0800040001020304"), " opaque(4)=<01020304>");
  CHECK_EQUAL(nft(kTable, "0c0004000000000000000001"), " handle=1");
}

TEST("decode: strings with a NUL, without, with one inside, empty") {
  CHECK_EQUAL(nft(kTable, "0800010061626300"), " name=\"abc\"");
  CHECK_EQUAL(nft(kTable, "0700010061626300"), " name=\"abc\"");
  CHECK_EQUAL(nft(kTable, "0800010061006300"), " opaque(1)=<61006300>");
  CHECK_EQUAL(nft(kTable, "0700010061000000"), " opaque(1)=<610000>");
  CHECK_EQUAL(nft(kTable, "04000100"), " name=\"\"");
  CHECK_EQUAL(nft(kTable, "0500010000000000"), " name=\"\"");
}

TEST("decode: a flag with a payload is no flag") {
  const std::string head = "07000000 02000000 80000202";
  const std::string tail = "{family=7 ifindex=2 state=128 flags=2 type=2 ";
  CHECK_EQUAL(decode_text(kRoute, message(28, head + "08000e8004000200")),
              "newNeighbour flags=0 tag=0 " + tail + "fdbExtAttrs={dontRefresh=1}}\n");
  CHECK_EQUAL(decode_text(kRoute, message(28, head + "0c000e800500020001000000")),
              "newNeighbour flags=0 tag=0 " + tail + "fdbExtAttrs={opaque(2)=<01>}}\n");
}

TEST("decode: a nest that is none is kept as bytes") {
  CHECK_EQUAL(nft(kChain, "0700040001020300"), " opaque(4)=<010203>");
  CHECK_EQUAL(nft(kChain, "0c0004800900010000000003"), " opaque(32772)=<0900010000000003>");
  CHECK_EQUAL(nft(kChain, "0400 0480"), " hook={}");
}

TEST("decode: a list with an element that is none is kept as bytes") {
  const std::string element = "0c00018008000100 61626300";
  CHECK_EQUAL(nft(kRule, "10000480" + element), " expressions=[{name=\"abc\"}]");
  CHECK_EQUAL(nft(kRule, "1c000480" + element + "0c00028008000100 61626300"),
              " opaque(32772)=<0c000180080001006162630"
              "00c0002800800010061626300>");
  CHECK_EQUAL(nft(kRule, "04000480"), " expressions=[]");
}

TEST("decode: the key of a select may come after its data, or not at all") {
  const std::string name = "0800010063740000 0800018000000000";
  const std::string key = "07000100637400 00";
  const std::string data = "0c000280 0800020000000009";
  CHECK_EQUAL(nft(kRule, "1c00048018000180" + key + data),
              " expressions=[{name=\"ct\" data:exprCt={key=9}}]");
  CHECK_EQUAL(nft(kRule, "1c00048018000180" + data + key),
              " expressions=[{data:exprCt={key=9} name=\"ct\"}]");
  CHECK_EQUAL(nft(kRule, "1400048010000180" + data), " expressions=[{data=<0800020000000009>}]");
}

TEST("decode: a variant that is not known, and one whose data are none, are kept as bytes") {
  CHECK_EQUAL(nft(kRule, "1c0004801800018007000100787800000c0002800800020000000009"),
              " expressions=[{name=\"xx\" data=<0800020000000009>}]");
  CHECK_EQUAL(nft(kRule, "1c0004801800018007000100637400000c0002800900020000000009"),
              " expressions=[{name=\"ct\" data=<0900020000000009>}]");
  CHECK_EQUAL(nft(kObject, "0800030000000006 0800048001020304"), " type=6 data=<01020304>");
  CHECK_EQUAL(nft(kObject, "0800030000000001 04000480"), " type=1 data:exprCounter={}");
  CHECK_EQUAL(nft(kObject, "0700030000000100 04000480"), " opaque(3)=<000001> data=<>");
}

TEST("decode: next hops, and lengths among them that lead nowhere") {
  const std::string head = "02000000 fe000000 00000000";
  const auto route = [&](const std::string& attributes) {
    const std::string text = decode_text(kRoute, message(24, head + attributes));
    const std::size_t start = text.find("flags=0 ", text.find('{')) + 8;
    return text.substr(start, text.size() - start - 2);
  };
  CHECK_EQUAL(route("1c000900 1000000402000000080005000a000001 0800000003000000"),
              "multipath=[{flags=0 hops=4 ifindex=2 gateway=<0a000001>} {flags=0 hops=0 ifindex=3}]");
  CHECK_EQUAL(route("0c000900 0000000403000000"), "opaque(9)=<0000000403000000>");
  CHECK_EQUAL(route("0c000900 0900000403000000"), "opaque(9)=<0900000403000000>");
  CHECK_EQUAL(route("0c000900 0400000403000000"), "opaque(9)=<0400000403000000>");
}

TEST("decode: nests deeper than it goes are kept as bytes") {
  const netlink::Buffer buffer = deep_rule(60);
  const std::string text = decode_text(kNetfilter, buffer.bytes());
  CHECK(!is_malformed(text));
  CHECK(text.find("exprDynset={expressions=[{") != std::string::npos);
  CHECK(text.find("opaque(10)=<") != std::string::npos || text.find(" data=<") != std::string::npos);
}

}  // namespace
}  // namespace nfbridge::test
