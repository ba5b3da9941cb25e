// Tables: NFTA_TABLE_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kFields[] = {
    {"name", NFTA_TABLE_NAME, kString},
    {"flags", NFTA_TABLE_FLAGS, kBe32},
    {"use", NFTA_TABLE_USE, kBe32},
    {"handle", NFTA_TABLE_HANDLE, kBe64},
    {"userdata", NFTA_TABLE_USERDATA, kBytes},
    {"owner", NFTA_TABLE_OWNER, kBe32},
};

}  // namespace

constinit const Schema kNftTable{
    .name = "nftTable", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
