// Tracked connections: CTA_* (linux/netfilter/nfnetlink_conntrack.h). Numbers are big-endian but for
// CTA_FILTER's.
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr std::uint16_t kCtaTimestampEvent = 27;  // Linux 6.14

constexpr Field kIpFields[] = {
    {"v4Src", CTA_IP_V4_SRC, kBytes},
    {"v4Dst", CTA_IP_V4_DST, kBytes},
    {"v6Src", CTA_IP_V6_SRC, kBytes},
    {"v6Dst", CTA_IP_V6_DST, kBytes},
};
constinit const Schema kIp{.name = "ctTupleIp", .fields = kIpFields};

constexpr Field kProtoFields[] = {
    {"num", CTA_PROTO_NUM, kU8},
    {"srcPort", CTA_PROTO_SRC_PORT, kBe16},
    {"dstPort", CTA_PROTO_DST_PORT, kBe16},
    {"icmpId", CTA_PROTO_ICMP_ID, kBe16},
    {"icmpType", CTA_PROTO_ICMP_TYPE, kU8},
    {"icmpCode", CTA_PROTO_ICMP_CODE, kU8},
    {"icmpv6Id", CTA_PROTO_ICMPV6_ID, kBe16},
    {"icmpv6Type", CTA_PROTO_ICMPV6_TYPE, kU8},
    {"icmpv6Code", CTA_PROTO_ICMPV6_CODE, kU8},
};
constinit const Schema kProto{.name = "ctTupleProto", .fields = kProtoFields};

constexpr Field kTupleFields[] = {
    nested("ip", CTA_TUPLE_IP, kIp),
    nested("proto", CTA_TUPLE_PROTO, kProto),
    {"zone", CTA_TUPLE_ZONE, kBe16},
};
constinit const Schema kTuple{.name = "ctTuple", .fields = kTupleFields};

constexpr Field kTcpFields[] = {
    {"state", CTA_PROTOINFO_TCP_STATE, kU8},
    {"wscaleOriginal", CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, kU8},
    {"wscaleReply", CTA_PROTOINFO_TCP_WSCALE_REPLY, kU8},
    {"flagsOriginal", CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, kBytes},  // struct nf_ct_tcp_flags
    {"flagsReply", CTA_PROTOINFO_TCP_FLAGS_REPLY, kBytes},
};
constinit const Schema kTcp{.name = "ctTcp", .fields = kTcpFields};

constexpr Field kDccpFields[] = {
    {"state", CTA_PROTOINFO_DCCP_STATE, kU8},
    {"role", CTA_PROTOINFO_DCCP_ROLE, kU8},
    {"handshakeSeq", CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, kBe64},
};
constinit const Schema kDccp{.name = "ctDccp", .fields = kDccpFields};

constexpr Field kSctpFields[] = {
    {"state", CTA_PROTOINFO_SCTP_STATE, kU8},
    {"vtagOriginal", CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, kBe32},
    {"vtagReply", CTA_PROTOINFO_SCTP_VTAG_REPLY, kBe32},
};
constinit const Schema kSctp{.name = "ctSctp", .fields = kSctpFields};

constexpr Field kProtoinfoFields[] = {
    nested("tcp", CTA_PROTOINFO_TCP, kTcp),
    nested("dccp", CTA_PROTOINFO_DCCP, kDccp),
    nested("sctp", CTA_PROTOINFO_SCTP, kSctp),
};
constinit const Schema kProtoinfo{.name = "ctProtoinfo", .fields = kProtoinfoFields};

constexpr Field kHelpFields[] = {
    {"name", CTA_HELP_NAME, kString},
    {"info", CTA_HELP_INFO, kBytes},
};
constinit const Schema kHelp{.name = "ctHelp", .fields = kHelpFields};

constexpr Field kProtonatFields[] = {
    {"portMin", CTA_PROTONAT_PORT_MIN, kBe16},
    {"portMax", CTA_PROTONAT_PORT_MAX, kBe16},
};
constinit const Schema kProtonat{.name = "ctNatProto", .fields = kProtonatFields};

