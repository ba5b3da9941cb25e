// Links: struct ifinfomsg and IFLA_* (linux/if_link.h, net/core/rtnetlink.c).
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1.
constexpr std::uint16_t kIflaDevlinkPort = 62;              // 6.2
constexpr std::uint16_t kIflaGsoIpv4MaxSize = 63;           // 6.3
constexpr std::uint16_t kIflaGroIpv4MaxSize = 64;           // 6.3
constexpr std::uint16_t kIflaDpllPin = 65;                  // 6.7
constexpr std::uint16_t kIflaMaxPacingOffloadHorizon = 66;  // 6.13
constexpr std::uint16_t kIflaNetnsImmutable = 67;           // 6.15
constexpr std::uint16_t kIflaHeadroom = 68;                 // 6.18
constexpr std::uint16_t kIflaTailroom = 69;                 // 6.18
constexpr std::uint16_t kIflaMacvlanBcCutoff = 9;           // 6.4

constexpr HeaderField kIfinfomsg[] = {
    {"family", kU8, offsetof(ifinfomsg, ifi_family)},  {"type", kU16, offsetof(ifinfomsg, ifi_type)},
    {"index", kS32, offsetof(ifinfomsg, ifi_index)},   {"flags", kU32, offsetof(ifinfomsg, ifi_flags)},
    {"change", kU32, offsetof(ifinfomsg, ifi_change)},
};

extern const Schema kVethPeer;

constexpr Field kVethFields[] = {
    // Its policy is bytes that begin with an ifinfomsg: no NLA_F_NESTED.
    nested("peer", VETH_INFO_PEER, kVethPeer, Nest::kPlain),
};
constinit const Schema kVeth{.name = "veth", .fields = kVethFields};

constexpr Field kVlanFields[] = {
    {"id", IFLA_VLAN_ID, kU16},
    {"flags", IFLA_VLAN_FLAGS, kBytes},  // struct ifla_vlan_flags
    {"egressQos", IFLA_VLAN_EGRESS_QOS, kBytes},
    {"ingressQos", IFLA_VLAN_INGRESS_QOS, kBytes},
    {"protocol", IFLA_VLAN_PROTOCOL, kBe16},
};
constinit const Schema kVlan{.name = "vlan", .fields = kVlanFields};

constexpr Field kMacvlanFields[] = {
    {"mode", IFLA_MACVLAN_MODE, kU32},
    {"flags", IFLA_MACVLAN_FLAGS, kU16},
    {"macaddrMode", IFLA_MACVLAN_MACADDR_MODE, kU32},
    {"macaddr", IFLA_MACVLAN_MACADDR, kBytes},
    {"macaddrData", IFLA_MACVLAN_MACADDR_DATA, kBytes},
    {"macaddrCount", IFLA_MACVLAN_MACADDR_COUNT, kU32},
    {"bcQueueLen", IFLA_MACVLAN_BC_QUEUE_LEN, kU32},
    {"bcQueueLenUsed", IFLA_MACVLAN_BC_QUEUE_LEN_USED, kU32},
    {"bcCutoff", kIflaMacvlanBcCutoff, kS32},
};
constinit const Schema kMacvlan{.name = "macvlan", .fields = kMacvlanFields};

constexpr Field kIpvlanFields[] = {
    {"mode", IFLA_IPVLAN_MODE, kU16},
    {"flags", IFLA_IPVLAN_FLAGS, kU16},
};
constinit const Schema kIpvlan{.name = "ipvlan", .fields = kIpvlanFields};

constexpr Field kVrfFields[] = {{"table", IFLA_VRF_TABLE, kU32}};
constinit const Schema kVrf{.name = "vrf", .fields = kVrfFields};

constinit const Schema kDummy{.name = "dummy"};

constexpr Variant kKinds[] = {
    {.name = "bridge", .schema = &kBridge}, {.name = "veth", .schema = &kVeth},
    {.name = "vlan", .schema = &kVlan},     {.name = "macvlan", .schema = &kMacvlan},
    {.name = "ipvlan", .schema = &kIpvlan}, {.name = "dummy", .schema = &kDummy},
    {.name = "vrf", .schema = &kVrf},
};
constexpr Variant kSlaveKinds[] = {{.name = "bridge", .schema = &kBridgePort}};

