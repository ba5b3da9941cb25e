// Expressions that load something of the packet, its connection, its route or its socket:
// linux/netfilter/nf_tables.h.
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// enum nft_inner_attributes: Linux 6.2.
constexpr std::uint16_t kNftaInnerNum = 1;
constexpr std::uint16_t kNftaInnerType = 2;
constexpr std::uint16_t kNftaInnerFlags = 3;
constexpr std::uint16_t kNftaInnerHdrsize = 4;
constexpr std::uint16_t kNftaInnerExpr = 5;

constexpr Field kPayloadFields[] = {
    {"dreg", NFTA_PAYLOAD_DREG, kBe32},
    {"base", NFTA_PAYLOAD_BASE, kBe32},
    {"offset", NFTA_PAYLOAD_OFFSET, kBe32},
    {"len", NFTA_PAYLOAD_LEN, kBe32},
    {"sreg", NFTA_PAYLOAD_SREG, kBe32},
    {"csumType", NFTA_PAYLOAD_CSUM_TYPE, kBe32},
    {"csumOffset", NFTA_PAYLOAD_CSUM_OFFSET, kBe32},
    {"csumFlags", NFTA_PAYLOAD_CSUM_FLAGS, kBe32},
};

constexpr Field kExthdrFields[] = {
    {"dreg", NFTA_EXTHDR_DREG, kBe32},     {"type", NFTA_EXTHDR_TYPE, kU8},
    {"offset", NFTA_EXTHDR_OFFSET, kBe32}, {"len", NFTA_EXTHDR_LEN, kBe32},
    {"flags", NFTA_EXTHDR_FLAGS, kBe32},   {"op", NFTA_EXTHDR_OP, kBe32},
    {"sreg", NFTA_EXTHDR_SREG, kBe32},
};

constexpr Field kMetaFields[] = {
    {"dreg", NFTA_META_DREG, kBe32},
    {"key", NFTA_META_KEY, kBe32},
    {"sreg", NFTA_META_SREG, kBe32},
};

constexpr Field kCtFields[] = {
    {"dreg", NFTA_CT_DREG, kBe32},
    {"key", NFTA_CT_KEY, kBe32},
    {"direction", NFTA_CT_DIRECTION, kU8},
    {"sreg", NFTA_CT_SREG, kBe32},
};

constexpr Field kFibFields[] = {
    {"dreg", NFTA_FIB_DREG, kBe32},
    {"result", NFTA_FIB_RESULT, kBe32},
    {"flags", NFTA_FIB_FLAGS, kBe32},
};

constexpr Field kRtFields[] = {
    {"dreg", NFTA_RT_DREG, kBe32},
    {"key", NFTA_RT_KEY, kBe32},
};

constexpr Field kSocketFields[] = {
    {"key", NFTA_SOCKET_KEY, kBe32},
    {"dreg", NFTA_SOCKET_DREG, kBe32},
    {"level", NFTA_SOCKET_LEVEL, kBe32},
};

constexpr Field kOsfFields[] = {
    {"dreg", NFTA_OSF_DREG, kBe32},
    {"ttl", NFTA_OSF_TTL, kU8},
    {"flags", NFTA_OSF_FLAGS, kBe32},
};

constexpr Field kTunnelFields[] = {
    {"key", NFTA_TUNNEL_KEY, kBe32},
    {"dreg", NFTA_TUNNEL_DREG, kBe32},
    {"mode", NFTA_TUNNEL_MODE, kBe32},
};

constexpr Field kXfrmFields[] = {
    {"dreg", NFTA_XFRM_DREG, kBe32},
    {"key", NFTA_XFRM_KEY, kBe32},
    {"dir", NFTA_XFRM_DIR, kU8},
    {"spnum", NFTA_XFRM_SPNUM, kBe32},
};

// An expression on the packet inside a tunnel.
constexpr Field kInnerFields[] = {
    {"num", kNftaInnerNum, kBe32},
    {"type", kNftaInnerType, kBe32},
    {"flags", kNftaInnerFlags, kBe32},
    {"hdrsize", kNftaInnerHdrsize, kBe32},
    nested("expr", kNftaInnerExpr, kNftExpression),
};

// A match of xtables: linux/netfilter/nf_tables_compat.h.
constexpr Field kMatchFields[] = {
    {"name", NFTA_MATCH_NAME, kString},
    {"rev", NFTA_MATCH_REV, kBe32},
    {"info", NFTA_MATCH_INFO, kBytes},
};

}  // namespace

constinit const Schema kExprPayload{.name = "exprPayload", .fields = kPayloadFields};
constinit const Schema kExprExthdr{.name = "exprExthdr", .fields = kExthdrFields};
constinit const Schema kExprMeta{.name = "exprMeta", .fields = kMetaFields};
constinit const Schema kExprCt{.name = "exprCt", .fields = kCtFields};
constinit const Schema kExprFib{.name = "exprFib", .fields = kFibFields};
constinit const Schema kExprRt{.name = "exprRt", .fields = kRtFields};
constinit const Schema kExprSocket{.name = "exprSocket", .fields = kSocketFields};
constinit const Schema kExprOsf{.name = "exprOsf", .fields = kOsfFields};
constinit const Schema kExprTunnel{.name = "exprTunnel", .fields = kTunnelFields};
constinit const Schema kExprXfrm{.name = "exprXfrm", .fields = kXfrmFields};
constinit const Schema kExprInner{.name = "exprInner", .fields = kInnerFields};
constinit const Schema kExprMatch{.name = "exprMatch", .fields = kMatchFields};

}  // namespace nfbridge::codec
