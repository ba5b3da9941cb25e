// The kernel as the judge: what the encoder writes is taken, listed again as it was meant, and refusals are
// located. Everything happens in network namespaces of threads that end with their test. Needs root; skipped
// otherwise.
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "codec/decode.h"
#include "codec/locate.h"
#include "netlink/dump.h"
#include "netlink/exchange.h"
#include "netlink/socket.h"
#include "netlink/transaction.h"
#include "support/check.h"
#include "support/codec.h"
#include "support/describe.h"
#include "support/fixtures.h"
#include "support/record_builder.h"

namespace nfbridge::test {
namespace {

using netlink::Failures;
using netlink::Socket;
using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t kNew = NLM_F_CREATE | NLM_F_EXCL;

// Runs the body on a thread in a network namespace of its own.
void in_new_namespace(const std::function<void()>& body) {
  std::thread([&body] {
    if (unshare(CLONE_NEWNET) != 0) {
      skip(std::string("no new network namespace: ") + std::strerror(errno));
      return;
    }
    body();
  }).join();
}

struct Collected : netlink::Replies {
  explicit Collected(codec::Protocol used) : protocol(used) {}
  void reply(const netlink::MessageView& message, std::uint32_t index) override {
    codec::decode(protocol, message.bytes, index, words);
  }
  void restart() override { words.clear(); }

  codec::Protocol protocol;
  Words words;
};

// A socket, and what happened to the last batch that it sent.
class Client {
 public:
  explicit Client(codec::Protocol protocol) : protocol_(protocol) {
    auto opened = Socket::open(protocol == codec::Protocol::kRoute ? NETLINK_ROUTE : NETLINK_NETFILTER);
    if (CHECK(opened.ok())) socket_.emplace(std::move(opened.value()));
  }

  // Sends requests, or one transaction, and tells the first failure as `errno path`, or nothing.
  std::string send(RecordBuilder& record) { return send(encode(record.words())); }
  std::string send(Batch batch) {
    if (!batch.error.empty()) return batch.error;
    failed_ = -1;
    Collected replies(protocol_);
    const std::vector<std::size_t> offsets = offsets_of(batch);
    const netlink::Requests requests{batch.buffer, offsets};
    const bool is_nft = batch.messages[0].message->name.starts_with("nft");
    const Failures failures = is_nft ? netlink::transaction(*socket_, requests, {}, replies)
                                     : netlink::request(*socket_, requests, replies);
    replies_ = describe(replies.words);
    if (failures.empty()) return "";
    const netlink::Failure& first = failures[0];
    failed_ = first.index;
    std::string text = strerrorname_np(first.error);
    if (first.index < 0) return text + " " + first.message;
    const auto index = static_cast<std::size_t>(first.index);
    if (first.offset) {
      text += " " + codec::locate(*batch.messages[index].message, batch.bytes(index), *first.offset);
    }
    if (first.missing) {
      text += " missing " + codec::locate_missing(*batch.messages[index].message, batch.bytes(index),
                                                  *first.missing, first.missing_nest);
    }
    return text;
  }
  // Index of the message in the last batch that failed first; -1 for none.
  int failed() const { return failed_; }
  // What the kernel answered to it.
  const std::string& replies() const { return replies_; }

  std::string list(RecordBuilder& record) {
    Batch batch = encode(record.words());
    Collected replies(protocol_);
    const std::vector<std::size_t> offsets = offsets_of(batch);
    const Failures failures = netlink::dump(*socket_, {batch.buffer, offsets}, replies);
    for (const auto& failure : failures) fail(__FILE__, __LINE__, "dump: " + failure.message);
    return describe(replies.words);
  }

 private:
  static std::vector<std::size_t> offsets_of(const Batch& batch) {
    std::vector<std::size_t> offsets;
    for (const auto& message : batch.messages) offsets.push_back(message.offset);
    return offsets;
  }

