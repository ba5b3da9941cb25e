// An expression: its name and, by the name, its data (NFTA_EXPR_*). Rules, sets, elements and other
// expressions hold them.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// The names under which the kernel registers them.
constexpr Variant kExpressions[] = {
    {.name = "immediate", .schema = &kExprImmediate},
    {.name = "cmp", .schema = &kExprCmp},
    {.name = "range", .schema = &kExprRange},
    {.name = "bitwise", .schema = &kExprBitwise},
    {.name = "byteorder", .schema = &kExprByteorder},
    {.name = "lookup", .schema = &kExprLookup},
    {.name = "dynset", .schema = &kExprDynset},
    {.name = "objref", .schema = &kExprObjref},
    {.name = "numgen", .schema = &kExprNumgen},
    {.name = "hash", .schema = &kExprHash},
    {.name = "payload", .schema = &kExprPayload},
    {.name = "exthdr", .schema = &kExprExthdr},
    {.name = "meta", .schema = &kExprMeta},
    {.name = "ct", .schema = &kExprCt},
    {.name = "fib", .schema = &kExprFib},
    {.name = "rt", .schema = &kExprRt},
    {.name = "socket", .schema = &kExprSocket},
    {.name = "osf", .schema = &kExprOsf},
    {.name = "tunnel", .schema = &kExprTunnel},
    {.name = "xfrm", .schema = &kExprXfrm},
    {.name = "inner", .schema = &kExprInner},
    {.name = "match", .schema = &kExprMatch},
    {.name = "limit", .schema = &kExprLimit},
    {.name = "connlimit", .schema = &kExprConnlimit},
    {.name = "counter", .schema = &kExprCounter},
    {.name = "quota", .schema = &kExprQuota},
    {.name = "last", .schema = &kExprLast},
    {.name = "log", .schema = &kExprLog},
    {.name = "reject", .schema = &kExprReject},
    {.name = "nat", .schema = &kExprNat},
    {.name = "masq", .schema = &kExprMasq},
    {.name = "redir", .schema = &kExprRedir},
    {.name = "tproxy", .schema = &kExprTproxy},
    {.name = "queue", .schema = &kExprQueue},
    {.name = "notrack", .schema = &kExprNotrack},
    {.name = "synproxy", .schema = &kExprSynproxy},
    {.name = "dup", .schema = &kExprDup},
    {.name = "fwd", .schema = &kExprFwd},
    {.name = "flow_offload", .schema = &kExprFlowOffload},
    {.name = "target", .schema = &kExprTarget},
};

constexpr Field kFields[] = {
    {"name", NFTA_EXPR_NAME, kString},
    select("data", NFTA_EXPR_DATA, "name", kExpressions),
};

}  // namespace

constinit const Schema kNftExpression{.name = "nftExpression", .fields = kFields};

}  // namespace nfbridge::codec
