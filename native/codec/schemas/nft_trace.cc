// Where a packet came by: NFTA_TRACE_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1: 6.16.
constexpr std::uint16_t kNftaTraceCtId = 18;
constexpr std::uint16_t kNftaTraceCtDirection = 19;
constexpr std::uint16_t kNftaTraceCtStatus = 20;
constexpr std::uint16_t kNftaTraceCtState = 21;

constexpr Field kFields[] = {
    {"table", NFTA_TRACE_TABLE, kString},
    {"chain", NFTA_TRACE_CHAIN, kString},
    {"ruleHandle", NFTA_TRACE_RULE_HANDLE, kBe64},
    {"type", NFTA_TRACE_TYPE, kBe32},
    nested("verdict", NFTA_TRACE_VERDICT, kNftVerdict),
    {"id", NFTA_TRACE_ID, kBe32},
    {"llHeader", NFTA_TRACE_LL_HEADER, kBytes},
    {"networkHeader", NFTA_TRACE_NETWORK_HEADER, kBytes},
    {"transportHeader", NFTA_TRACE_TRANSPORT_HEADER, kBytes},
    {"iif", NFTA_TRACE_IIF, kBe32},
    {"iiftype", NFTA_TRACE_IIFTYPE, kBe16},
    {"oif", NFTA_TRACE_OIF, kBe32},
    {"oiftype", NFTA_TRACE_OIFTYPE, kBe16},
    {"mark", NFTA_TRACE_MARK, kBe32},
    {"nfproto", NFTA_TRACE_NFPROTO, kBe32},
    {"policy", NFTA_TRACE_POLICY, kBe32},
    {"ctId", kNftaTraceCtId, kBe32},
    {"ctDirection", kNftaTraceCtDirection, kU8},
    {"ctStatus", kNftaTraceCtStatus, kBe32},
    {"ctState", kNftaTraceCtState, kBe32},
};

}  // namespace

constinit const Schema kNftTrace{
    .name = "nftTrace", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
