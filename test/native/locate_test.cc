// The locator: from offsets of extended acknowledgements to properties.
#include "codec/locate.h"

#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>

#include <string>
#include <vector>

#include "codec/records.h"
#include "support/check.h"
#include "support/codec.h"
#include "support/record_builder.h"

namespace nfbridge::test {
namespace {

// The offset in a message of the first occurrence of some bytes: where the attribute begins whose header they
// are.
std::uint32_t offset_of(const Batch& batch, const std::string& hex, std::size_t from = 16) {
  const std::string text = to_hex(batch.bytes());
  for (std::size_t at = text.find(hex, from * 2); at != text.npos; at = text.find(hex, at + 1)) {
    if (at % 8 == 0) return static_cast<std::uint32_t>(at / 2);
  }
  fail(__FILE__, __LINE__, "not in the message: " + hex);
  return 0;
}

std::string at(const Batch& batch, std::uint32_t offset) {
  return codec::locate(*batch.messages[0].message, batch.bytes(), offset);
}

Batch veth() {
  RecordBuilder record;
  record.message("newLink").number("index", 5).text("ifname", "v0").opaque(200, {1});
  record.begin("linkinfo").text("kind", "veth").begin_select("data", "veth").begin("peer");
  record.number("flags", 1).text("ifname", "v1").number("mtu", 9).end().end().end();
  record.opaque(201, {1, 2, 3, 4}).strings("propList", {"aa", "bb"});
  return encode(record.words());
}

Batch rule() {
  RecordBuilder record;
  record.message("nftNewRule").text("table", "t").text("chain", "c").begin("expressions");
  record.begin_expression("meta").number("dreg", 1).number("key", 15).end().end();
  record.begin_expression("cmp").number("sreg", 1).number("op", 0).begin("data").bytes("value", {2}).end();
  record.end().end();
  record.begin_expression("dynset").text("setName", "s").begin("expressions");
  record.begin_expression("limit").wide("rate", 5).end().end().end().end().end().end();
  return encode(record.words());
}

TEST("locate: properties of the message, of nests, of variants") {
  const Batch batch = veth();
  CHECK_EQUAL(at(batch, 16), "family");
  CHECK_EQUAL(at(batch, 18), "type");
  CHECK_EQUAL(at(batch, 20), "index");
  CHECK_EQUAL(at(batch, 32), "ifname");
  CHECK_EQUAL(at(batch, 36), "ifname");
  const std::uint32_t info = offset_of(batch, "38001280");
  CHECK_EQUAL(at(batch, info), "linkinfo");
  CHECK_EQUAL(at(batch, info + 4), "linkinfo.kind");
  CHECK_EQUAL(at(batch, offset_of(batch, "28000280")), "linkinfo.data");
  const std::uint32_t peer = offset_of(batch, "24000100");
  CHECK_EQUAL(at(batch, peer), "linkinfo.data.peer");
  CHECK_EQUAL(at(batch, peer + 4), "linkinfo.data.peer.family");
  CHECK_EQUAL(at(batch, peer + 12), "linkinfo.data.peer.flags");
  CHECK_EQUAL(at(batch, peer + 20), "linkinfo.data.peer.ifname");
  CHECK_EQUAL(at(batch, offset_of(batch, "08000400")), "linkinfo.data.peer.mtu");
}

TEST("locate: unknown attributes by their index, strings by theirs") {
  const Batch batch = veth();
  CHECK_EQUAL(at(batch, offset_of(batch, "0500c800")), "opaque[0]");
  CHECK_EQUAL(at(batch, offset_of(batch, "0800c900")), "opaque[1]");
  const std::uint32_t list = offset_of(batch, "14003480");
  CHECK_EQUAL(at(batch, list), "propList");
  CHECK_EQUAL(at(batch, list + 4), "propList[0]");
  CHECK_EQUAL(at(batch, list + 12), "propList[1]");
}

TEST("locate: expressions of rules, and expressions of expressions") {
  const Batch batch = rule();
  const std::uint32_t meta = offset_of(batch, "09000100");
  CHECK_EQUAL(at(batch, meta), "expressions[0].name");
  CHECK_EQUAL(at(batch, meta - 4), "expressions[0]");
  CHECK_EQUAL(at(batch, meta - 8), "expressions");
  CHECK_EQUAL(at(batch, offset_of(batch, "0500010002000000")), "expressions[1].data.data.value");
  const std::uint32_t rate = offset_of(batch, "0c0001000000000000000005");
  CHECK_EQUAL(at(batch, rate), "expressions[2].data.expressions[0].data.rate");
  CHECK_EQUAL(at(batch, rate + 11), "expressions[2].data.expressions[0].data.rate");
}

TEST("locate: outside of the message, and inside of the nlmsghdr, there is nothing") {
  const Batch batch = rule();
  for (const std::uint32_t offset : {0u, 4u, 15u, 100000u, 0xffffffffu}) CHECK_EQUAL(at(batch, offset), "");
  CHECK_EQUAL(at(batch, batch.messages[0].length), "");
}

TEST("locate: goes as deep as the codec does, and no deeper") {
  const codec::Message& message = codec::messages()[message_id("nftNewRule")];
  for (const int levels : {2, 1000}) {
    const netlink::Buffer buffer = deep_rule(levels);
    const std::string path =
        codec::locate(message, buffer.bytes(), static_cast<std::uint32_t>(buffer.size() - 4));
    std::size_t seen = 0;
    for (std::size_t at = path.find("expressions"); at != path.npos; at = path.find("expressions", at + 1)) {
      ++seen;
    }
    CHECK_EQUAL(seen, levels == 2 ? 2u : std::size_t{codec::kMaxDepth} / 2 + 1);
  }
}

TEST("locate: multipath") {
  RecordBuilder record;
  record.message("newRoute").begin("multipath");
  record.begin_element().number("ifindex", 2).bytes("gateway", {10, 0, 0, 1}).end();
  record.begin_element().number("ifindex", 3).number("flow", 1).end().end();
  const Batch batch = encode(record.words());
  CHECK_EQUAL(at(batch, 28), "multipath");
  CHECK_EQUAL(at(batch, 32), "multipath[0]");
  CHECK_EQUAL(at(batch, 34), "multipath[0].flags");
  CHECK_EQUAL(at(batch, 36), "multipath[0].ifindex");
  CHECK_EQUAL(at(batch, 40), "multipath[0].gateway");
  CHECK_EQUAL(at(batch, 48), "multipath[1]");
  CHECK_EQUAL(at(batch, 56), "multipath[1].flow");
}

TEST("locate: what is missing, in the message, in a nest, in a variant, in an element") {
  const Batch batch = rule();
  const codec::Message& message = *batch.messages[0].message;
  const auto missing = [&](std::uint32_t attribute, std::optional<std::uint32_t> nest) {
    return codec::locate_missing(message, batch.bytes(), attribute, nest);
  };
  CHECK_EQUAL(missing(NFTA_RULE_HANDLE, std::nullopt), "handle");
  CHECK_EQUAL(missing(999, std::nullopt), "");
  const std::uint32_t name = offset_of(batch, "09000100");
  const std::uint32_t data = name + 12;
  CHECK_EQUAL(missing(NFTA_EXPR_DATA, name - 4), "expressions[0].data");
  CHECK_EQUAL(missing(NFTA_META_SREG, data), "expressions[0].data.sreg");
  CHECK_EQUAL(missing(999, data), "expressions[0].data");
  CHECK_EQUAL(missing(NFTA_LIST_ELEM, name - 8), "expressions");
  CHECK_EQUAL(missing(1, name), "expressions[0].name");
  CHECK_EQUAL(missing(1, 1000000), "");
}

}  // namespace
}  // namespace nfbridge::test
