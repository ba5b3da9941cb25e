// The encoder: what it writes, byte by byte, and what it refuses.
#include "codec/encode.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "codec/records.h"
#include "support/check.h"
#include "support/codec.h"
#include "support/describe.h"
#include "support/record_builder.h"

namespace nfbridge::test {
namespace {

constexpr std::uint32_t kCreate = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;

// A rule of a few expressions: counter, then drop.
RecordBuilder small_rule() {
  RecordBuilder record;
  record.message("nftNewRule", NLM_F_CREATE | NLM_F_APPEND).number("family", 1);
  record.text("table", "t").text("chain", "c").begin("expressions");
  record.begin_expression("counter").end().end();
  record.begin_expression("immediate").number("dreg", 0).begin("data").begin("verdict");
  record.number("code", 0).end().end().end().end().end();
  return record;
}

TEST("encode: a rule, byte by byte") {
  const Batch batch = encode(small_rule().words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(to_hex(batch.bytes()),
              "6c000000060a010c0000000000000000"  // length, type, flags | NLM_F_REQUEST; seq and pid 0
              "01000000"                          // nfgenmsg
              "0600010074000000"                  // table "t"
              "0600020063000000"                  // chain "c"
              "48000480"                          // expressions, NLA_F_NESTED
              "14000180"                          // element
              "0c000100636f756e74657200"          // name "counter"
              "04000280"                          // data, empty
              "30000180"                          // element
              "0e000100696d6d656469617465000000"  // name "immediate"
              "1c000280"                          // data
              "0800010000000000"                  // dreg
              "10000280"                          // data
              "0c000280"                          // verdict
              "0800010000000000");                // code
  CHECK_EQUAL(batch.messages.size(), 1u);
  CHECK_EQUAL(batch.messages[0].length, 108u);
  CHECK_EQUAL(batch.messages[0].message->name, "nftNewRule");
  CHECK_EQUAL(batch.messages[0].flags, std::uint32_t{NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND});
}

TEST("encode: every integer in its byte order, at its bounds") {
  RecordBuilder record;
  record.message("newRoute").number("family", 255).number("flags", 0xffffffff).number("oif", 0x01020304);
  record.number("pref", 255).number("encapType", 0x0102).number("sport", 0x0102);
  record.message("newLink").number("index", -1).number("linkNetnsid", -2).begin("linkinfo");
  record.text("kind", "bridge").begin_select("data", "bridge").wide("mcastQuerierIntvl", 0x0102030405060708);
  record.end().end();
  record.message("nftNewChain").begin("hook").number("hooknum", 0x01020304).number("priority", -300).end();
  record.wide("handle", 0x0102030405060708).number("resId", 0x0102);
  record.message("newNeighbour").begin("fdbExtAttrs").number("dontRefresh", 1).end();
  record.message("newNeighbour").begin("fdbExtAttrs").number("dontRefresh", 0).end();
  const Batch batch = encode(record.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(to_hex(batch.bytes(0).subspan(16)),
              "ff00000000000000ffffffff"
              "0800040004030201"
              "05001400ff000000"
              "0600150002010000"
              "06001c0001020000");
  CHECK_EQUAL(to_hex(batch.bytes(1).subspan(16)),
              "00000000ffffffff0000000000000000"
              "08002500feffffff"
              "20001280"
              "0b0001006272696467650000"
              "10000280"
              "0c0020000807060504030201");
  CHECK_EQUAL(to_hex(batch.bytes(2).subspan(16)),
              "00000102"
              "14000480"
              "0800010001020304"
              "08000200fffffed4"
              "0c0002000102030405060708");
  CHECK_EQUAL(to_hex(batch.bytes(3).subspan(28)), "08000e8004000200");
  CHECK_EQUAL(to_hex(batch.bytes(4).subspan(28)), "04000e80");
}

TEST("encode: a string gets its NUL, bytes do not; both get padding of zeros") {
  RecordBuilder record;
  record.message("newLink").text("ifname", "").text("ifname", "abc").text("ifname", "abcd");
  record.bytes("address", {}).bytes("address", {1, 2, 3, 4, 5, 6});
  const Batch batch = encode(record.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(to_hex(batch.bytes().subspan(32)),
              "0500030000000000"
              "0800030061626300"
              "090003006162636400000000"
              "04000100"
              "0a0001000102030405060000");
}

TEST("encode: a veth whose peer has a header of its own, without NLA_F_NESTED") {
  RecordBuilder record;
  record.message("newLink", kCreate).text("ifname", "a").begin("linkinfo").text("kind", "veth");
  record.begin_select("data", "veth").begin("peer").number("index", 7).text("ifname", "b").end().end().end();
  const Batch batch = encode(record.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(to_hex(batch.bytes().subspan(40)),
              "30001280"
              "090001007665746800000000"
              "20000280"
              "1c000100"
              "00000000070000000000000000000000"
              "0600030062000000");
}

TEST("encode: several messages, each at its offset, appended to what is there") {
  netlink::Buffer buffer;
  buffer.append(8);
  std::vector<codec::EncodedMessage> messages(1);
  RecordBuilder record;
  record.message("getLink", NLM_F_DUMP).message("nftGetTable").text("name", "t").message("ctGet");
  CHECK(!codec::encode(record.words(), buffer, messages));
  CHECK_EQUAL(messages.size(), 4u);
  std::uint32_t offset = 8;
  for (std::size_t index = 1; index < messages.size(); ++index) {
    CHECK_EQUAL(messages[index].offset, offset);
    std::uint32_t length = 0;
    CHECK(netlink::load(buffer.bytes(), offset, length));
    CHECK_EQUAL(messages[index].length, length);
    offset += length;
  }
  CHECK_EQUAL(buffer.size(), offset);
}

TEST("encode: nothing, and messages without a body") {
  CHECK_EQUAL(encode({}).error, "");
  CHECK_EQUAL(encode({}).messages.size(), 0u);
  const Batch batch = encode({message_id("nftGetGeneration"), 0, 0, 0});
  CHECK_EQUAL(to_hex(batch.bytes()),
              "14000000100a01000000000000000000"
              "00000000");
}

TEST("encode: multipath, with the length of each next hop") {
  RecordBuilder record;
  record.message("newRoute").begin("multipath");
  record.begin_element().number("hops", 4).number("ifindex", 2).bytes("gateway", {10, 0, 0, 1}).end();
  record.begin_element().number("ifindex", 3).end().end();
  const Batch batch = encode(record.words());
  CHECK_EQUAL(to_hex(batch.bytes().subspan(28)),
              "1c000900"
              "1000000402000000080005000a000001"
              "0800000003000000");
}

TEST("encode: what is unknown goes back as it came") {
  RecordBuilder record;
  record.message("newLink").opaque(0x8123, {1, 2, 3});
  CHECK_EQUAL(to_hex(encode(record.words()).bytes().subspan(32)), "0700238101020300");
  const std::vector<std::uint32_t> select{message_id("nftNewObject"), 0, 0, 4, 6, codec::kOpaque, 2, 0x0201};
  CHECK_EQUAL(to_hex(encode(select).bytes().subspan(20)), "0600048001020000");
}

TEST("encode: refuses, and names the property") {
  const auto refused = [](RecordBuilder& record) { return encode(record.words()).error; };

  RecordBuilder big;
  big.message("newLink").message("newLink").number("type", 65536);
  CHECK_EQUAL(refused(big), "1 type: 65536 is over 65535");

  RecordBuilder byte;
  byte.message("newLink").begin("linkinfo").text("slaveKind", "bridge").begin_select("slaveData", "bridge");
  byte.number("mode", 256).end().end();
  CHECK_EQUAL(refused(byte), "0 linkinfo.slaveData.mode: 256 is over 255");

  RecordBuilder nul;
  nul.message("newLink").text("ifname", std::string_view("a\0b", 3));
  CHECK_EQUAL(refused(nul), "0 ifname: the string contains a NUL");

  RecordBuilder nul_in_strings;
  nul_in_strings.message("newLink").strings("propList", {"a", std::string_view("\0", 1)});
  CHECK_EQUAL(refused(nul_in_strings), "0 propList[1]: the string contains a NUL");

  RecordBuilder long_attribute;
  long_attribute.message("nftNewRule").bytes("userdata", std::vector<std::uint8_t>(65532));
  CHECK_EQUAL(refused(long_attribute), "0 userdata: the attribute is longer than 65,535 bytes");

  RecordBuilder long_nest;
  long_nest.message("nftNewElement").begin("elements");
  for (int index = 0; index < 5000; ++index) {
    long_nest.begin_element().begin("key").bytes("value", {1, 2, 3, 4}).end().end();
  }
  long_nest.end();
  CHECK_EQUAL(refused(long_nest), "0 elements: the attribute is longer than 65,535 bytes");

  RecordBuilder deep_in_list;
  deep_in_list.message("nftNewRule").begin("expressions").begin_expression("counter").end().end();
  deep_in_list.begin_expression("reject").number("type", 0).number("icmpCode", 300).end().end().end();
  CHECK_EQUAL(refused(deep_in_list), "0 expressions[1].data.icmpCode: 300 is over 255");

  RecordBuilder in_multipath;
  in_multipath.message("newRoute").begin("multipath").begin_element().number("hops", 256).end().end();
  CHECK_EQUAL(refused(in_multipath), "0 multipath[0].hops: 256 is over 255");

  RecordBuilder flag;
  flag.message("newNeighbour").begin("fdbExtAttrs").number("dontRefresh", 2).end();
  CHECK_EQUAL(refused(flag), "0 fdbExtAttrs.dontRefresh: 2 is over 1");

  RecordBuilder flags;
  flags.message("newLink", 65536);
  CHECK_EQUAL(refused(flags), "0 : the message's flags are over 65,535");

  RecordBuilder type;
  type.message("newLink").opaque(65536, {});
  CHECK_EQUAL(refused(type), "0 opaque: the attribute's number is over 65,535");
}

TEST("encode: refuses nests deeper than it goes") {
  for (const int depth : {2, 50}) {
    RecordBuilder record;
    record.message("nftNewRule").begin("expressions");
    for (int level = 0; level < depth; ++level) record.begin_expression("dynset").begin("expressions");
    for (int level = 0; level < depth; ++level) record.end().end().end();
    record.end();
    CHECK_EQUAL(encode(record.words()).error.find("nested too deeply") != std::string::npos, depth > 10);
  }
}

TEST("encode: refuses records that do not follow their layout") {
  const std::uint32_t link = message_id("newLink");
  const std::uint32_t rule = message_id("nftNewRule");
  const std::uint32_t object = message_id("nftNewObject");
  const std::string cut = "the record is cut short or does not follow its layout";
  CHECK_EQUAL(encode({link}).error, "0 : " + cut);
  CHECK_EQUAL(encode({link, 0, 0, 1}).error, "0 : " + cut);
  CHECK_EQUAL(encode({link, 0, 0, 0xffffffff}).error, "0 : " + cut);
  CHECK_EQUAL(encode({9999, 0, 0, 0}).error, "0 : no such message: 9999");
  CHECK_EQUAL(encode({codec::kOpaque, 0, 0, 2, 1, 0}).error, "0 : no such message: 4294967295");
  CHECK_EQUAL(encode({link, 0, 0, 1, 500}).error, "0 : no such field: 500 in link");
  CHECK_EQUAL(encode({link, 0, 0, 1, 0}).error, "0 family: " + cut);
  CHECK_EQUAL(encode({link, 0, 0, 2, 7, 5}).error, "0 ifname: " + cut);
  CHECK_EQUAL(encode({link, 0, 0, 2, 7, 0xffffffff}).error, "0 ifname: " + cut);
  CHECK_EQUAL(encode({rule, 0, 0, 2, 5, 1}).error, "0 handle: " + cut);
  CHECK_EQUAL(encode({rule, 0, 0, 4, 6, 2, 1, 1}).error, "0 expressions[0].data: " + cut);
  CHECK_EQUAL(encode({object, 0, 0, 3, 6, 99, 0}).error, "0 data: " + cut);
  CHECK_EQUAL(encode({link, 0, 0, 2, codec::kOpaque, 1}).error, "0 opaque: " + cut);
}

TEST("encode: a refused batch leaves nothing behind") {
  netlink::Buffer buffer;
  buffer.append(4);
  std::vector<codec::EncodedMessage> messages;
  RecordBuilder record;
  record.message("newLink").text("ifname", "a").message("newLink").number("type", 65536);
  const auto error = codec::encode(record.words(), buffer, messages);
  CHECK(error && error->index == 1);
  CHECK_EQUAL(buffer.size(), 4u);
  CHECK_EQUAL(messages.size(), 0u);
}

TEST("encode: a record cut at every word is refused, and never read past its end") {
  std::vector<std::uint32_t> words = small_rule().words();
  for (std::size_t size = 1; size < words.size(); ++size) {
    // As the whole buffer, and as a body that ends early.
    const std::vector<std::uint32_t> cut(words.begin(), words.begin() + static_cast<long>(size));
    CHECK(!encode(cut).error.empty());
    if (size < codec::kMessageHeadWords) continue;
    std::vector<std::uint32_t> shorter = cut;
    shorter[3] = static_cast<std::uint32_t>(size - codec::kMessageHeadWords);
    const Batch batch = encode(shorter);
    CHECK(batch.error.empty() || batch.messages.empty());
  }
}

}  // namespace
}  // namespace nfbridge::test
