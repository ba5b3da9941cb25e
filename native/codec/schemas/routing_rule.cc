// Rules of the routing policy database: struct fib_rule_hdr and FRA_* (linux/fib_rules.h).
#include <linux/fib_rules.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1.
constexpr std::uint16_t kFraDscp = 25;  // 6.12

constexpr HeaderField kFibRuleHdr[] = {
    {"family", kU8, offsetof(fib_rule_hdr, family)},  {"dstLen", kU8, offsetof(fib_rule_hdr, dst_len)},
    {"srcLen", kU8, offsetof(fib_rule_hdr, src_len)}, {"tos", kU8, offsetof(fib_rule_hdr, tos)},
    {"table", kU8, offsetof(fib_rule_hdr, table)},    {"action", kU8, offsetof(fib_rule_hdr, action)},
    {"flags", kU32, offsetof(fib_rule_hdr, flags)},
};

constexpr Field kFields[] = {
    {"dst", FRA_DST, kBytes},
    {"src", FRA_SRC, kBytes},
    {"iifname", FRA_IIFNAME, kString},
    {"goto", FRA_GOTO, kU32},
    {"priority", FRA_PRIORITY, kU32},
    {"fwmark", FRA_FWMARK, kU32},
    {"flow", FRA_FLOW, kU32},
    {"tunId", FRA_TUN_ID, kBe64},
    {"suppressIfgroup", FRA_SUPPRESS_IFGROUP, kU32},
    {"suppressPrefixlen", FRA_SUPPRESS_PREFIXLEN, kU32},
    {"fraTable", FRA_TABLE, kU32},  // replaces the header's table, which has eight bits
    {"fwmask", FRA_FWMASK, kU32},
    {"oifname", FRA_OIFNAME, kString},
    {"l3mdev", FRA_L3MDEV, kU8},
    {"uidRange", FRA_UID_RANGE, kBytes},  // struct fib_rule_uid_range
    {"protocol", FRA_PROTOCOL, kU8},
    {"ipProto", FRA_IP_PROTO, kU8},
    {"sportRange", FRA_SPORT_RANGE, kBytes},  // struct fib_rule_port_range
    {"dportRange", FRA_DPORT_RANGE, kBytes},
    {"dscp", kFraDscp, kU8},
};

}  // namespace

constinit const Schema kRoutingRule{
    .name = "routingRule", .header_size = sizeof(fib_rule_hdr), .header = kFibRuleHdr, .fields = kFields};

}  // namespace nfbridge::codec
