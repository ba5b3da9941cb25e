// Routes: struct rtmsg, RTA_*, RTAX_* and struct rtnexthop (linux/rtnetlink.h).
#include <linux/rtnetlink.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr std::uint16_t kRtaFlowlabel = 31;  // Linux 6.14

constexpr HeaderField kRtmsg[] = {
    {"family", kU8, offsetof(rtmsg, rtm_family)},  {"dstLen", kU8, offsetof(rtmsg, rtm_dst_len)},
    {"srcLen", kU8, offsetof(rtmsg, rtm_src_len)}, {"tos", kU8, offsetof(rtmsg, rtm_tos)},
    {"table", kU8, offsetof(rtmsg, rtm_table)},    {"protocol", kU8, offsetof(rtmsg, rtm_protocol)},
    {"scope", kU8, offsetof(rtmsg, rtm_scope)},    {"type", kU8, offsetof(rtmsg, rtm_type)},
    {"flags", kU32, offsetof(rtmsg, rtm_flags)},
};

constexpr Field kMetricsFields[] = {
    {"lock", RTAX_LOCK, kU32},
    {"mtu", RTAX_MTU, kU32},
    {"window", RTAX_WINDOW, kU32},
    {"rtt", RTAX_RTT, kU32},
    {"rttvar", RTAX_RTTVAR, kU32},
    {"ssthresh", RTAX_SSTHRESH, kU32},
    {"cwnd", RTAX_CWND, kU32},
    {"advmss", RTAX_ADVMSS, kU32},
    {"reordering", RTAX_REORDERING, kU32},
    {"hoplimit", RTAX_HOPLIMIT, kU32},
    {"initcwnd", RTAX_INITCWND, kU32},
    {"features", RTAX_FEATURES, kU32},
    {"rtoMin", RTAX_RTO_MIN, kU32},
    {"initrwnd", RTAX_INITRWND, kU32},
    {"quickack", RTAX_QUICKACK, kU32},
    {"ccAlgo", RTAX_CC_ALGO, kString},
    {"fastopenNoCookie", RTAX_FASTOPEN_NO_COOKIE, kU32},
};
constinit const Schema kMetrics{.name = "routeMetrics", .fields = kMetricsFields};

// rtnh_len is what the encoder fills in.
constexpr HeaderField kRtnexthop[] = {
    {"flags", kU8, offsetof(rtnexthop, rtnh_flags)},
    {"hops", kU8, offsetof(rtnexthop, rtnh_hops)},
    {"ifindex", kS32, offsetof(rtnexthop, rtnh_ifindex)},
};
constexpr Field kNexthopFields[] = {
    {"gateway", RTA_GATEWAY, kBytes},
    {"flow", RTA_FLOW, kU32},
    {"via", RTA_VIA, kBytes},
    {"newdst", RTA_NEWDST, kBytes},
    {"encapType", RTA_ENCAP_TYPE, kU16},
    {"encap", RTA_ENCAP, kBytes},
};
constinit const Schema kNexthop{
    .name = "nexthop", .header_size = sizeof(rtnexthop), .header = kRtnexthop, .fields = kNexthopFields};

constexpr Field kFields[] = {
    {"dst", RTA_DST, kBytes},
    {"src", RTA_SRC, kBytes},
    {"iif", RTA_IIF, kU32},
    {"oif", RTA_OIF, kU32},
    {"gateway", RTA_GATEWAY, kBytes},
    {"priority", RTA_PRIORITY, kU32},
    {"prefsrc", RTA_PREFSRC, kBytes},
    nested("metrics", RTA_METRICS, kMetrics),
    structs("multipath", RTA_MULTIPATH, kNexthop),
    {"flow", RTA_FLOW, kU32},
    {"cacheinfo", RTA_CACHEINFO, kBytes},  // struct rta_cacheinfo
    {"rtaTable", RTA_TABLE, kU32},         // replaces the header's table, which has eight bits
    {"mark", RTA_MARK, kU32},
    {"mfcStats", RTA_MFC_STATS, kBytes},
    {"via", RTA_VIA, kBytes},  // struct rtvia
    {"newdst", RTA_NEWDST, kBytes},
    {"pref", RTA_PREF, kU8},
    {"encapType", RTA_ENCAP_TYPE, kU16},
    {"encap", RTA_ENCAP, kBytes},
    {"expires", RTA_EXPIRES, kU32},
    {"uid", RTA_UID, kU32},
    {"ttlPropagate", RTA_TTL_PROPAGATE, kU8},
    {"ipProto", RTA_IP_PROTO, kU8},
    {"sport", RTA_SPORT, kBe16},
    {"dport", RTA_DPORT, kBe16},
    {"nhId", RTA_NH_ID, kU32},
    {"flowlabel", kRtaFlowlabel, kBe32},
};

}  // namespace

constinit const Schema kRoute{
    .name = "route", .header_size = sizeof(rtmsg), .header = kRtmsg, .fields = kFields};

}  // namespace nfbridge::codec
