// Every message that the addon knows, in the order of their numbers.
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

#include "codec/schema.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

// Newer than the headers of Linux 6.1.
constexpr int kNftGetRuleReset = 25;  // 6.2
constexpr int kNftDestroyTable = 26;  // 6.3, with those that follow
constexpr int kNftDestroyChain = 27;
constexpr int kNftDestroyRule = 28;
constexpr int kNftDestroySet = 29;
constexpr int kNftDestroyElement = 30;
constexpr int kNftDestroyObject = 31;
constexpr int kNftDestroyFlowtable = 32;
constexpr int kNftGetElementReset = 33;  // 6.5

constexpr Message route(std::string_view name, int type, const Schema& schema) {
  return {name, Protocol::kRoute, static_cast<std::uint16_t>(type), &schema};
}
constexpr Message nft(std::string_view name, int type, const Schema& schema) {
  return {name, Protocol::kNetfilter, static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), &schema};
}
constexpr Message conntrack(std::string_view name, int type, const Schema& schema) {
  return {name, Protocol::kNetfilter, static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type), &schema};
}

constexpr Message kMessages[] = {
    route("newLink", RTM_NEWLINK, kLink),
    route("delLink", RTM_DELLINK, kLink),
    route("getLink", RTM_GETLINK, kLink),
    route("setLink", RTM_SETLINK, kLink),
    route("newAddress", RTM_NEWADDR, kAddress),
    route("delAddress", RTM_DELADDR, kAddress),
    route("getAddress", RTM_GETADDR, kAddress),
    route("newRoute", RTM_NEWROUTE, kRoute),
    route("delRoute", RTM_DELROUTE, kRoute),
    route("getRoute", RTM_GETROUTE, kRoute),
    route("newNeighbour", RTM_NEWNEIGH, kNeighbour),
    route("delNeighbour", RTM_DELNEIGH, kNeighbour),
    route("getNeighbour", RTM_GETNEIGH, kNeighbour),
    route("newRule", RTM_NEWRULE, kRoutingRule),
    route("delRule", RTM_DELRULE, kRoutingRule),
    route("getRule", RTM_GETRULE, kRoutingRule),
    route("newQdisc", RTM_NEWQDISC, kQdisc),
    route("delQdisc", RTM_DELQDISC, kQdisc),
    route("getQdisc", RTM_GETQDISC, kQdisc),
    route("newFilter", RTM_NEWTFILTER, kFilter),
    route("delFilter", RTM_DELTFILTER, kFilter),
    route("getFilter", RTM_GETTFILTER, kFilter),
    route("newLinkProperty", RTM_NEWLINKPROP, kLink),
    route("delLinkProperty", RTM_DELLINKPROP, kLink),

    conntrack("ctNew", IPCTNL_MSG_CT_NEW, kCtEntry),
    conntrack("ctGet", IPCTNL_MSG_CT_GET, kCtEntry),
    conntrack("ctDelete", IPCTNL_MSG_CT_DELETE, kCtEntry),

    nft("nftNewTable", NFT_MSG_NEWTABLE, kNftTable),
    nft("nftGetTable", NFT_MSG_GETTABLE, kNftTable),
    nft("nftDelTable", NFT_MSG_DELTABLE, kNftTable),
    nft("nftNewChain", NFT_MSG_NEWCHAIN, kNftChain),
    nft("nftGetChain", NFT_MSG_GETCHAIN, kNftChain),
    nft("nftDelChain", NFT_MSG_DELCHAIN, kNftChain),
    nft("nftNewRule", NFT_MSG_NEWRULE, kNftRule),
    nft("nftGetRule", NFT_MSG_GETRULE, kNftRule),
    nft("nftDelRule", NFT_MSG_DELRULE, kNftRule),
    nft("nftNewSet", NFT_MSG_NEWSET, kNftSet),
    nft("nftGetSet", NFT_MSG_GETSET, kNftSet),
    nft("nftDelSet", NFT_MSG_DELSET, kNftSet),
    nft("nftNewElement", NFT_MSG_NEWSETELEM, kNftElementList),
    nft("nftGetElement", NFT_MSG_GETSETELEM, kNftElementList),
    nft("nftDelElement", NFT_MSG_DELSETELEM, kNftElementList),
    nft("nftNewGeneration", NFT_MSG_NEWGEN, kNftGeneration),
    nft("nftGetGeneration", NFT_MSG_GETGEN, kNftGeneration),
    nft("nftTrace", NFT_MSG_TRACE, kNftTrace),
    nft("nftNewObject", NFT_MSG_NEWOBJ, kNftObject),
    nft("nftGetObject", NFT_MSG_GETOBJ, kNftObject),
    nft("nftDelObject", NFT_MSG_DELOBJ, kNftObject),
    nft("nftGetObjectReset", NFT_MSG_GETOBJ_RESET, kNftObject),
    nft("nftNewFlowtable", NFT_MSG_NEWFLOWTABLE, kNftFlowtable),
    nft("nftGetFlowtable", NFT_MSG_GETFLOWTABLE, kNftFlowtable),
    nft("nftDelFlowtable", NFT_MSG_DELFLOWTABLE, kNftFlowtable),
    nft("nftGetRuleReset", kNftGetRuleReset, kNftRule),
    nft("nftDestroyTable", kNftDestroyTable, kNftTable),
    nft("nftDestroyChain", kNftDestroyChain, kNftChain),
    nft("nftDestroyRule", kNftDestroyRule, kNftRule),
    nft("nftDestroySet", kNftDestroySet, kNftSet),
    nft("nftDestroyElement", kNftDestroyElement, kNftElementList),
    nft("nftDestroyObject", kNftDestroyObject, kNftObject),
    nft("nftDestroyFlowtable", kNftDestroyFlowtable, kNftFlowtable),
    nft("nftGetElementReset", kNftGetElementReset, kNftElementList),
};

}  // namespace

std::span<const Message> messages() {
  return kMessages;
}

int find_message(Protocol protocol, std::uint16_t type) {
  for (std::size_t index = 0; index < std::size(kMessages); ++index) {
    if (kMessages[index].type == type && kMessages[index].protocol == protocol) {
      return static_cast<int>(index);
    }
  }
  return -1;
}

}  // namespace nfbridge::codec
