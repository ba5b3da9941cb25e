// Stamps: many messages of one template, and what is refused.
#include "codec/stamp.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>
#include <vector>

#include "codec/records.h"
#include "support/check.h"
#include "support/codec.h"
#include "support/record_builder.h"

namespace nfbridge::test {
namespace {

using Words = std::vector<std::uint32_t>;

struct Site {
  std::uint32_t offset, length, word, form;
};

void put_bytes(Words& words, netlink::Bytes bytes) {
  words.push_back(static_cast<std::uint32_t>(bytes.size()));
  const std::size_t start = words.size();
  words.resize(start + (bytes.size() + 3) / 4);
  if (!bytes.empty()) std::memcpy(words.data() + start, bytes.data(), bytes.size());
}

struct StampRecord {
  std::uint32_t id = message_id("nftDelTable");
  std::uint32_t per_message = 0;
  std::uint32_t row_words = 1;
  std::uint32_t rows = 0;
  std::vector<Site> sites = {};
  netlink::Bytes head = {};
  netlink::Bytes pattern = {};
  Words values = {};

  Words words(std::uint32_t flags = 0) const {
    Words body{id, per_message, row_words, rows, static_cast<std::uint32_t>(sites.size())};
    for (const Site& site : sites) body.insert(body.end(), {site.offset, site.length, site.word, site.form});
    put_bytes(body, head);
    put_bytes(body, pattern);
    body.insert(body.end(), values.begin(), values.end());
    Words all{codec::kStamp, flags, 0, static_cast<std::uint32_t>(body.size())};
    all.insert(all.end(), body.begin(), body.end());
    return all;
  }
};

// nlmsghdr, nfgenmsg, handle (be64): the handle's bytes are at 24.
Batch table_message(std::uint64_t handle) {
  RecordBuilder record;
  record.message("nftDelTable").number("family", 2).wide("handle", handle);
  return encode(record.words());
}

constexpr std::uint32_t kHandle = NLMSG_HDRLEN + 4 + NLA_HDRLEN;

TEST("stamp: each row makes a message, between others") {
  const Batch pattern = table_message(0);
  StampRecord stamp{.row_words = 2,
                    .rows = 2,
                    .sites = {{kHandle + 4, 4, 0, 1}, {kHandle + 2, 2, 1, 1}},
                    .pattern = pattern.bytes(),
                    .values = {0x01020304, 0x0a0b, 5, 0}};
  RecordBuilder before;
  before.message("nftDelTable").number("family", 2).wide("handle", 1);
  Words words = before.words();
  const Words middle = stamp.words(NLM_F_ECHO);
  words.insert(words.end(), middle.begin(), middle.end());
  const Words after = before.words();
  words.insert(words.end(), after.begin(), after.end());

  const Batch batch = encode(words);
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(batch.messages.size(), 4u);
  CHECK_EQUAL(to_hex(batch.bytes(0)), to_hex(table_message(1).bytes()));
  CHECK_EQUAL(to_hex(batch.bytes(3)), to_hex(table_message(1).bytes()));
  CHECK_EQUAL(to_hex(batch.bytes(1)).substr(2 * kHandle), "00000a0b01020304");
  CHECK_EQUAL(to_hex(batch.bytes(2)).substr(2 * kHandle), "0000000000000005");
  CHECK_EQUAL(batch.messages[1].flags, std::uint32_t{NLM_F_REQUEST | NLM_F_ECHO});
  CHECK_EQUAL(batch.messages[1].message->name, "nftDelTable");
}

TEST("stamp: values as bytes, in network order and in the host's") {
  const Batch pattern = table_message(0);
  StampRecord stamp{.row_words = 2,
                    .rows = 1,
                    .sites = {{kHandle, 3, 0, 0}, {kHandle + 3, 3, 1, 1}, {kHandle + 6, 2, 1, 2}},
                    .pattern = pattern.bytes(),
                    .values = {0x44332211, 0x01020304}};
  const Batch batch = encode(stamp.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(to_hex(batch.bytes()).substr(2 * kHandle), "1122330203040403");
}

// A message of elements: head up to the nest, and one element as a template.
struct Elements {
  Batch whole;
  std::size_t start;

  Elements() {
    RecordBuilder record;
    record.message("nftNewElement", NLM_F_CREATE).number("family", 2).text("table", "t").text("set", "s");
    record.begin("elements").begin_element().begin("key").bytes("value", {0, 0, 0, 0}).end().end().end();
    whole = encode(record.words());
    start = NLMSG_HDRLEN + 4 + 8 + 8 + NLA_HDRLEN;
  }
  netlink::Bytes head() const { return whole.bytes().first(start); }
  netlink::Bytes element() const { return whole.bytes().subspan(start); }
};

TEST("stamp: elements fill messages, whose lengths are right") {
  const Elements one;
  StampRecord stamp{.id = message_id("nftNewElement"),
                    .per_message = 3,
                    .rows = 7,
                    .sites = {{12, 4, 0, 1}},
                    .head = one.head(),
                    .pattern = one.element(),
                    .values = {1, 2, 3, 4, 5, 6, 7}};
  const Batch batch = encode(stamp.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(batch.messages.size(), 3u);
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < 3; ++index) {
    const netlink::Bytes bytes = batch.bytes(index);
    nlmsghdr header{};
    CHECK(netlink::load(bytes, 0, header));
    CHECK_EQUAL(header.nlmsg_len, bytes.size());
    const std::size_t count = index == 2 ? 1 : 3;
    CHECK_EQUAL(bytes.size(), one.start + count * one.element().size());
    netlink::AttributeReader attributes(bytes.subspan(NLMSG_HDRLEN + 4));
    netlink::Attribute attribute;
    std::size_t elements = 0;
    while (attributes.next(attribute)) {
      if (attribute.number() != NFTA_SET_ELEM_LIST_ELEMENTS) continue;
      netlink::AttributeReader reader(attribute.payload);
      for (netlink::Attribute element; reader.next(element); ++elements) {
        std::uint32_t key = 0;
        CHECK(netlink::load(element.payload, 8, key));
        CHECK_EQUAL(netlink::to_be32(key), ++value);
      }
      CHECK(reader.complete());
    }
    CHECK(attributes.complete());
    CHECK_EQUAL(elements, count);
  }
}

TEST("stamp: no rows, no messages") {
  const Batch pattern = table_message(0);
  const Batch batch = encode(StampRecord{.pattern = pattern.bytes()}.words());
  CHECK_EQUAL(batch.error, "");
  CHECK_EQUAL(batch.messages.size(), 0u);
}

TEST("stamp: what does not follow the layout is refused, and leaves nothing") {
  const Batch message = table_message(0);
  const Elements one;
  const netlink::Bytes pattern = message.bytes();
  const auto size = static_cast<std::uint32_t>(pattern.size());
  const auto with_site = [&](Site site) {
    return StampRecord{.rows = 1, .sites = {site}, .pattern = pattern, .values = {0}};
  };
  const std::vector<StampRecord> wrong = {
      {.id = 0xffff, .pattern = pattern},
      {.id = message_id("nftNewTable"), .pattern = pattern},
      {.pattern = {}},
      {.pattern = pattern.first(8)},
      {.pattern = pattern.first(18)},
      {.head = pattern, .pattern = pattern},
      {.per_message = 1, .pattern = pattern},
      {.per_message = 1, .head = pattern.first(20), .pattern = pattern},
      {.per_message = 5000, .head = pattern, .pattern = pattern},
      {.rows = 1, .pattern = pattern},
      {.rows = 1, .pattern = pattern, .values = {1, 2}},
      {.row_words = 0, .rows = 0xffffffff, .pattern = pattern},
      {.row_words = 0xffffffff, .rows = 0xffffffff, .pattern = pattern, .values = {1}},
      with_site({size - 3, 4, 0, 1}),
      with_site({0xffffffff, 4, 0, 1}),
      with_site({4, 0xffffffff, 0, 0}),
      with_site({8, 4, 0, 1}),
      with_site({24, 5, 0, 1}),
      with_site({24, 5, 0, 0}),
      with_site({24, 4, 1, 0}),
      with_site({24, 4, 0xffffffff, 0}),
      with_site({24, 4, 0, 3}),
  };
  for (const StampRecord& stamp : wrong) {
    Batch batch = encode(stamp.words());
    CHECK(batch.error != "");
    CHECK_EQUAL(batch.messages.size(), 0u);
    CHECK_EQUAL(batch.buffer.size(), 0u);
  }
  // Cut short anywhere.
  const Words whole = with_site({24, 4, 0, 1}).words();
  for (std::size_t length = 4; length < whole.size(); ++length) {
    Words cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut[3] = static_cast<std::uint32_t>(length - 4);
    CHECK(encode(cut).error != "");
  }
}

}  // namespace
}  // namespace nfbridge::test
