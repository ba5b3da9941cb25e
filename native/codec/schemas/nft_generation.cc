// The generation of the ruleset and who made it: NFTA_GEN_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kFields[] = {
    {"id", NFTA_GEN_ID, kBe32},
    {"procPid", NFTA_GEN_PROC_PID, kBe32},
    {"procName", NFTA_GEN_PROC_NAME, kString},
};

}  // namespace

constinit const Schema kNftGeneration{
    .name = "nftGeneration", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
