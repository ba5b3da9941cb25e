// Stateful objects: NFTA_OBJ_* and, by the type, their data.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kCtHelperFields[] = {
    {"name", NFTA_CT_HELPER_NAME, kString},
    {"l3proto", NFTA_CT_HELPER_L3PROTO, kBe16},
    {"l4proto", NFTA_CT_HELPER_L4PROTO, kU8},
};
constinit const Schema kCtHelper{.name = "nftCtHelper", .fields = kCtHelperFields};

constexpr Field kCtTimeoutFields[] = {
    {"l3proto", NFTA_CT_TIMEOUT_L3PROTO, kBe16},
    {"l4proto", NFTA_CT_TIMEOUT_L4PROTO, kU8},
    {"data", NFTA_CT_TIMEOUT_DATA, kBytes},  // a nest that depends on the protocol
};
constinit const Schema kCtTimeout{.name = "nftCtTimeout", .fields = kCtTimeoutFields};

constexpr Field kSecmarkFields[] = {{"ctx", NFTA_SECMARK_CTX, kString}};
constinit const Schema kSecmark{.name = "nftSecmark", .fields = kSecmarkFields};

constexpr Field kCtExpectFields[] = {
    {"l3proto", NFTA_CT_EXPECT_L3PROTO, kBe16},
    {"l4proto", NFTA_CT_EXPECT_L4PROTO, kU8},
    {"dport", NFTA_CT_EXPECT_DPORT, kBe16},
    {"timeout", NFTA_CT_EXPECT_TIMEOUT, kU32},  // the one number here in the host's byte order
    {"size", NFTA_CT_EXPECT_SIZE, kU8},
};
constinit const Schema kCtExpect{.name = "nftCtExpect", .fields = kCtExpectFields};

// NFT_OBJECT_TUNNEL is kept as bytes.
constexpr Variant kTypes[] = {
    {.number = NFT_OBJECT_COUNTER, .schema = &kExprCounter},
    {.number = NFT_OBJECT_QUOTA, .schema = &kExprQuota},
    {.number = NFT_OBJECT_CT_HELPER, .schema = &kCtHelper},
    {.number = NFT_OBJECT_LIMIT, .schema = &kExprLimit},
    {.number = NFT_OBJECT_CONNLIMIT, .schema = &kExprConnlimit},
    {.number = NFT_OBJECT_CT_TIMEOUT, .schema = &kCtTimeout},
    {.number = NFT_OBJECT_SECMARK, .schema = &kSecmark},
    {.number = NFT_OBJECT_CT_EXPECT, .schema = &kCtExpect},
    {.number = NFT_OBJECT_SYNPROXY, .schema = &kExprSynproxy},
};

constexpr Field kFields[] = {
    {"table", NFTA_OBJ_TABLE, kString},
    {"name", NFTA_OBJ_NAME, kString},
    {"type", NFTA_OBJ_TYPE, kBe32},
    select("data", NFTA_OBJ_DATA, "type", kTypes),
    {"use", NFTA_OBJ_USE, kBe32},
    {"handle", NFTA_OBJ_HANDLE, kBe64},
    {"userdata", NFTA_OBJ_USERDATA, kBytes},
};

}  // namespace

constinit const Schema kNftObject{
    .name = "nftObject", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
