// Chains: NFTA_CHAIN_* and, for base chains, NFTA_HOOK_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kHookFields[] = {
    {"hooknum", NFTA_HOOK_HOOKNUM, kBe32},
    {"priority", NFTA_HOOK_PRIORITY, kBeS32},
    {"dev", NFTA_HOOK_DEV, kString},
    strings("devs", NFTA_HOOK_DEVS, NFTA_DEVICE_NAME),
};
constinit const Schema kHook{.name = "nftHook", .fields = kHookFields};

constexpr Field kFields[] = {
    {"table", NFTA_CHAIN_TABLE, kString},      {"handle", NFTA_CHAIN_HANDLE, kBe64},
    {"name", NFTA_CHAIN_NAME, kString},        nested("hook", NFTA_CHAIN_HOOK, kHook),
    {"policy", NFTA_CHAIN_POLICY, kBe32},      {"use", NFTA_CHAIN_USE, kBe32},
    {"type", NFTA_CHAIN_TYPE, kString},        nested("counters", NFTA_CHAIN_COUNTERS, kExprCounter),
    {"flags", NFTA_CHAIN_FLAGS, kBe32},        {"id", NFTA_CHAIN_ID, kBe32},
    {"userdata", NFTA_CHAIN_USERDATA, kBytes},
};

}  // namespace

constinit const Schema kNftChain{
    .name = "nftChain", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