  codec::Protocol protocol_;
  std::optional<Socket> socket_;
  int failed_ = -1;
  std::string replies_;
};

// The listing, line by line, without what differs from one ruleset to the next.
std::string without(const std::string& text, const std::vector<std::string>& fields) {
  std::string result = text;
  for (const std::string& field : fields) {
    for (std::size_t at = result.find(" " + field + "="); at != result.npos;
         at = result.find(" " + field + "=", at)) {
      result.erase(at, result.find_first_of(" }", at + 1) - at);
    }
  }
  return result;
}

// RTNH_F_LINKDOWN is set while the carrier, which comes a little later, is not there.
std::string without_link_down(std::string text) {
  const std::string down = "{flags=16 ";
  for (std::size_t at = text.find(down); at != text.npos; at = text.find(down, at)) {
    text.replace(at, down.size(), "{flags=0 ");
  }
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != text.npos) return true;
  fail(__FILE__, __LINE__, "not listed: " + part + "\n    in " + without(text, {"stats", "stats64", "conf"}));
  return false;
}

// br0 (2), v1 (30) and v0 (31) as its port, in one batch.
void add_links(RecordBuilder& record) {
  record.message("newLink", kNew).number("index", 2).number("flags", 1).number("change", 1);
  record.text("ifname", "br0").begin("linkinfo").text("kind", "bridge").begin_select("data", "bridge");
  record.number("nfCallIptables", 1).number("ageingTime", 12300).end().end();
  record.message("newLink", kNew).number("index", 31).number("flags", 1).number("change", 1);
  record.text("ifname", "v0").number("mtu", 1400).number("master", 2).number("group", 7);
  record.bytes("address", {2, 0, 0, 0, 0, 1}).number("numTxQueues", 1).number("numRxQueues", 1);
  record.begin("linkinfo").text("kind", "veth").begin_select("data", "veth").begin("peer");
  record.number("index", 30).text("ifname", "v1").number("numTxQueues", 1).end().end().end();
  // RTM_SETLINK passes over the data of a port: only RTM_NEWLINK of a link that is there changes them.
  record.message("newLink").number("index", 31).text("ifalias", "container web").begin("linkinfo");
  record.text("slaveKind", "bridge").begin_select("slaveData", "bridge").number("isolated", 1);
  record.number("mode", 1).end().end();
  record.message("setLink").number("index", 30).number("flags", 1).number("change", 1);
}

TEST("kernel: links, addresses, routes and neighbours are made in one batch and listed as they were meant") {
  in_new_namespace([] {
    Client client(codec::Protocol::kRoute);
    RecordBuilder record;
    add_links(record);
    record.message("newAddress", kNew).number("family", AF_INET).number("prefixlen", 24).number("index", 2);
    record.bytes("local", {10, 0, 0, 1}).bytes("address", {10, 0, 0, 1}).bytes("broadcast", {10, 0, 0, 255});
    record.message("newRoute", kNew)
        .number("family", AF_INET)
        .number("dstLen", 16)
        .number("type", RTN_UNICAST);
    record.bytes("dst", {10, 9, 0, 0}).number("rtaTable", 1000).number("protocol", RTPROT_STATIC);
    record.begin("metrics").number("mtu", 1300).end().begin("multipath");
    record.begin_element().number("ifindex", 2).number("hops", 1).bytes("gateway", {10, 0, 0, 8}).end();
    record.begin_element().number("ifindex", 2).bytes("gateway", {10, 0, 0, 9}).end().end();
    record.message("newNeighbour", kNew).number("family", AF_INET).number("ifindex", 2).number("state", 0x80);
    record.bytes("dst", {10, 0, 0, 2}).bytes("lladdr", {2, 0, 0, 0, 0, 2});
    record.message("newNeighbour", kNew).number("family", AF_BRIDGE).number("ifindex", 31);
    record.number("state", 0x40).number("flags", 4).bytes("lladdr", {2, 0, 0, 0, 0, 3});
    record.message("newLinkProperty", kNew).number("index", 31).strings("propList", {"port-one", "port-two"});
    if (!CHECK_EQUAL(client.send(record), "")) return;

    RecordBuilder links;
    const std::string listed = client.list(links.message("getLink"));
    contains(listed, "ifname=\"br0\"");
    contains(listed, "ageingTime=12300");
    contains(listed, "nfCallIptables=1");
    contains(listed, "ifalias=\"container web\"");
    contains(listed, "isolated=1");
    contains(listed, "mode=1");
    contains(listed, "group=7");
    contains(listed, "address=<020000000001>");
    contains(listed, "index=30");
    contains(listed, "propList=[\"port-one\" \"port-two\"]");
    RecordBuilder addresses;
    contains(client.list(addresses.message("getAddress")),
             "address=<0a000001> local=<0a000001> broadcast=<0a0000ff>");
    RecordBuilder routes;
    contains(without_link_down(
                 client.list(routes.message("getRoute").number("family", AF_INET).number("rtaTable", 1000))),
             "dst=<0a090000> metrics={mtu=1300} multipath=[{flags=0 hops=1 ifindex=2 gateway=<0a000008>} "
             "{flags=0 hops=0 ifindex=2 gateway=<0a000009>}]");
    RecordBuilder neighbours;
    contains(client.list(neighbours.message("getNeighbour").number("family", AF_INET)),
             "dst=<0a000002> lladdr=<020000000002>");
    RecordBuilder forwarding;
    contains(client.list(forwarding.message("getNeighbour").number("family", AF_BRIDGE)),
             "lladdr=<020000000003>");

    RecordBuilder by_group;
    CHECK_EQUAL(client.send(by_group.message("delLink").number("group", 7)), "");
  });
}

TEST("kernel: what rtnetlink refuses is located, in the message, in the peer, in the port") {
  in_new_namespace([] {
    Client client(codec::Protocol::kRoute);
    RecordBuilder links;
    add_links(links);
    if (!CHECK_EQUAL(client.send(links), "")) return;

    RecordBuilder top;
    top.message("setLink").number("index", 31).number("gsoMaxSize", 1);
    CHECK_EQUAL(client.send(top), "ERANGE gsoMaxSize");

    RecordBuilder peer;
    peer.message("newLink", kNew).text("ifname", "v2").begin("linkinfo").text("kind", "veth");
    peer.begin_select("data", "veth").begin("peer").text("ifname", "v3").number("gsoMaxSize", 1);
    peer.end().end().end();
    CHECK_EQUAL(client.send(peer), "ERANGE linkinfo.data.peer.gsoMaxSize");

    RecordBuilder port;
    port.message("newLink").number("index", 31).begin("linkinfo").text("slaveKind", "bridge");
    port.begin_select("slaveData", "bridge").opaque(IFLA_BRPORT_COST, {1}).end().end();
    CHECK_EQUAL(client.send(port), "ERANGE linkinfo.slaveData.cost");

    RecordBuilder next_hop;
    next_hop.message("newLink").message("newNeighbour").number("family", 99);
    CHECK(!client.send(next_hop).empty());
  });
}

TEST("kernel: what nf_tables refuses is located") {
  in_new_namespace([] {
    Client client(codec::Protocol::kNetfilter);
    RecordBuilder no_table;
    no_table.message("nftNewChain", kNew).number("family", 2).text("table", "none").text("name", "c");
    CHECK_EQUAL(client.send(no_table), "ENOENT table");

    RecordBuilder table;
    table.message("nftNewTable", kNew).number("family", 2).text("name", "t");
    table.message("nftNewChain", kNew).number("family", 2).text("table", "t").text("name", "c");
    CHECK_EQUAL(client.send(table), "");
    RecordBuilder again;
    again.message("nftNewTable", kNew).number("family", 2).text("name", "t");
    CHECK_EQUAL(client.send(again), "EEXIST name");

    RecordBuilder rule;
    rule.message("nftNewRule", kNew).number("family", 2).text("table", "t").text("chain", "c");
    rule.begin("expressions").begin_expression("counter").end().end();
    rule.begin_expression("lookup").text("set", "nowhere").number("sreg", 1).end().end().end();
    CHECK_EQUAL(client.send(rule), "ENOENT expressions[1]");

    RecordBuilder element;
    element.message("nftNewSet", kNew).number("family", 2).text("table", "t").text("name", "s");
    element.number("keyLen", 4).number("keyType", 7).number("id", 1);
    element.message("nftNewElement", kNew).number("family", 2).text("table", "t").text("set", "s");
    element.begin("elements").begin_element().begin("key").bytes("value", {1, 2, 3, 4}).end().end();
    element.begin_element().begin("key").bytes("value", {1, 2, 3, 4, 5, 6, 7, 8}).end().end().end();
    CHECK_EQUAL(client.send(element), "EINVAL elements[1]");
  });
}

// The kernel lists flags of 0 that it refuses to be given: nft_exthdr_tcp_set_init and nft_osf_init.
bool is_taken_back(const std::string& text) {
  return text.find("exprExthdr={sreg=") == text.npos && text.find("exprOsf={ttl=0 flags=0") == text.npos;
}

// A recorded listing as messages that make it again: what only the kernel may say is left out.
void append_as_new(const std::string& name, int type, const std::set<int>& omitted, Batch& batch) {
  for (const Fixture& fixture : fixtures()) {
    if (fixture.name != name) continue;
    for (const auto& bytes : fixture.messages) {
      netlink::Buffer stripped;
      netlink::Writer writer(stripped);
      writer.begin_message(static_cast<std::uint16_t>(10 << 8 | type), NLM_F_CREATE | NLM_F_APPEND);
      const netlink::Bytes payload = netlink::Bytes(bytes).subspan(NLMSG_HDRLEN);
      stripped.append(payload.first(4));
      netlink::AttributeReader reader(payload.subspan(4));
      for (netlink::Attribute attribute; reader.next(attribute);) {
        if (!omitted.contains(attribute.number())) CHECK(writer.put(attribute.type, attribute.payload));
      }
      // The one thing that a new set must have and a listed one has not.
      const auto id = static_cast<std::uint32_t>(batch.messages.size() + 1);
      if (type == NFT_MSG_NEWSET) writer.put_value(NFTA_SET_ID, netlink::to_be32(id));
      writer.end_message(0);
      Words words;
      codec::decode(codec::Protocol::kNetfilter, stripped.bytes(), 0, words);
      if (!is_taken_back(describe(words))) continue;
      CHECK(!codec::encode(words, batch.buffer, batch.messages));
    }
  }
}

TEST("kernel: the recorded ruleset, decoded and encoded, makes the same ruleset again") {
  in_new_namespace([] {
    Client route(codec::Protocol::kRoute);
    RecordBuilder links;
    add_links(links);
    if (!CHECK_EQUAL(route.send(links), "")) return;

    Batch batch;
    append_as_new("netfilter-tables", NFT_MSG_NEWTABLE, {NFTA_TABLE_USE, NFTA_TABLE_HANDLE}, batch);
    append_as_new("netfilter-objects", NFT_MSG_NEWOBJ, {NFTA_OBJ_USE, NFTA_OBJ_HANDLE}, batch);
    append_as_new("netfilter-chains", NFT_MSG_NEWCHAIN, {NFTA_CHAIN_USE, NFTA_CHAIN_HANDLE}, batch);
    append_as_new("netfilter-sets", NFT_MSG_NEWSET, {NFTA_SET_HANDLE, 19, 20}, batch);
    for (const char* set : {"publish", "links", "nets", "ranges", "icc", "marks", "tohits"}) {
      append_as_new(std::string("netfilter-elements-") + set, NFT_MSG_NEWSETELEM, {}, batch);
    }
    append_as_new("netfilter-rules", NFT_MSG_NEWRULE, {NFTA_RULE_HANDLE, NFTA_RULE_POSITION}, batch);
    if (!CHECK(batch.messages.size() > 50)) return;

    Client client(codec::Protocol::kNetfilter);
    const std::string failure = client.send(std::move(batch));
    if (failure.starts_with("ENOENT expressions") || failure.starts_with("EOPNOTSUPP")) {
      skip("the recorded ruleset needs an expression that this kernel does not have: " + failure);
      return;
    }
    if (!CHECK_EQUAL(failure, "")) {
      fail(__FILE__, __LINE__, "message " + std::to_string(client.failed()));
      return;
    }
    const auto compare = [&client](const std::string& name, const char* message,
                                   const std::vector<std::string>& ignored) {
      for (const Fixture& fixture : fixtures()) {
        if (fixture.name != name) continue;
        RecordBuilder list;
        list.message(message);
        std::string expected;
        std::istringstream lines(fixture.expected);
        for (std::string line; std::getline(lines, line);) {
          if (is_taken_back(line)) expected += line + "\n";
        }
        CHECK_EQUAL(without(client.list(list), ignored), without(expected, ignored));
      }
    };
    compare("netfilter-tables", "nftGetTable", {"handle", "resId"});
    compare("netfilter-chains", "nftGetChain", {"handle", "resId", "use"});
    compare("netfilter-sets", "nftGetSet", {"handle", "resId", "type", "count"});
    compare("netfilter-objects", "nftGetObject", {"handle", "resId"});
    compare("netfilter-rules", "nftGetRule", {"handle", "position", "resId"});
    for (const Fixture& fixture : fixtures()) {
      const std::string prefix = "netfilter-elements-";
      if (!fixture.name.starts_with(prefix) || fixture.name == prefix + "seen") continue;
      RecordBuilder list;
      list.message("nftGetElement").number("family", 1).text("table", "shop");
      list.text("set", fixture.name.substr(prefix.size()));
      CHECK_EQUAL(without(client.list(list), {"resId"}), without(fixture.expected, {"resId"}));
    }
  });
}

void put_tuple(RecordBuilder& record, const char* name, bool reply) {
  const std::vector<std::uint8_t> client{10, 0, 0, 1};
  const std::vector<std::uint8_t> server{10, 0, 0, 2};
  record.begin(name).begin("ip").bytes("v4Src", reply ? server : client);
  record.bytes("v4Dst", reply ? client : server).end().begin("proto").number("num", 6);
  record.number("srcPort", reply ? 80 : 1000).number("dstPort", reply ? 1000 : 80).end().end();
}

TEST("kernel: a connection is made, found by its tuple and by a filter, and deleted") {
  in_new_namespace([] {
    Client client(codec::Protocol::kNetfilter);
    const auto with_tuple = [](const char* message, std::uint32_t flags = 0) {
      RecordBuilder record;
      record.message(message, flags).number("family", AF_INET);
      put_tuple(record, "tupleOrig", false);
      return record;
    };
    RecordBuilder create = with_tuple("ctNew", kNew);
    put_tuple(create, "tupleReply", true);
    create.number("timeout", 300).number("mark", 0x01020304).number("status", 8).begin("protoinfo");
    create.begin("tcp").number("state", 3).end().end();
    if (!CHECK_EQUAL(client.send(create), "")) return;

    const std::string expected =
        "tupleOrig={ip={v4Src=<0a000001> v4Dst=<0a000002>} proto={num=6 srcPort=1000 dstPort=80}} "
        "tupleReply={ip={v4Src=<0a000002> v4Dst=<0a000001>} proto={num=6 srcPort=80 dstPort=1000}}";
    RecordBuilder get = with_tuple("ctGet");
    CHECK_EQUAL(client.send(get), "");
    contains(client.replies(), expected);
    contains(client.replies(), "mark=16909060");
    contains(client.replies(), "tcp={state=3");
    RecordBuilder by_mark;
    by_mark.message("ctGet").number("family", AF_INET).number("mark", 0x304).number("markMask", 0xffff);
    contains(client.list(by_mark), expected);
    RecordBuilder by_other_mark;
    by_other_mark.message("ctGet").number("family", AF_INET).number("mark", 5).number("markMask", 0xffff);
    CHECK_EQUAL(client.list(by_other_mark), "");
    // CTA_FILTER: compare the destination's address of the original tuple only (CTA_FILTER_FLAG_CTA_IP_DST).
    for (const bool other : {false, true}) {
      RecordBuilder filter;
      filter.message("ctGet").number("family", AF_INET).begin("filter").number("origFlags", 2);
      filter.number("replyFlags", 0).end().begin("tupleOrig").begin("ip");
      filter.bytes("v4Dst", {10, 0, 0, static_cast<std::uint8_t>(other ? 9 : 2)}).end().end();
      const std::string listed = client.list(filter);
      CHECK_EQUAL(listed.find(expected) != listed.npos, !other);
    }

    RecordBuilder remove = with_tuple("ctDelete");
    CHECK_EQUAL(client.send(remove), "");
    RecordBuilder again = with_tuple("ctDelete");
    CHECK_EQUAL(client.send(again), "ENOENT");
  });
}

}  // namespace
}  // namespace nfbridge::test