constexpr Field kLinkInfoFields[] = {
    {"kind", IFLA_INFO_KIND, kString},
    select("data", IFLA_INFO_DATA, "kind", kKinds),
    {"xstats", IFLA_INFO_XSTATS, kBytes},
    {"slaveKind", IFLA_INFO_SLAVE_KIND, kString},
    select("slaveData", IFLA_INFO_SLAVE_DATA, "slaveKind", kSlaveKinds),
};
constinit const Schema kLinkInfo{.name = "linkInfo", .fields = kLinkInfoFields};

constexpr Field kInetFields[] = {{"conf", IFLA_INET_CONF, kBytes}};
constinit const Schema kInet{.name = "linkInet", .fields = kInetFields};

constexpr Field kInet6Fields[] = {
    {"flags", IFLA_INET6_FLAGS, kU32},           {"conf", IFLA_INET6_CONF, kBytes},
    {"stats", IFLA_INET6_STATS, kBytes},         {"mcast", IFLA_INET6_MCAST, kBytes},
    {"cacheinfo", IFLA_INET6_CACHEINFO, kBytes}, {"icmp6stats", IFLA_INET6_ICMP6STATS, kBytes},
    {"token", IFLA_INET6_TOKEN, kBytes},         {"addrGenMode", IFLA_INET6_ADDR_GEN_MODE, kU8},
    {"raMtu", IFLA_INET6_RA_MTU, kU32},
};
constinit const Schema kInet6{.name = "linkInet6", .fields = kInet6Fields};

// Attributes are numbered by address family, except in messages of AF_BRIDGE (IFLA_BRIDGE_*).
constexpr Field kAfSpecFields[] = {
    nested("inet", AF_INET, kInet),
    nested("inet6", AF_INET6, kInet6),
};
constinit const Schema kAfSpec{.name = "linkAfSpec", .fields = kAfSpecFields};

constexpr Field kXdpFields[] = {
    {"fd", IFLA_XDP_FD, kS32},
    {"attached", IFLA_XDP_ATTACHED, kU8},
    {"flags", IFLA_XDP_FLAGS, kU32},
    {"progId", IFLA_XDP_PROG_ID, kU32},
    {"drvProgId", IFLA_XDP_DRV_PROG_ID, kU32},
    {"skbProgId", IFLA_XDP_SKB_PROG_ID, kU32},
    {"hwProgId", IFLA_XDP_HW_PROG_ID, kU32},
    {"expectedFd", IFLA_XDP_EXPECTED_FD, kS32},
};
constinit const Schema kXdp{.name = "linkXdp", .fields = kXdpFields};

constexpr Field kProtoDownReasonFields[] = {
    {"mask", IFLA_PROTO_DOWN_REASON_MASK, kU32},
    {"value", IFLA_PROTO_DOWN_REASON_VALUE, kU32},
};
constinit const Schema kProtoDownReason{.name = "linkProtoDownReason", .fields = kProtoDownReasonFields};

