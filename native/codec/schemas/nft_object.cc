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

constexpr Field kTunnelIpFields[] = {
    {"src", NFTA_TUNNEL_KEY_IP_SRC, kBytes},
    {"dst", NFTA_TUNNEL_KEY_IP_DST, kBytes},
};
constinit const Schema kTunnelIp{.name = "nftTunnelIp", .fields = kTunnelIpFields};

constexpr Field kTunnelIp6Fields[] = {
    {"src", NFTA_TUNNEL_KEY_IP6_SRC, kBytes},
    {"dst", NFTA_TUNNEL_KEY_IP6_DST, kBytes},
    {"flowlabel", NFTA_TUNNEL_KEY_IP6_FLOWLABEL, kBe32},
};
constinit const Schema kTunnelIp6{.name = "nftTunnelIp6", .fields = kTunnelIp6Fields};

constexpr Field kTunnelFields[] = {
    {"id", NFTA_TUNNEL_KEY_ID, kBe32},
    nested("ip", NFTA_TUNNEL_KEY_IP, kTunnelIp),
    nested("ip6", NFTA_TUNNEL_KEY_IP6, kTunnelIp6),
    {"flags", NFTA_TUNNEL_KEY_FLAGS, kBe32},
    {"tos", NFTA_TUNNEL_KEY_TOS, kU8},
    {"ttl", NFTA_TUNNEL_KEY_TTL, kU8},
    {"sport", NFTA_TUNNEL_KEY_SPORT, kBe16},
    {"dport", NFTA_TUNNEL_KEY_DPORT, kBe16},
    {"opts", NFTA_TUNNEL_KEY_OPTS, kBytes},  // a nest whose attributes repeat: one for each option of geneve
};
constinit const Schema kTunnel{.name = "nftTunnel", .fields = kTunnelFields};

constexpr Variant kTypes[] = {
    {.number = NFT_OBJECT_COUNTER, .schema = &kExprCounter},
    {.number = NFT_OBJECT_QUOTA, .schema = &kExprQuota},
    {.number = NFT_OBJECT_CT_HELPER, .schema = &kCtHelper},
    {.number = NFT_OBJECT_LIMIT, .schema = &kExprLimit},
    {.number = NFT_OBJECT_CONNLIMIT, .schema = &kExprConnlimit},
    {.number = NFT_OBJECT_TUNNEL, .schema = &kTunnel},
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
