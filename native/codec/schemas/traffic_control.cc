// Traffic control: struct tcmsg, TCA_* of queueing disciplines and of filters, and the actions of filters
// (linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h). The options of kinds that are not named here are
// opaque.
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1.
constexpr std::uint16_t kTcaExtWarnMsg = 16;    // 6.3
constexpr std::uint16_t kTcaMirredBlockid = 4;  // 6.8

constexpr HeaderField kTcmsg[] = {
    {"family", kU8, offsetof(tcmsg, tcm_family)},  {"ifindex", kS32, offsetof(tcmsg, tcm_ifindex)},
    {"handle", kU32, offsetof(tcmsg, tcm_handle)}, {"parent", kU32, offsetof(tcmsg, tcm_parent)},
    {"info", kU32, offsetof(tcmsg, tcm_info)},
};

constexpr Field kTbfFields[] = {
    {"parms", TCA_TBF_PARMS, kBytes},  // struct tc_tbf_qopt
    {"rtab", TCA_TBF_RTAB, kBytes},     {"ptab", TCA_TBF_PTAB, kBytes}, {"rate64", TCA_TBF_RATE64, kU64},
    {"prate64", TCA_TBF_PRATE64, kU64}, {"burst", TCA_TBF_BURST, kU32}, {"pburst", TCA_TBF_PBURST, kU32},
};
constinit const Schema kTbf{.name = "qdiscTbf", .fields = kTbfFields};

constexpr Variant kQdiscKinds[] = {{.name = "tbf", .schema = &kTbf}};

constexpr Field kQdiscFields[] = {
    {"kind", TCA_KIND, kString},
    select("options", TCA_OPTIONS, "kind", kQdiscKinds),
    {"stats", TCA_STATS, kBytes},  // struct tc_stats
    {"xstats", TCA_XSTATS, kBytes},
    {"rate", TCA_RATE, kBytes},  // struct tc_estimator
    {"fcnt", TCA_FCNT, kU32},
    {"stats2", TCA_STATS2, kBytes},
    {"stab", TCA_STAB, kBytes},
    {"dumpInvisible", TCA_DUMP_INVISIBLE, kFlag},
    {"chain", TCA_CHAIN, kU32},
    {"hwOffload", TCA_HW_OFFLOAD, kU8},
    {"ingressBlock", TCA_INGRESS_BLOCK, kU32},
    {"egressBlock", TCA_EGRESS_BLOCK, kU32},
    {"extWarnMsg", kTcaExtWarnMsg, kString},
};

constexpr Field kMirredFields[] = {
    {"tm", TCA_MIRRED_TM, kBytes},        // struct tcf_t
    {"parms", TCA_MIRRED_PARMS, kBytes},  // struct tc_mirred
    {"blockid", kTcaMirredBlockid, kU32},
};
constinit const Schema kMirred{.name = "actionMirred", .fields = kMirredFields};

constexpr Variant kActionKinds[] = {{.name = "mirred", .schema = &kMirred}};

constexpr Field kActionFields[] = {
    {"kind", TCA_ACT_KIND, kString},          select("options", TCA_ACT_OPTIONS, "kind", kActionKinds),
    {"index", TCA_ACT_INDEX, kU32},           {"stats", TCA_ACT_STATS, kBytes},
    {"cookie", TCA_ACT_COOKIE, kBytes},       {"flags", TCA_ACT_FLAGS, kBytes},  // struct nla_bitfield32
    {"hwStats", TCA_ACT_HW_STATS, kBytes},    {"usedHwStats", TCA_ACT_USED_HW_STATS, kBytes},
    {"inHwCount", TCA_ACT_IN_HW_COUNT, kU32},
};
constinit const Schema kAction{.name = "filterAction", .fields = kActionFields};

// The actions of a filter are numbered from 1, in their order; the numbers are the attributes.
constexpr Field kActionsFields[] = {
    nested("first", 1, kAction),
    nested("second", 2, kAction),
    nested("third", 3, kAction),
    nested("fourth", 4, kAction),
};
constinit const Schema kActions{.name = "filterActions", .fields = kActionsFields};

constexpr Field kU32Fields[] = {
    {"classid", TCA_U32_CLASSID, kU32}, {"hash", TCA_U32_HASH, kU32},
    {"link", TCA_U32_LINK, kU32},       {"divisor", TCA_U32_DIVISOR, kU32},
    {"sel", TCA_U32_SEL, kBytes},  // struct tc_u32_sel and its keys
    {"police", TCA_U32_POLICE, kBytes}, nested("act", TCA_U32_ACT, kActions),
    {"indev", TCA_U32_INDEV, kString},  {"pcnt", TCA_U32_PCNT, kBytes},  // struct tc_u32_pcnt
    {"mark", TCA_U32_MARK, kBytes},                                      // struct tc_u32_mark
    {"flags", TCA_U32_FLAGS, kU32},
};
constinit const Schema kU32Filter{.name = "filterU32", .fields = kU32Fields};

constexpr Field kMatchallFields[] = {
    {"classid", TCA_MATCHALL_CLASSID, kU32},
    nested("act", TCA_MATCHALL_ACT, kActions),
    {"flags", TCA_MATCHALL_FLAGS, kU32},
    {"pcnt", TCA_MATCHALL_PCNT, kBytes},  // struct tc_matchall_pcnt
};
constinit const Schema kMatchall{.name = "filterMatchall", .fields = kMatchallFields};

constexpr Variant kFilterKinds[] = {
    {.name = "u32", .schema = &kU32Filter},
    {.name = "matchall", .schema = &kMatchall},
};

constexpr Field kFilterFields[] = {
    {"kind", TCA_KIND, kString},  select("options", TCA_OPTIONS, "kind", kFilterKinds),
    {"stats", TCA_STATS, kBytes}, {"stats2", TCA_STATS2, kBytes},
    {"chain", TCA_CHAIN, kU32},   {"extWarnMsg", kTcaExtWarnMsg, kString},
};

}  // namespace

constinit const Schema kQdisc{
    .name = "qdisc", .header_size = sizeof(tcmsg), .header = kTcmsg, .fields = kQdiscFields};
constinit const Schema kFilter{
    .name = "filter", .header_size = sizeof(tcmsg), .header = kTcmsg, .fields = kFilterFields};

}  // namespace nfbridge::codec