constexpr Field kNatFields[] = {
    {"v4Minip", CTA_NAT_V4_MINIP, kBytes},     {"v4Maxip", CTA_NAT_V4_MAXIP, kBytes},
    nested("proto", CTA_NAT_PROTO, kProtonat), {"v6Minip", CTA_NAT_V6_MINIP, kBytes},
    {"v6Maxip", CTA_NAT_V6_MAXIP, kBytes},
};
constinit const Schema kNat{.name = "ctNat", .fields = kNatFields};

constexpr Field kCountersFields[] = {
    {"packets", CTA_COUNTERS_PACKETS, kBe64},
    {"bytes", CTA_COUNTERS_BYTES, kBe64},
};
constinit const Schema kCounters{.name = "ctCounters", .fields = kCountersFields};

constexpr Field kSeqadjFields[] = {
    {"correctionPos", CTA_SEQADJ_CORRECTION_POS, kBe32},
    {"offsetBefore", CTA_SEQADJ_OFFSET_BEFORE, kBeS32},
    {"offsetAfter", CTA_SEQADJ_OFFSET_AFTER, kBeS32},
};
constinit const Schema kSeqadj{.name = "ctSeqAdj", .fields = kSeqadjFields};

constexpr Field kSecctxFields[] = {{"name", CTA_SECCTX_NAME, kString}};
constinit const Schema kSecctx{.name = "ctSecctx", .fields = kSecctxFields};

// Nanoseconds since the epoch.
constexpr Field kTimestampFields[] = {
    {"start", CTA_TIMESTAMP_START, kBe64},
    {"stop", CTA_TIMESTAMP_STOP, kBe64},
};
constinit const Schema kTimestamp{.name = "ctTimestamp", .fields = kTimestampFields};

constexpr Field kSynproxyFields[] = {
    {"isn", CTA_SYNPROXY_ISN, kBe32},
    {"its", CTA_SYNPROXY_ITS, kBe32},
    {"tsoff", CTA_SYNPROXY_TSOFF, kBe32},
};
constinit const Schema kSynproxy{.name = "ctSynproxy", .fields = kSynproxyFields};

// Which parts of the tuples a dump or a flush compares; the kernel reads them in the host's byte order.
constexpr Field kFilterFields[] = {
    {"origFlags", CTA_FILTER_ORIG_FLAGS, kU32},
    {"replyFlags", CTA_FILTER_REPLY_FLAGS, kU32},
};
constinit const Schema kFilter{.name = "ctFilter", .fields = kFilterFields};

constexpr Field kFields[] = {
    nested("tupleOrig", CTA_TUPLE_ORIG, kTuple),
    nested("tupleReply", CTA_TUPLE_REPLY, kTuple),
    {"status", CTA_STATUS, kBe32},
    nested("protoinfo", CTA_PROTOINFO, kProtoinfo),
    nested("help", CTA_HELP, kHelp),
    nested("natSrc", CTA_NAT_SRC, kNat),
    {"timeout", CTA_TIMEOUT, kBe32},  // seconds
    {"mark", CTA_MARK, kBe32},
    nested("countersOrig", CTA_COUNTERS_ORIG, kCounters),
    nested("countersReply", CTA_COUNTERS_REPLY, kCounters),
    {"use", CTA_USE, kBe32},
    {"id", CTA_ID, kBe32},
    nested("natDst", CTA_NAT_DST, kNat),
    nested("tupleMaster", CTA_TUPLE_MASTER, kTuple),
    nested("seqAdjOrig", CTA_SEQ_ADJ_ORIG, kSeqadj),
    nested("seqAdjReply", CTA_SEQ_ADJ_REPLY, kSeqadj),
    {"secmark", CTA_SECMARK, kBe32},
    {"zone", CTA_ZONE, kBe16},
    nested("secctx", CTA_SECCTX, kSecctx),
    nested("timestamp", CTA_TIMESTAMP, kTimestamp),
    {"markMask", CTA_MARK_MASK, kBe32},
    {"labels", CTA_LABELS, kBytes},
    {"labelsMask", CTA_LABELS_MASK, kBytes},
    nested("synproxy", CTA_SYNPROXY, kSynproxy),
    nested("filter", CTA_FILTER, kFilter),
    {"statusMask", CTA_STATUS_MASK, kBe32},
    {"timestampEvent", kCtaTimestampEvent, kBe64},
};

}  // namespace

constinit const Schema kCtEntry{
    .name = "ctEntry", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