constexpr Field kLinkFields[] = {
    {"address", IFLA_ADDRESS, kBytes},
    {"broadcast", IFLA_BROADCAST, kBytes},
    {"ifname", IFLA_IFNAME, kString},
    {"mtu", IFLA_MTU, kU32},
    {"link", IFLA_LINK, kU32},
    {"qdisc", IFLA_QDISC, kString},
    {"stats", IFLA_STATS, kBytes},  // struct rtnl_link_stats
    {"master", IFLA_MASTER, kU32},
    {"wireless", IFLA_WIRELESS, kBytes},
    {"protinfo", IFLA_PROTINFO, kBytes},
    {"txqlen", IFLA_TXQLEN, kU32},
    {"map", IFLA_MAP, kBytes},  // struct rtnl_link_ifmap
    {"weight", IFLA_WEIGHT, kU32},
    {"operstate", IFLA_OPERSTATE, kU8},
    {"linkmode", IFLA_LINKMODE, kU8},
    nested("linkinfo", IFLA_LINKINFO, kLinkInfo),
    {"netNsPid", IFLA_NET_NS_PID, kU32},
    {"ifalias", IFLA_IFALIAS, kString},
    {"numVf", IFLA_NUM_VF, kU32},
    {"vfinfoList", IFLA_VFINFO_LIST, kBytes},
    {"stats64", IFLA_STATS64, kBytes},  // struct rtnl_link_stats64
    {"vfPorts", IFLA_VF_PORTS, kBytes},
    {"portSelf", IFLA_PORT_SELF, kBytes},
    nested("afSpec", IFLA_AF_SPEC, kAfSpec),
    {"group", IFLA_GROUP, kU32},
    {"netNsFd", IFLA_NET_NS_FD, kU32},
    {"extMask", IFLA_EXT_MASK, kU32},
    {"promiscuity", IFLA_PROMISCUITY, kU32},
    {"numTxQueues", IFLA_NUM_TX_QUEUES, kU32},
    {"numRxQueues", IFLA_NUM_RX_QUEUES, kU32},
    {"carrier", IFLA_CARRIER, kU8},
    {"physPortId", IFLA_PHYS_PORT_ID, kBytes},
    {"carrierChanges", IFLA_CARRIER_CHANGES, kU32},
    {"physSwitchId", IFLA_PHYS_SWITCH_ID, kBytes},
    {"linkNetnsid", IFLA_LINK_NETNSID, kS32},
    {"physPortName", IFLA_PHYS_PORT_NAME, kString},
    {"protoDown", IFLA_PROTO_DOWN, kU8},
    {"gsoMaxSegs", IFLA_GSO_MAX_SEGS, kU32},
    {"gsoMaxSize", IFLA_GSO_MAX_SIZE, kU32},
    nested("xdp", IFLA_XDP, kXdp),
    {"event", IFLA_EVENT, kU32},
    {"newNetnsid", IFLA_NEW_NETNSID, kS32},
    {"targetNetnsid", IFLA_TARGET_NETNSID, kS32},
    {"carrierUpCount", IFLA_CARRIER_UP_COUNT, kU32},
    {"carrierDownCount", IFLA_CARRIER_DOWN_COUNT, kU32},
    {"newIfindex", IFLA_NEW_IFINDEX, kS32},
    {"minMtu", IFLA_MIN_MTU, kU32},
    {"maxMtu", IFLA_MAX_MTU, kU32},
    strings("propList", IFLA_PROP_LIST, IFLA_ALT_IFNAME),
    {"altIfname", IFLA_ALT_IFNAME, kString},
    {"permAddress", IFLA_PERM_ADDRESS, kBytes},
    nested("protoDownReason", IFLA_PROTO_DOWN_REASON, kProtoDownReason),
    {"parentDevName", IFLA_PARENT_DEV_NAME, kString},
    {"parentDevBusName", IFLA_PARENT_DEV_BUS_NAME, kString},
    {"groMaxSize", IFLA_GRO_MAX_SIZE, kU32},
    {"tsoMaxSize", IFLA_TSO_MAX_SIZE, kU32},
    {"tsoMaxSegs", IFLA_TSO_MAX_SEGS, kU32},
    {"allmulti", IFLA_ALLMULTI, kU32},
    {"devlinkPort", kIflaDevlinkPort, kBytes},
    {"gsoIpv4MaxSize", kIflaGsoIpv4MaxSize, kU32},
    {"groIpv4MaxSize", kIflaGroIpv4MaxSize, kU32},
    {"dpllPin", kIflaDpllPin, kBytes},
    {"maxPacingOffloadHorizon", kIflaMaxPacingOffloadHorizon, kU32},  // opaque where it needs eight bytes
    {"netnsImmutable", kIflaNetnsImmutable, kU8},
    {"headroom", kIflaHeadroom, kU16},
    {"tailroom", kIflaTailroom, kU16},
};

// The other end of a veth: a link of its own, with its own header.
constinit const Schema kVethPeer{
    .name = "vethPeer", .header_size = sizeof(ifinfomsg), .header = kIfinfomsg, .fields = kLinkFields};

}  // namespace

constinit const Schema kLink{
    .name = "link", .header_size = sizeof(ifinfomsg), .header = kIfinfomsg, .fields = kLinkFields};

}  // namespace nfbridge::codec
