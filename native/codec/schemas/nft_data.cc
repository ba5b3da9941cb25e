// What registers, keys and map values hold: a value or a verdict (NFTA_DATA_*, NFTA_VERDICT_*).
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kVerdictFields[] = {
    {"code", NFTA_VERDICT_CODE, kBeS32},  // NF_ACCEPT, NF_DROP, or negative: enum nft_verdicts
    {"chain", NFTA_VERDICT_CHAIN, kString},
    {"chainId", NFTA_VERDICT_CHAIN_ID, kBe32},
};

constexpr Field kDataFields[] = {
    {"value", NFTA_DATA_VALUE, kBytes},
    nested("verdict", NFTA_DATA_VERDICT, kNftVerdict),
};

}  // namespace

constinit const Schema kNftVerdict{.name = "nftVerdict", .fields = kVerdictFields};
constinit const Schema kNftData{.name = "nftData", .fields = kDataFields};

}  // namespace nfbridge::codec
