// Expressions that do something to the packet: linux/netfilter/nf_tables.h.
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kRejectFields[] = {
    {"type", NFTA_REJECT_TYPE, kBe32},
    {"icmpCode", NFTA_REJECT_ICMP_CODE, kU8},
};

constexpr Field kNatFields[] = {
    {"type", NFTA_NAT_TYPE, kBe32},
    {"family", NFTA_NAT_FAMILY, kBe32},
    {"regAddrMin", NFTA_NAT_REG_ADDR_MIN, kBe32},
    {"regAddrMax", NFTA_NAT_REG_ADDR_MAX, kBe32},
    {"regProtoMin", NFTA_NAT_REG_PROTO_MIN, kBe32},
    {"regProtoMax", NFTA_NAT_REG_PROTO_MAX, kBe32},
    {"flags", NFTA_NAT_FLAGS, kBe32},
};

constexpr Field kMasqFields[] = {
    {"flags", NFTA_MASQ_FLAGS, kBe32},
    {"regProtoMin", NFTA_MASQ_REG_PROTO_MIN, kBe32},
    {"regProtoMax", NFTA_MASQ_REG_PROTO_MAX, kBe32},
};

constexpr Field kRedirFields[] = {
    {"regProtoMin", NFTA_REDIR_REG_PROTO_MIN, kBe32},
    {"regProtoMax", NFTA_REDIR_REG_PROTO_MAX, kBe32},
    {"flags", NFTA_REDIR_FLAGS, kBe32},
};

constexpr Field kTproxyFields[] = {
    {"family", NFTA_TPROXY_FAMILY, kBe32},
    {"regAddr", NFTA_TPROXY_REG_ADDR, kBe32},
    {"regPort", NFTA_TPROXY_REG_PORT, kBe32},
};

constexpr Field kQueueFields[] = {
    {"num", NFTA_QUEUE_NUM, kBe16},
    {"total", NFTA_QUEUE_TOTAL, kBe16},
    {"flags", NFTA_QUEUE_FLAGS, kBe16},
    {"sregQnum", NFTA_QUEUE_SREG_QNUM, kBe32},
};

constexpr Field kSynproxyFields[] = {
    {"mss", NFTA_SYNPROXY_MSS, kBe16},
    {"wscale", NFTA_SYNPROXY_WSCALE, kU8},
    {"flags", NFTA_SYNPROXY_FLAGS, kBe32},
};

constexpr Field kDupFields[] = {
    {"sregAddr", NFTA_DUP_SREG_ADDR, kBe32},
    {"sregDev", NFTA_DUP_SREG_DEV, kBe32},
};

constexpr Field kFwdFields[] = {
    {"sregDev", NFTA_FWD_SREG_DEV, kBe32},
    {"sregAddr", NFTA_FWD_SREG_ADDR, kBe32},
    {"nfproto", NFTA_FWD_NFPROTO, kBe32},
};

constexpr Field kFlowOffloadFields[] = {
    {"tableName", NFTA_FLOW_TABLE_NAME, kString},
};

// A target of xtables: linux/netfilter/nf_tables_compat.h.
constexpr Field kTargetFields[] = {
    {"name", NFTA_TARGET_NAME, kString},
    {"rev", NFTA_TARGET_REV, kBe32},
    {"info", NFTA_TARGET_INFO, kBytes},
};

}  // namespace

constinit const Schema kExprReject{.name = "exprReject", .fields = kRejectFields};
constinit const Schema kExprNat{.name = "exprNat", .fields = kNatFields};
constinit const Schema kExprMasq{.name = "exprMasq", .fields = kMasqFields};
constinit const Schema kExprRedir{.name = "exprRedir", .fields = kRedirFields};
constinit const Schema kExprTproxy{.name = "exprTproxy", .fields = kTproxyFields};
constinit const Schema kExprQueue{.name = "exprQueue", .fields = kQueueFields};
constinit const Schema kExprNotrack{.name = "exprNotrack"};
constinit const Schema kExprSynproxy{.name = "exprSynproxy", .fields = kSynproxyFields};
constinit const Schema kExprDup{.name = "exprDup", .fields = kDupFields};
constinit const Schema kExprFwd{.name = "exprFwd", .fields = kFwdFields};
constinit const Schema kExprFlowOffload{.name = "exprFlowOffload", .fields = kFlowOffloadFields};
constinit const Schema kExprTarget{.name = "exprTarget", .fields = kTargetFields};

}  // namespace nfbridge::codec
