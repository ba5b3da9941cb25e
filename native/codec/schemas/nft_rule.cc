// Rules: NFTA_RULE_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Which protocol xtables extensions of the rule were made for.
constexpr Field kCompatFields[] = {
    {"proto", NFTA_RULE_COMPAT_PROTO, kBe32},
    {"flags", NFTA_RULE_COMPAT_FLAGS, kBe32},
};
constinit const Schema kCompat{.name = "nftRuleCompat", .fields = kCompatFields};

constexpr Field kFields[] = {
    {"table", NFTA_RULE_TABLE, kString},
    {"chain", NFTA_RULE_CHAIN, kString},
    {"handle", NFTA_RULE_HANDLE, kBe64},
    list("expressions", NFTA_RULE_EXPRESSIONS, NFTA_LIST_ELEM, kNftExpression),
    nested("compat", NFTA_RULE_COMPAT, kCompat),
    {"position", NFTA_RULE_POSITION, kBe64},
    {"userdata", NFTA_RULE_USERDATA, kBytes},
    {"id", NFTA_RULE_ID, kBe32},
    {"positionId", NFTA_RULE_POSITION_ID, kBe32},
    {"chainId", NFTA_RULE_CHAIN_ID, kBe32},
};

}  // namespace

constinit const Schema kNftRule{
    .name = "nftRule", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
